"""Rows put into the warehouse by hand, and sessions of those who read the views."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Engine

from sync_pipeline.entities import ENTITIES
from sync_pipeline.warehouse.engine import open_engine
from sync_pipeline.warehouse.roles import Login, set_login
from sync_pipeline_tests.database.readings import START, rows

_NUMBERS = itertools.count(1)
Row = Mapping[str, object]


def put(engine: Engine, name: str, *given: Row, **shared: object) -> None:
    """Insert current rows; what is not given of a row's bookkeeping is filled in."""
    kept = {
        "attributes": {},
        "content_hash": b"content",
        "raw_hash": b"raw",
        "observed_at": START,
        "cause": "source",
        "run_id": "run",
        "loaded_at": START,
    }
    with engine.begin() as connection:
        for row in given:
            connection.execute(ENTITIES[name].table.insert().values(kept | shared | dict(row)))


def put_version(
    engine: Engine, name: str, valid_from: datetime, valid_to: datetime, **values: object
) -> None:
    """Insert a superseded version."""
    kept = {"attributes": {}, "content_hash": b"c", "cause": "source", "run_id": "r"}
    bounds = {"valid_from": valid_from, "valid_to": valid_to, "loaded_at": valid_from}
    with engine.begin() as connection:
        connection.execute(ENTITIES[name].history.insert().values(kept | bounds | values))


@contextmanager
def session_of(engine: Engine, role: str) -> Iterator[Engine]:
    """Yield an engine on the same warehouse, for a new login that has only the role."""
    login = Login(f"login_{next(_NUMBERS)}_{role}", "password-of-a-test", role)
    set_login(engine, login)
    other = open_engine(
        engine.url.set(username=login.name, password=login.password).render_as_string(
            hide_password=False
        )
    )
    try:
        yield other
    finally:
        other.dispose()


def secret(engine: Engine) -> bytes:
    """Return the key of the pseudonyms, as the owner may."""
    ((key,),) = rows(engine, "SELECT key FROM masking.secret")
    assert isinstance(key, bytes)
    return key


def pseudonym(engine: Engine, kind: str, value: str) -> str:
    """Return what stands in place of a value, by the rule that the documentation states."""
    inner = sha256(f"{kind}:{value}".encode()).digest()
    return f"m_{sha256(secret(engine) + inner).hexdigest()[:32]}"
