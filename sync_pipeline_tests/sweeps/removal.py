"""What follows from each sweep for the rows that are stored: the judge of deletions.

Rows and candidates are kept as `warehouse.absences` and `warehouse.deletion` keep them; what
confirms a candidate is decided as by the product (`pull.close`), or by its rival here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from sync_pipeline.pull.close import confirmation_of
from sync_pipeline.pull.seen import Seen
from sync_pipeline.warehouse.absences import Absence, Confirmation, RecordAnswer
from sync_pipeline_tests.sweeps.play import Ended
from sync_pipeline_tests.sweeps.server import BEGINNING


class Confirm(Protocol):
    """How far a candidate is confirmed, by what was answered."""

    def __call__(
        self,
        absence: Absence,
        *,
        answer: RecordAnswer | None = None,
        asked_at: datetime | None = None,
    ) -> Confirmation: ...


def on_absence_alone(
    absence: Absence, *, answer: RecordAnswer | None = None, asked_at: datetime | None = None
) -> Confirmation:
    """Confirm whatever a proven sweep did not name: what the judge is there to catch."""
    return Confirmation(absence.record_id, answer, asked_at, asked_at or absence.missed_at)


@dataclass(slots=True)
class Removal:
    """What is stored of one list; after each sweep it deletes what is confirmed as gone.

    ``can_ask``: the API gives a row by its id; then no deletion may be wrong. Else a second proven
    sweep confirms; then one may be wrong only where both were outside their assumption.
    """

    confirm: Confirm = confirmation_of
    can_ask: bool = True
    stored: dict[str, datetime] = field(default_factory=dict)
    """When the request was sent that brought a row, by its id."""
    candidates: dict[str, Absence] = field(default_factory=dict)
    deleted: int = 0
    wrongly: int = 0
    _unsure: dict[datetime, bool] = field(default_factory=dict)
    """Of the sweep that began then, whether it was outside its assumption."""

    def __call__(self, ended: Ended) -> None:
        """Take what a sweep brought, and delete; raise where a row goes that the list has."""
        swept = ended.swept
        self._unsure[swept.started_at] = not ended.is_assumption_met
        for key, (_, sent_at) in swept.rows.items():
            self.stored[key] = sent_at
            self.candidates.pop(key, None)
        if swept.seen is not None:
            self._note_missed(swept.seen, swept.started_at)
        self._delete(ended)

    def _note_missed(self, seen: Seen, began_at: datetime) -> None:
        older = [key for key, observed_at in self.stored.items() if observed_at < began_at]
        for key, is_held in zip(older, seen.holds(older), strict=True):
            if not is_held:
                new = Absence(key, "", began_at)
                known = self.candidates.get(key)
                self.candidates[key] = replace(known, missed_again_at=began_at) if known else new

    def _delete(self, ended: Ended) -> None:
        asked_at = BEGINNING + timedelta(seconds=ended.server.clock)
        for absence in list(self.candidates.values()):
            is_there = ended.server.rows[int(absence.record_id)].died is None
            confirmation = self.confirm(absence)
            if self.can_ask:
                answer = RecordAnswer.FOUND if is_there else RecordAnswer.GONE
                confirmation = self.confirm(absence, answer=answer, asked_at=asked_at)
            if confirmation.confirmed_at is not None:
                assert not is_there or self._is_excused(absence), f"wrong deletion: {absence}"
                del self.stored[absence.record_id], self.candidates[absence.record_id]
                self.deleted += 1
                self.wrongly += is_there
            elif confirmation.answer is RecordAnswer.FOUND:
                del self.candidates[absence.record_id]

    def _is_excused(self, absence: Absence) -> bool:
        again = absence.missed_again_at
        if self.can_ask or again is None:
            return False
        return self._unsure[absence.missed_at] and self._unsure[again]
