"""Updates that tests ask for, and the records that they are about."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Engine

from sync_pipeline.entities import STREAMS
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.push_requests import request_update
from sync_pipeline_tests.database.view_rows import put


def put_contacts(engine: Engine, *contact_ids: str) -> None:
    """Have contacts of CRM.COM in the warehouse, all called alike."""
    values = {"source": "crmcom", "first_name": "Ann", "email": "ann@example.com"}
    put(engine, "contacts", *({"contact_id": contact_id, **values} for contact_id in contact_ids))


def ask(
    engine: Engine,
    changes: str | Mapping[str, object],
    record_id: str = "c1",
    *,
    stream: str = "crmcom/contacts",
    base: Mapping[str, object] | None = None,
) -> int:
    """Ask for an update and commit; return its number."""
    wanted = json.loads(changes) if isinstance(changes, str) else changes
    with transaction(engine) as connection:
        return request_update(connection, STREAMS[stream], record_id, wanted, base=base)
