"""What was not asked for again is not forgotten: the warehouse recalls it from the stored row.

Two cases. CRM.COM's list of communications in v1 lacks what the answer for each one says; when a
listed row changes, those values are taken over, so that they neither vanish nor cost a request.
And where the dynamic fields of a ROCS contact cannot be had, the row keeps those that it has.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, ROCS_CONTACTS, Stream
from sync_pipeline.mapping.crmcom import COMMUNICATION, CREATED_ON
from sync_pipeline.mapping.rocs import DYNAMIC_FIELDS
from sync_pipeline.records import Record
from sync_pipeline.warehouse.statements import statement

_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
# Raw values that no column could keep stand in the attributes under these names; the list says
# them anew. It is silent on the creation time alone.
_SAID_BY_THE_LIST = {path for field in COMMUNICATION for path in field.paths} - {CREATED_ON}


def with_recalled(
    connection: Connection, stream: Stream, records: Sequence[Record]
) -> Sequence[Record]:
    """Return ``records``, those of a list without their detail with what is stored of it."""
    if stream == CRMCOM_COMMUNICATIONS:
        return _with_details(connection, stream, records)
    if stream == ROCS_CONTACTS:
        return _with_dynamic_fields(connection, stream, records)
    return records


def lacks_detail(record: Record) -> bool:
    """Tell whether a listed communication leaves out what its own answer says."""
    # Most often the name alone tells, without a look at the members.
    if f'"{CREATED_ON}"'.encode() not in record.listed:
        return True
    return CREATED_ON not in _members(record.listed)


def _with_details(
    connection: Connection, stream: Stream, records: Sequence[Record]
) -> Sequence[Record]:
    bare = {r.record_id for r in records if r.listed and not r.detail and lacks_detail(r)}
    if not bare:
        return records
    parameters = {"record_ids": sorted(bare), "source": stream.source}
    rows = connection.execute(statement("recall_details"), parameters)
    stored = {row.communication_id: _detail(row.created_on, row.attributes) for row in rows}
    return [
        msgspec.structs.replace(r, recalled=_beyond(r.listed, stored[r.record_id]))
        if r.record_id in stored
        else r
        for r in records
    ]


def _with_dynamic_fields(
    connection: Connection, stream: Stream, records: Sequence[Record]
) -> Sequence[Record]:
    # Without a hash: the list form of a contact whose dynamic fields were asked for in vain.
    bare = [r.record_id for r in records if r.listed and not r.detail and r.raw_hash is None]
    if not bare:
        return records
    parameters = {"record_ids": bare, "source": stream.source, "member": DYNAMIC_FIELDS}
    rows = connection.execute(statement("recall_member"), parameters)
    stored = {row.contact_id: msgspec.Raw(row.member.encode()) for row in rows}
    return [
        msgspec.structs.replace(
            r, recalled=msgspec.json.encode({DYNAMIC_FIELDS: stored[r.record_id]})
        )
        if r.record_id in stored
        else r
        for r in records
    ]


def _detail(created_on: str | None, attributes: str) -> dict[str, msgspec.Raw]:
    detail = _MEMBERS.decode(attributes)
    if created_on is not None:
        detail[CREATED_ON] = msgspec.Raw(created_on.encode())
    return {name: raw for name, raw in detail.items() if name not in _SAID_BY_THE_LIST}


def _beyond(listed: bytes, stored: dict[str, msgspec.Raw]) -> bytes:
    """Return what is stored and the list form does not name.

    That may be something that an earlier list form said: nothing tells it from what the detail
    said, and it is better kept than lost.
    """
    said = _members(listed)
    return msgspec.json.encode({name: raw for name, raw in stored.items() if name not in said})


def _members(raw: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _MEMBERS.decode(raw)
    except (msgspec.DecodeError, UnicodeError):
        # It will be rejected when it is opened.
        return {}
