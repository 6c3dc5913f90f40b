"""What a list leaves out is not asked for again: the warehouse recalls it from the stored row.

The case: CRM.COM's list of communications in v1 lacks what the answer for each one says. When a
listed row changes, those values are taken over, so that they neither vanish nor cost a request.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
from sqlalchemy import Connection

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, Stream
from sync_pipeline.mapping.crmcom import COMMUNICATION_DETAIL, CREATED_ON
from sync_pipeline.records import Record
from sync_pipeline.warehouse.statements import statement


def with_recalled(
    connection: Connection, stream: Stream, records: Sequence[Record]
) -> Sequence[Record]:
    """Return ``records``, those of a list without their detail with what is stored of it."""
    if stream != CRMCOM_COMMUNICATIONS:
        return records
    bare = [r.record_id for r in records if r.listed and not r.detail and _lacks_detail(r)]
    if not bare:
        return records
    parameters = {"record_ids": bare, "source": stream.source, "names": [*COMMUNICATION_DETAIL]}
    rows = connection.execute(statement("recall_details"), parameters)
    recalled = {row.communication_id: _detail(row.created_on, row.members) for row in rows}
    return [replace(r, recalled=recalled.get(r.record_id, b"")) for r in records]


def _lacks_detail(record: Record) -> bool:
    return f'"{CREATED_ON}"'.encode() not in record.listed


def _detail(created_on: str | None, members: str | None) -> bytes:
    detail = msgspec.json.decode(members or "{}", type=dict[str, msgspec.Raw])
    if created_on is not None:
        detail[CREATED_ON] = msgspec.Raw(created_on.encode())
    return msgspec.json.encode(detail)
