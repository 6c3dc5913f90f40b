"""The end of a run: confirm what its source no longer names, and mark it as deleted.

Absence is a hint, confirmation is the truth. A candidate is asked for by its id; where the API has
no such call, a second proven reading that began later must miss it, too. So much for each record;
for the table as a whole there is a cap.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sync_pipeline.errors import TooManyDeletionsError
from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.carry_out import traffic_of
from sync_pipeline.pull.deletion_cap import ALWAYS_ALLOWED, Loss
from sync_pipeline.pull.normalising import batch_of
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.setbacks import IN_A_ROW
from sync_pipeline.pull.work import AskForOne, Context, Work
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse.absences import (
    Absence,
    Candidates,
    Confirmation,
    RecordAnswer,
    absences_to_confirm,
    note_confirmations,
)
from sync_pipeline.warehouse.deletion import (
    count_deleted,
    count_unconfirmed,
    delete_confirmed,
    deleted_lately,
    hold_confirmed,
)
from sync_pipeline.warehouse.engine import in_words
from sync_pipeline.warehouse.progress import BEFORE_ALL, Reason, wake_under
from sync_pipeline.warehouse.stored import count_rows

# A run that waits for this one does so for little longer than a slice.
ASKING_SECONDS = 60.0
# Until then a confirmation need not be had again, where the cap or a crash kept it from its use.
CONFIRMED_FOR = timedelta(days=1)
_AT_ONCE = 1_000


def answer_of(reading: Reading) -> RecordAnswer:
    """Return what the reading of a missing record says about it."""
    if reading.records or reading.rejects:
        # One that breaks the contract is there, too.
        return RecordAnswer.FOUND
    match reading.reason:
        case None:
            return RecordAnswer.FOUND
        case Reason.NOT_FOUND:
            return RecordAnswer.GONE
        case Reason.DENIED:
            return RecordAnswer.DENIED
        case _:
            return RecordAnswer.UNANSWERED


def confirmation_of(
    absence: Absence, *, answer: RecordAnswer | None = None, asked_at: datetime | None = None
) -> Confirmation:
    """Return how far a candidate is confirmed; without an ``answer`` it cannot be asked for."""
    if answer is None:
        return Confirmation(absence.record_id, None, None, absence.missed_again_at)
    confirmed_at = asked_at if answer is RecordAnswer.GONE else None
    return Confirmation(absence.record_id, answer, asked_at, confirmed_at)


async def close_run(context: Context, work: Work, loader: Loader, *, meter: Meter) -> None:
    """Confirm the candidates that the stream has, and delete those that are.

    What is not reached or not answered stays a candidate. Raises TooManyDeletionsError, having
    deleted nothing, where the cap forbids it; SourceError, when nothing can be asked any more.
    """
    closing = _Closing(context, work, loader, datetime.now(UTC))
    if work.ask is None:
        await asyncio.to_thread(closing.confirm_missed_again)
    else:
        await closing.ask_for_each(work.ask, meter)
    await asyncio.to_thread(closing.delete)


@dataclass(frozen=True, slots=True)
class _Closing:
    context: Context
    work: Work
    loader: Loader
    began_at: datetime

    @property
    def candidates(self) -> Candidates:
        """Those that this run has to do with, and since when a confirmation holds."""
        request, can_ask = self.context.request, self.work.ask is not None
        # Two readings that missed a record hold until another one sees it.
        since = BEFORE_ALL
        if can_ask:
            since = self.began_at - (timedelta(0) if request.allow_deletes else CONFIRMED_FOR)
        return Candidates(self.context.stream, since, can_ask, request.only)

    async def ask_for_each(self, ask: AskForOne, meter: Meter) -> None:
        """Ask for the candidates side by side, the longest unasked first, as long as there is time.

        What the API still knows is loaded as any reading of it.
        """
        request = self.context.request
        is_exempt = request.allow_deletes or request.slice_s == float("inf")
        ends_at = time.monotonic() + (float("inf") if is_exempt else ASKING_SECONDS)
        side_by_side = 2 * self.context.source.max_in_flight
        unanswered = 0
        while absences := await asyncio.to_thread(self._next, side_by_side):
            asked_at = datetime.now(UTC)
            readings = await asyncio.gather(*map(ask, absences))
            answers = [answer_of(reading) for reading in readings]
            brought = [
                replace(reading, is_scope=False)
                for reading, answer in zip(readings, answers, strict=True)
                if answer is RecordAnswer.FOUND
            ]
            if brought:
                batch = batch_of(self.context.stream, brought)
                await asyncio.to_thread(self.loader.load_batch, batch, traffic_of(meter))
            confirmations = [
                confirmation_of(absence, answer=answer, asked_at=asked_at)
                for absence, answer in zip(absences, answers, strict=True)
            ]
            await asyncio.to_thread(self._note, confirmations)
            is_away = all(answer is RecordAnswer.UNANSWERED for answer in answers)
            unanswered = unanswered + len(answers) if is_away else 0
            # Each of the others would wait as long as these did.
            if unanswered >= IN_A_ROW or time.monotonic() >= ends_at:
                return

    def confirm_missed_again(self) -> None:
        """Confirm the candidates that two readings missed."""
        while absences := self._next(_AT_ONCE):
            self._note([confirmation_of(absence) for absence in absences])

    def delete(self) -> None:
        """Delete what is confirmed, in one transaction with its count; or say why not."""
        connection, run = self.loader.connection, self.loader.run
        is_allowed = self.context.request.allow_deletes
        with in_words():
            with connection.begin():
                going = hold_confirmed(connection, self.candidates)
                refusal = None if is_allowed else self._refusal(going)
                deleted = 0
                if going and refusal is None:
                    deleted = delete_confirmed(connection, self.candidates, run_id=run.run_id)
                    wake_under(connection, self.context.stream, going)
                count_deleted(connection, run, deleted=deleted, is_allowed=is_allowed)
            if refusal is not None:
                raise TooManyDeletionsError(refusal)

    def _next(self, most: int) -> list[Absence]:
        connection = self.loader.connection
        with in_words(), connection.begin():
            return absences_to_confirm(
                connection, self.candidates, asked_before=self.began_at, most=most
            )

    def _note(self, confirmations: list[Confirmation]) -> None:
        connection = self.loader.connection
        with in_words(), connection.begin():
            note_confirmations(connection, self.context.stream, confirmations)

    def _refusal(self, going: list[str]) -> str | None:
        """Return why nothing is to be deleted; null where it may be.

        What a slice of time left unasked counts as well, and what the slices before this one
        deleted: else a source that lost everything would be followed bit by bit.
        """
        connection, stream = self.loader.connection, self.context.stream
        unasked = count_unconfirmed(connection, self.candidates) if self.work.ask else 0
        lately = 0 if self.work.is_one_list else self._deleted_lately()
        loss = Loss(going, unasked=unasked, lately=lately)
        if not going or loss.total <= ALWAYS_ALLOWED:
            return None
        rows = count_rows(connection, stream) + lately
        share = self.context.settings.max_delete_share
        return loss.refusal(stream, rows=rows, share=share)

    def _deleted_lately(self) -> int:
        bound = timedelta(hours=self.context.settings.staleness_bound_hours)
        since = self.began_at - bound
        return deleted_lately(self.loader.connection, self.context.stream, since=since)
