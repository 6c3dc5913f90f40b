"""Many trials beside an undisturbed one: what differs, and how much was struck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from sync_pipeline_tests.crashes.points import Act, Cell, Chooser, Kind, Side, Strike, kinds_of
from sync_pipeline_tests.crashes.site import Site
from sync_pipeline_tests.crashes.trial import (
    STATES,
    NeverCompleteError,
    Struck,
    Trial,
    run_trial,
)

# What depends on time may not come again.
_MOST_ROUNDS = 12


class Campaign:
    """Strikes one world after another, and keeps what was found."""

    def __init__(
        self, site: Site, undisturbed: Trial, *, seed: int, say: Callable[[str], None]
    ) -> None:
        self._site = site
        self._undisturbed = undisturbed
        self._say = say
        self._states = STATES[: 1 + max(cell.phase for cell in undisturbed.courses)]
        self._chooser = Chooser(undisturbed.courses, seed=seed)
        self.hits: list[Struck] = []
        self.findings: list[str] = []
        self._can_go_on = True
        say(
            f"seed {seed}; undisturbed: {len(undisturbed.courses)} runs "
            f"in {undisturbed.seconds:.0f} s"
        )

    def strike(self, points: int) -> None:
        """Strike until so many strikes have hit."""
        while self._can_go_on and len(self.hits) < points:
            self._try(self._chooser.world(points - len(self.hits)))

    def strike_the_rest(self) -> None:
        """Strike what no strike has hit yet: each side of every kind of commit and request."""
        for _ in range(_MOST_ROUNDS):
            strikes = self._chooser.rest(self._struck())
            if not self._can_go_on or not strikes:
                return
            self._try(strikes)

    def summary(self) -> list[str]:
        """Return the counts per kind, and how many kinds of places were struck."""
        kinds = Counter(_kind(struck.strike) for struck in self.hits)
        every = kinds_of(self._undisturbed.courses)
        left = every - self._struck()
        again = sum(len(hit.failed) for hit in self.hits)
        return [
            *(f"{count:>6,}  {kind}" for kind, count in sorted(kinds.items())),
            f"{len(self.hits):>6,}  in all; {again:,} runs begun again",
            f"{len(every) - len(left):>6,}  of {len(every):,} sides of the streams' kinds of acts",
            *(f"        not struck: {side} {what} of {s}" for s, _, what, side in sorted(left)),
            *self._commits(),
        ]

    def _commits(self) -> Iterator[str]:
        """Yield how often each kind of commit was struck, over all streams."""
        fallen = [hit.fell for hit in self.hits if hit.fell and hit.fell.act is Act.COMMIT]
        counts = Counter((place.what, place.side) for place in fallen)
        for what in sorted({place.what for place in fallen}):
            sides = ", ".join(f"{counts[what, side]:>3} {side}" for side in Side)
            yield f"        {sides}  {what}"

    def _struck(self) -> set[Kind]:
        fallen = [(hit.cell.stream, hit.fell) for hit in self.hits if hit.fell is not None]
        return {(stream, fell.act, fell.what, fell.side) for stream, fell in fallen}

    def _try(self, strikes: Mapping[Cell, Strike]) -> None:
        try:
            self._note(run_trial(self._site, strikes, states=self._states))
        except NeverCompleteError as exc:
            self._can_go_on = False
            # The strike may have ended it, and others go on at this site.
            self._site.start_postgres()
            self._find([str(exc)])

    def _note(self, trial: Trial) -> None:
        for struck in trial.struck:
            self._say(_line(struck))
            if struck.is_hit:
                self.hits.append(struck)
            if struck.split:
                self._find([f"{struck.cell}, {struck.strike}: {struck.split}"])
        self._find(differences(self._undisturbed, trial))

    def _find(self, findings: Sequence[str]) -> None:
        self.findings += findings
        for finding in findings:
            self._say(f"DIFFERS: {finding}")


def differences(undisturbed: Trial, trial: Trial) -> list[str]:
    """Say in what a trial ended otherwise, and what was struck there until then."""
    return [
        f"{cell}: {difference}; struck there: {_struck_before(trial, cell)}"
        for cell, picture in undisturbed.pictures.items()
        for difference in picture.differences(trial.pictures[cell])
    ]


def _struck_before(trial: Trial, cell: Cell) -> str:
    lines: Iterator[str] = (
        f"{struck.cell.phase}: {struck.strike} ({struck.fell.what if struck.fell else '-'})"
        for struck in trial.struck
        if struck.cell.stream == cell.stream and struck.cell.phase <= cell.phase
    )
    return ", ".join(lines) or "nothing"


def _line(struck: Struck) -> str:
    fell = str(struck.fell) if struck.fell else "before its first commit"
    came = ", ".join([*struck.failed, "complete"])
    if not struck.is_hit:
        fell, came = "-", "the run was over before"
    return f"{struck.cell!s:28} {struck.strike.blow!s:18} {fell:76} {came}"


def _kind(strike: Strike) -> str:
    where = "at a random time" if strike.act is None else f"{strike.side} a {strike.act}"
    return f"{strike.blow} {where}"
