"""When the fields of a source are news, and what follows from it.

New members and unknown words are counted and shown. A field of the contract that is missing or of
another type is what the policy of its stream says: kept in silence, warned of, or a failed run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.errors import DriftError, SettingsError
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.records import Drift, FieldKind, Sighting
from sync_pipeline.settings import DriftPolicy, Settings
from sync_pipeline.warehouse.drift import (
    FieldNews,
    Sightings,
    filled_among,
    forget_usual,
    note_fields,
    remembered,
)
from sync_pipeline.warehouse.runs import RunKey

# Fewer tell nothing of all.
FEWEST = 20
USUAL_SHARE = 0.95
# A source whose members are named by its data must not fill the table with their names.
MOST_NEW = 200
FURTHER = "(further names)"
ABOUT_THE_CONTRACT = (FieldKind.MISSING, FieldKind.RETYPED)


def policy_of(settings: Settings, stream: Stream) -> DriftPolicy:
    """Return the stream's policy; raise SettingsError where one is set for no stream."""
    policies = settings.drift_policy
    strange = sorted(policies.keys() - STREAMS.keys() - {""})
    if strange:
        raise SettingsError(f"DRIFT_POLICY: there is no stream {strange[0]!r}")
    return policies.get(str(stream), policies[""])


def breaches(news: Iterable[FieldNews]) -> list[FieldNews]:
    """Return what of the news is about fields of the contract."""
    return [one for one in news if one.kind in ABOUT_THE_CONTRACT]


def said_of(news: FieldNews) -> str:
    """Return a line for a person; no value is in it."""
    if news.kind is FieldKind.MISSING:
        return f"{news.stream}: the field {news.field} is missing, which nearly all records had"
    return f"{news.stream}: the field {news.field} is of another type ({news.example_type})"


@dataclass(slots=True)
class FieldWatch:
    """What the records of a run told of their fields so far.

    A field is missing when it is in none of the run's records (20 at least), though it was in
    nearly all of an earlier run. What a record holds that is as it was stored, its row tells.
    """

    policy: DriftPolicy = "warn"
    _so_far: Drift = field(default_factory=Drift)
    _unchanged: int = 0
    _stored: set[str] = field(default_factory=set)
    _known: dict[FieldKind, set[str]] | None = None
    _missed: set[str] = field(default_factory=set)
    _untold: Sightings = field(default_factory=dict)

    @property
    def fewest(self) -> int:
        """How many records are to be looked at together, where there are as many."""
        return FEWEST if self.policy == "fail" else 0

    def look(
        self, connection: Connection, run: RunKey, drift: Drift, *, unchanged: Sequence[str]
    ) -> None:
        """Note in the batch's transaction what it tells; raise DriftError if that is to fail it.

        ``unchanged`` are the keys of its records that are as they were stored.
        """
        if self._known is None:
            self._known = remembered(connection, run.stream)
        self._so_far += Drift(drift.rows, drift.present)
        self._unchanged += len(unchanged)
        usual = self._known[FieldKind.USUAL]
        lacking = self._lacking(connection, run.stream, usual, unchanged)
        if not drift.rows:
            # It loses nothing, so there is nothing to keep from being loaded.
            return
        news = self._named(drift.sightings, self._known[FieldKind.NEW])
        news |= self._missing(lacking, drift.rows + len(unchanged))
        if self.policy == "fail" and any(kind in ABOUT_THE_CONTRACT for kind, _ in news):
            self._untold = news
            raise DriftError(_failure(run.stream, news))
        note_fields(connection, run, news)
        self._learn(connection, run, usual)

    def tell(self, connection: Connection, run: RunKey) -> None:
        """Note what a batch that was undone had told."""
        note_fields(connection, run, self._untold)
        self._untold = {}

    def _named(
        self, sightings: Sightings, known: set[str]
    ) -> dict[tuple[FieldKind, str], Sighting]:
        news: dict[tuple[FieldKind, str], Sighting] = {}
        for (kind, name), sighting in sorted(sightings.items()):
            shown = name
            if kind is FieldKind.NEW and name not in known:
                shown = name if len(known) < MOST_NEW else FURTHER
                known.add(shown)
            seen = news.get((kind, shown))
            news[kind, shown] = seen + sighting if seen else sighting
        return news

    def _lacking(
        self, connection: Connection, stream: Stream, usual: set[str], unchanged: Sequence[str]
    ) -> list[str]:
        """Return the usual fields that no record of the run has had, as it came or as stored."""
        unseen = {n for n in usual - self._stored if not self._so_far.present.get(n)}
        fields = NORMALISERS[stream].contract.fields
        columns = {f.paths[0]: f.column for f in fields if f.paths[0] in unseen}
        filled = filled_among(connection, stream, unchanged, sorted({*columns.values()}))
        self._stored |= {name for name, column in columns.items() if column in filled}
        return sorted(columns.keys() - self._stored)

    def _missing(self, lacking: Sequence[str], rows: int) -> Sightings:
        total = self._so_far.rows + self._unchanged
        if total < FEWEST:
            return {}
        first = set(lacking) - self._missed
        self._missed |= first
        return {
            (FieldKind.MISSING, name): Sighting(total if name in first else rows)
            for name in lacking
        }

    def _learn(self, connection: Connection, run: RunKey, usual: set[str]) -> None:
        """Keep up to date which fields nearly all records have."""
        total = self._so_far
        if total.rows < FEWEST:
            return
        enough = USUAL_SHARE * total.rows
        new = {name for name, rows in total.present.items() if rows >= enough} - usual
        unusual = {name for name in usual if 0 < total.present.get(name, 0) < enough}
        seen = {(FieldKind.USUAL, name): Sighting(total.present[name]) for name in new}
        note_fields(connection, run, seen)
        forget_usual(connection, run.stream, unusual)
        usual |= new
        usual -= unusual


def _failure(stream: Stream, news: Sightings) -> str:
    said = [_said(kind, name, s) for (kind, name), s in news.items() if kind in ABOUT_THE_CONTRACT]
    return (
        f"{stream}: {'; '.join(said)}. These records are not loaded: see what has changed at the "
        f"source, or set DRIFT_POLICY to {stream}=warn and they are, with what has no column in "
        "attributes"
    )


def _said(kind: FieldKind, name: str, sighting: Sighting) -> str:
    if kind is FieldKind.MISSING:
        return f"the field {name} is missing in all {sighting.rows:,} records"
    return f"the field {name} is of another type ({sighting.example_type}): {sighting.rows:,} rows"
