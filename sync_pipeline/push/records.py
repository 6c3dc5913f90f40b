"""A record as its API has it: read by the pulls' own ways, its pushable values beside its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from sync_pipeline.entities import Stream
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.pull.reading import Reading
from sync_pipeline.push.bodies import Members
from sync_pipeline.push.values import Values, values_of_rows
from sync_pipeline.records import Record

_MEMBERS = msgspec.json.Decoder(dict[str, object])


@dataclass(frozen=True, slots=True)
class Target:
    """What an update is about; ``owner`` is the contact that it hangs under, or itself."""

    stream: Stream
    record_id: str
    owner: str


@dataclass(frozen=True, slots=True)
class Current:
    """What one reading of a record brought; ``raw`` are the members of its own answer."""

    values: Values
    raw: Members = field(repr=False)
    reading: Reading = field(repr=False)


@dataclass(frozen=True, slots=True)
class Absent:
    """The reading does not hold the record, or what it holds breaks the contract."""

    why: str


Found = Current | Absent
Read = tuple[Target, Reading]


async def found_together(reads: Sequence[Read]) -> list[Found]:
    """Return what `found_in` does, in the event loop: a thread would only take turns with it."""
    return found_in(reads)


def found_in(reads: Sequence[Read]) -> list[Found]:
    """Return what each reading says of its target; those of one stream are normalised at once."""
    found: list[Found] = [Absent("the API does not know the record")] * len(reads)
    by_stream: dict[Stream, list[tuple[int, Record]]] = {}
    for place, (target, reading) in enumerate(reads):
        for record in reading.records:
            if record.record_id == target.record_id:
                by_stream.setdefault(target.stream, []).append((place, record))
        for reject in reading.rejects:
            if reject.record_id == target.record_id:
                found[place] = Absent(f"the record breaks the contract: {reject.reason}")
    for stream, placed in by_stream.items():
        _fill(found, reads, stream, placed)
    return found


def _fill(
    found: list[Found], reads: Sequence[Read], stream: Stream, placed: list[tuple[int, Record]]
) -> None:
    places = {record.record_id: place for place, record in placed}
    if len(places) < len(placed):
        # Of one record two readings: each on its own.
        for one in placed:
            _fill(found, reads, stream, [one])
        return
    normalised = NORMALISERS[stream]([record for _, record in placed])
    values = values_of_rows(stream, normalised.frame)
    for place, record in placed:
        if record.record_id in values:
            raw = _members(record)
            found[place] = Current(values[record.record_id], raw, reads[place][1])
    for reject in normalised.rejects:
        if reject.record_id is not None:
            why = f"the record breaks the contract: {reject.reason}"
            found[places[reject.record_id]] = Absent(why)


def _members(record: Record) -> Members:
    decoded: Members = _MEMBERS.decode(record.listed or record.detail)  # type: ignore[assignment]
    return decoded
