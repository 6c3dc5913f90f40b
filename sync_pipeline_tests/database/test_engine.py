"""The driver's errors in words: what they say, and that no value of a row is among it."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, Engine, make_url, text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.errors import WarehouseError
from sync_pipeline.warehouse.engine import UnstorableError, in_words, open_engine, transaction
from sync_pipeline.warehouse.load import load
from sync_pipeline_tests.canonical import frame_of
from sync_pipeline_tests.database.readings import at, commit_contacts, named, names

SECRET = "Secret-7"  # noqa: S105 -- a value that must not be shown
ROW = {"contact_id": "a", "attributes": "{}", "raw_hash": b"", "observed_at": at(1)}


def run(statement: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(statement), {"secret": SECRET})


def load_row(**values: object) -> Callable[[Connection], object]:
    frame = frame_of(CRMCOM_CONTACTS.entity, [ROW | values])
    return lambda connection: load(connection, CRMCOM_CONTACTS, frame, run_id="run")


# Long, and of so many characters that it does not pack.
LONG = "".join(chr(0x4E00 + number * 7919 % 20_000) for number in range(20_000))

UNSTORABLE = [
    load_row(first_name=f"{SECRET}\x00"),
    load_row(attributes=f'{{"a": "{SECRET}\\u0000"}}'),
    load_row(attributes=f'{{"{SECRET}": 1e999999}}'),
    load_row(email=SECRET + LONG),
    load_row(contact_id=SECRET + LONG),
    run("SELECT CAST(:secret AS integer)"),
    run("SELECT CAST(:secret AS timestamptz)"),
    run("SELECT CAST(:secret AS jsonb)"),
]
REFUSED = [
    run("SELECT nonsense, :secret"),
    run("DO $$ BEGIN RAISE EXCEPTION 'about Secret-7'; END $$"),
    run("INSERT INTO ops.schema_migrations VALUES (1, :secret)"),
    run("INSERT INTO ops.contact_registry (contact_id) VALUES (:secret)"),
]


def said_of(engine: Engine, act: Callable[[Connection], object]) -> WarehouseError:
    with pytest.raises(WarehouseError) as error, transaction(engine) as connection:
        act(connection)
    return error.value


@pytest.mark.parametrize("act", UNSTORABLE)
def test_a_value_that_the_warehouse_cannot_hold_is_an_error_of_its_own(
    engine: Engine, act: Callable[[Connection], object]
) -> None:
    error = said_of(engine, act)
    assert isinstance(error, UnstorableError)
    assert SECRET not in "".join(traceback.format_exception(error))
    assert re.match(r"the warehouse cannot hold a value: \w", str(error))


@pytest.mark.parametrize("act", REFUSED)
def test_a_refused_statement_is_reported_without_any_value(
    engine: Engine, act: Callable[[Connection], object]
) -> None:
    error = said_of(engine, act)
    assert SECRET not in "".join(traceback.format_exception(error))
    assert re.match(r"the warehouse refused a statement: \w", str(error))


def test_a_broken_constraint_is_named(engine: Engine) -> None:
    error = said_of(engine, run("INSERT INTO ops.schema_migrations VALUES (1, :secret)"))
    assert str(error) == (
        "the warehouse refused a statement: UniqueViolation (SQLSTATE 23505, table "
        "schema_migrations, constraint schema_migrations_pkey)"
    )


def test_a_missing_right_or_table_is_named(engine: Engine) -> None:
    error = said_of(engine, run("SELECT :secret FROM warehouse.nowhere"))
    assert 'relation "warehouse.nowhere" does not exist' in str(error)


def test_after_a_value_it_cannot_hold_the_session_goes_on(engine: Engine) -> None:
    said_of(engine, load_row(attributes=r'{"a": "\u0000"}'))
    commit_contacts(engine, named("a", "Ann", hours=1))
    assert names(engine) == {"a": "Ann"}


def test_a_server_that_is_away_is_reported_without_the_password(postgres_url: str) -> None:
    away = open_engine(
        make_url(postgres_url).set(port=1, password=SECRET).render_as_string(hide_password=False)
    )
    error = said_of(away, run("SELECT :secret"))
    assert str(error).startswith("the warehouse cannot be reached, or the connection broke")
    assert "refused" in str(error)
    assert SECRET not in "".join(traceback.format_exception(error))


def test_a_wrong_password_is_reported_without_it(postgres_url: str) -> None:
    url = make_url(postgres_url).set(password=SECRET)
    error = said_of(open_engine(url.render_as_string(hide_password=False)), run("SELECT 1"))
    assert "password authentication failed" in str(error)
    assert SECRET not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("act", [run("SELECT :secret"), load_row(first_name=SECRET)])
def test_a_session_that_breaks_is_reported_as_that(
    engine: Engine, act: Callable[[Connection], object]
) -> None:
    with in_words(), engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 60000)"), {"pid": pid})
        broken = "cannot be reached, or the connection broke"
        with pytest.raises(WarehouseError, match=broken), in_words():
            act(connection)
        connection.invalidate()


def test_what_is_no_error_of_the_driver_passes_unchanged() -> None:
    with pytest.raises(KeyError), in_words():
        raise KeyError(SECRET)


def test_sessions_speak_utc_and_read_what_is_committed(engine: Engine) -> None:
    with engine.begin() as connection:
        shown = [
            connection.execute(text(f"SHOW {name}")).scalar_one()
            for name in ("timezone", "transaction_isolation", "plan_cache_mode")
        ]
    assert shown == ["UTC", "read committed", "force_custom_plan"]


def test_a_full_disk_of_the_server_is_named_with_what_to_do(engine: Engine) -> None:
    said = 'could not extend file "base/1/2": No space left on device'
    full = f"DO $$ BEGIN RAISE EXCEPTION '{said}' USING ERRCODE = '53100'; END $$"
    assert str(said_of(engine, run(full))) == (
        f"the warehouse's disk is full ({said}): free some space on the server and run again; "
        "what was committed is kept"
    )


def test_a_server_that_takes_no_changes_is_named(engine: Engine) -> None:
    def write(connection: Connection) -> None:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text("DELETE FROM ops.watermarks"))

    assert "WAREHOUSE_URL should name a primary server" in str(said_of(engine, write))
