"""What the list of communications leaves out in v1, asked for one by one; when one was created."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from sync_pipeline.errors import SourceError, TransientSourceError
from sync_pipeline.mapping.crmcom import CREATED_ON
from sync_pipeline.normalise.scalars import instant_of_epoch
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.work import is_about_a_record
from sync_pipeline.records import Record
from sync_pipeline.sources.crmcom import CrmcomApi
from sync_pipeline.warehouse.progress import Coverage, Proof, Reason

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class Details:
    """Asks for the answers of one contact's communications, until the API is away."""

    api: CrmcomApi
    side_by_side: int
    unavailable: SourceError | None = None

    async def of(self, bare: Sequence[Record]) -> dict[str, Record]:
        """Return the records with their details by id, so many asked for at once."""
        completed: dict[str, Record] = {}
        for start in range(0, len(bare), self.side_by_side):
            some = bare[start : start + self.side_by_side]
            found = await asyncio.gather(*map(self._add_to, some))
            completed |= {record.record_id: record for record in found}
        return completed

    def judged(self, reading: Reading) -> Reading:
        """Return the reading of the list; given up where a detail could not be had.

        What the list says is loaded; without their details its rows are not read to the end.
        """
        if self.unavailable is None:
            return reading
        return replace(
            reading,
            proof=Proof.INCOMPLETE,
            reason=Reason.UNAVAILABLE,
            setback=self.unavailable,
            coverage=Coverage.GIVEN_UP,
        )

    async def _add_to(self, record: Record) -> Record:
        """Return the record with its detail; without a hash where the next reading is to ask."""
        # While the API is away, each of the others would wait as long as the first did.
        if self.unavailable is not None:
            return msgspec.structs.replace(record, raw_hash=None)
        try:
            answer = await self.api.communication(record.scope, record.record_id)
        except SourceError as exc:
            if not is_about_a_record(exc):
                raise
            if isinstance(exc, TransientSourceError):
                self.unavailable = exc
            return msgspec.structs.replace(record, raw_hash=None)
        return msgspec.structs.replace(record, detail=answer.record)


def created_at_of(raw: bytes) -> datetime | None:
    """Return when a communication was created, where its own bytes say so."""
    try:
        created_on = msgspec.json.decode(_MEMBERS.decode(raw)[CREATED_ON])
    except (msgspec.DecodeError, UnicodeError, KeyError):
        return None
    return instant_of_epoch(created_on)
