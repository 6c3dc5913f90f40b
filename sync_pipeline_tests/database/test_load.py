"""The upsert with history: what is written, what is kept, and what is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, Text, cast, select, text

from sync_pipeline.entities import CRMCOM_CONTACTS, ENTITIES, Stream
from sync_pipeline.warehouse.load import Loaded, load
from sync_pipeline.warehouse.progress import Proof, Reason, ScopeProgress, record_progress
from sync_pipeline.warehouse.stored import Compared, standing_of
from sync_pipeline_tests.canonical import frame_of
from sync_pipeline_tests.database.readings import (
    at,
    commit_contacts,
    contact,
    load_contacts,
    named,
    names,
    rows,
    rows_by_name,
)

VERSIONS = """
    SELECT first_name, valid_from, valid_to, run_id FROM warehouse.contacts_versions
    WHERE contact_id = 'a' ORDER BY valid_from
"""


def test_nothing_to_load_is_loaded_as_nothing(engine: Engine) -> None:
    assert commit_contacts(engine) == Loaded()
    assert names(engine) == {}


def test_new_rows_are_inserted_with_what_is_known_of_their_reading(engine: Engine) -> None:
    loaded = commit_contacts(engine, named("a", "Ann", hours=1), named("b", "Bea", hours=2))
    assert loaded == Loaded(inserted=2)
    (row,) = rows_by_name(engine, "SELECT * FROM warehouse.contacts WHERE contact_id = 'a'")
    known = {name: value for name, value in row.items() if value is not None}
    reading = named("a", "Ann", hours=1)
    assert isinstance(known.pop("loaded_at"), datetime)
    assert len(bytes(known.pop("content_hash"))) == 16  # type: ignore[call-overload] # bytea
    assert known == {
        "source": "crmcom",
        "contact_id": "a",
        "first_name": "Ann",
        "attributes": {},
        "raw_hash": reading.raw_hash,
        "observed_at": at(1),
        "cause": "source",
        "run_id": "run",
    }
    assert rows(engine, "SELECT count(*) FROM warehouse.contacts_history") == [(0,)]


def test_a_change_moves_the_superseded_version_into_history(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Ann", hours=1), run_id="first")
    before = rows_by_name(engine, "SELECT * FROM warehouse.contacts")[0]
    loaded = commit_contacts(engine, named("a", "Bea", hours=5), run_id="second")
    assert loaded == Loaded(updated=1)
    (kept,) = rows_by_name(engine, "SELECT * FROM warehouse.contacts_history")
    reading = {"raw_hash", "observed_at"}
    superseded = {name: value for name, value in before.items() if name not in reading}
    assert kept == superseded | {"valid_from": at(1), "valid_to": at(5)}
    assert rows(engine, VERSIONS) == [
        ("Ann", at(1), at(5), "first"),
        ("Bea", at(5), None, "second"),
    ]


def test_at_any_instant_there_is_one_version(engine: Engine) -> None:
    for hours, name in enumerate(("Ann", "Bea", "Bea", "Cid", "Ann"), start=1):
        commit_contacts(engine, named("a", name, hours=hours))
    found = [(name, start, end) for name, start, end, _ in rows(engine, VERSIONS)]
    assert found == [
        ("Ann", at(1), at(2)),
        ("Bea", at(2), at(4)),
        ("Cid", at(4), at(5)),
        ("Ann", at(5), None),
    ]


def test_a_version_holds_from_the_first_reading_that_brought_it(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Ann", hours=1))
    assert commit_contacts(engine, named("a", "Ann", hours=9)) == Loaded(unchanged=1)
    assert rows(engine, "SELECT observed_at FROM warehouse.contacts") == [(at(1),)]


@pytest.mark.parametrize("hours", [0.5, 1])
def test_an_older_or_equally_old_reading_never_overwrites(engine: Engine, hours: float) -> None:
    commit_contacts(engine, named("a", "Ann", hours=1))
    before = _writes(engine)
    assert commit_contacts(engine, named("a", "Old", hours=hours)) == Loaded(outdated=1)
    assert names(engine) == {"a": "Ann"}
    assert _writes(engine) == before


def test_a_reading_older_than_its_scope_s_proof_changes_nothing(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Ann", hours=1, scope="s"))
    _prove(engine, "s", hours=5)
    older = (
        named("a", "Old", hours=4, scope="s"),
        named("gone", "Old", hours=4, scope="s"),
        named("b", "Bea", hours=4, scope="another"),
        named("c", "Cid", hours=5, scope="s"),
    )
    assert commit_contacts(engine, *older) == Loaded(inserted=2, outdated=2)
    assert names(engine) == {"a": "Ann", "b": "Bea", "c": "Cid"}


def test_proofs_of_other_streams_and_incomplete_readings_prove_nothing(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Ann", hours=1, scope="s"))
    incomplete = ScopeProgress("s", Proof.INCOMPLETE, Reason.ORDER_NOT_PROVEN, at(9), at(10))
    proven = ScopeProgress("s", Proof.SINGLE_RESPONSE, None, at(9), at(10))
    with engine.begin() as connection:
        record_progress(connection, CRMCOM_CONTACTS, [incomplete])
        record_progress(connection, Stream("rocs", ENTITIES["contacts"]), [proven])
        record_progress(connection, Stream("crmcom", ENTITIES["communications"]), [proven])
    assert commit_contacts(engine, named("a", "Bea", hours=4, scope="s")) == Loaded(updated=1)


def test_sources_do_not_share_rows(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Ann", hours=1))
    with engine.begin() as connection:
        frame = frame_of(ENTITIES["contacts"], [_frame_row("a", "Bea")])
        loaded = load(connection, Stream("rocs", ENTITIES["contacts"]), frame, run_id="r")
    assert loaded == Loaded(inserted=1)
    query = "SELECT source, first_name FROM warehouse.contacts ORDER BY source"
    assert rows(engine, query) == [("crmcom", "Ann"), ("rocs", "Bea")]


def test_what_says_the_same_writes_no_row(engine: Engine) -> None:
    readings = [named(str(number), "Ann", hours=1) for number in range(50)]
    commit_contacts(engine, *readings)
    before = _writes(engine)
    again = [named(str(number), "Ann", hours=2) for number in range(50)]
    assert commit_contacts(engine, *again) == Loaded(unchanged=50)
    assert _writes(engine) == before


def test_the_same_under_other_bytes_renews_the_raw_hash_and_nothing_else(engine: Engine) -> None:
    first = contact("a", '{"first_name": "Ann", "n": {"x": 1, "y": [1.0]}}', hours=1)
    other = contact("a", '{"n":{"y":[1.0],"x":1},"first_name":"Ann"}', hours=2)
    commit_contacts(engine, first)
    before = _row_a(engine)
    assert commit_contacts(engine, other, run_id="later") == Loaded(unchanged=1)
    assert _row_a(engine) == {**before, "raw_hash": other.raw_hash}
    with engine.begin() as connection:
        standing = standing_of(
            connection, CRMCOM_CONTACTS, ["a", "b"], [other.raw_hash, other.raw_hash]
        )
    assert standing == Compared(missing=[1], differing=[])
    assert rows(engine, "SELECT count(*) FROM warehouse.contacts_history") == [(0,)]


def test_a_batch_is_all_or_nothing(engine: Engine) -> None:
    commit_contacts(engine, named("a", "Ann", hours=1))
    with engine.connect() as connection, connection.begin() as transaction:
        load_contacts(connection, [named("a", "Bea", hours=2), named("b", "Bea", hours=2)])
        transaction.rollback()
    assert names(engine) == {"a": "Ann"}
    assert rows(engine, "SELECT count(*) FROM warehouse.contacts_history") == [(0,)]


def test_several_batches_fit_into_one_transaction_and_one_session(engine: Engine) -> None:
    with engine.connect() as connection:
        with connection.begin():
            assert load_contacts(connection, [named("a", "Ann", hours=1)]) == Loaded(inserted=1)
            both = [named("a", "Abe", hours=2), named("b", "Bea", hours=2)]
            assert load_contacts(connection, both) == Loaded(inserted=1, updated=1)
        with connection.begin():
            assert _staged(connection) == 0
            changed = [named("a", "Cid", hours=3), named("c", "Cid", hours=3)]
            assert load_contacts(connection, changed) == Loaded(inserted=1, updated=1)
    assert names(engine) == {"a": "Cid", "b": "Bea", "c": "Cid"}


AS_IT_IS: dict[str, tuple[object, ...]] = {
    "TEXT": ("", " Ünï 李 😀\r\n\t\\N\x01\x7f", "x" * 2_000),
    "BOOLEAN": (True, False),
    "INTEGER": (-(2**31), 0, 2**31 - 1),
    "DATE": (date.min, date(1969, 12, 31), date(2000, 2, 29), date.max),
    "DATETIME": (
        at(0).replace(year=1),
        at(0).replace(year=1969, microsecond=999_999),
        at(0).replace(year=2000) - timedelta(microseconds=1),
        at(0).replace(year=9999, month=12, day=31, hour=23, minute=59, microsecond=999_999),
    ),
    # In jsonb's own spelling.
    "JSONB": (
        '{"a": null, "b": [1.10, 100, -0.5, 12345678901234567890123]}',
        "null",
        '""',
        r'"\\u0000 é \" 😀"',
    ),
}


@pytest.mark.parametrize("name", ENTITIES)
def test_every_value_of_every_column_comes_back_as_it_went_in(engine: Engine, name: str) -> None:
    entity = ENTITIES[name]
    kinds = {column: str(kind) for column, kind in entity.columns.items() if column != entity.key}
    went_in = [
        {column: AS_IT_IS[kind][number % len(AS_IT_IS[kind])] for column, kind in kinds.items()}
        for number in range(4)
    ] + [dict.fromkeys(kinds)]
    known = {"scope": "", "attributes": "{}", "raw_hash": b"\x00\xff", "observed_at": at(1)}
    frame = frame_of(
        entity, [known | row | {entity.key: str(key)} for key, row in enumerate(went_in)]
    )
    with engine.begin() as connection:
        load(connection, Stream("rocs", entity), frame, run_id="run")
    columns = [
        cast(entity.table.c[c], Text) if kinds[c] == "JSONB" else entity.table.c[c] for c in kinds
    ]
    with engine.begin() as connection:
        found = connection.execute(select(*columns).order_by(entity.table.c[entity.key])).all()
    assert [tuple(row) for row in found] == [tuple(row.values()) for row in went_in]


def test_json_null_is_not_a_missing_value(engine: Engine) -> None:
    tenants = ENTITIES["tenants"]
    row = {"scope": "t", "attributes": "{}", "raw_hash": b"", "observed_at": at(1)}
    frame = frame_of(
        tenants,
        [row | {"tenant_name": "missing"}, row | {"tenant_name": "null", "metadata": "null"}],
    )
    with engine.begin() as connection:
        load(connection, Stream("rosaas", tenants), frame, run_id="run")
    query = "SELECT metadata IS NULL, metadata = 'null' FROM warehouse.tenants ORDER BY tenant_name"
    assert rows(engine, query) == [(True, None), (False, True)]


def _frame_row(contact_id: str, first_name: str | None = None) -> dict[str, object]:
    return {
        "scope": contact_id,
        "contact_id": contact_id,
        "first_name": first_name,
        "attributes": "{}",
        "raw_hash": b"\x00\xff",
        "observed_at": at(1),
    }


def _prove(engine: Engine, scope: str, *, hours: float) -> None:
    proven = ScopeProgress(scope, Proof.SINGLE_RESPONSE, None, at(hours), at(hours + 1))
    with engine.begin() as connection:
        record_progress(connection, CRMCOM_CONTACTS, [proven])


def _row_a(engine: Engine) -> Mapping[str, object]:
    (row,) = rows_by_name(engine, "SELECT * FROM warehouse.contacts WHERE contact_id = 'a'")
    return row


def _staged(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM staged_contacts")).scalar_one())


def _writes(engine: Engine) -> tuple[object, ...]:
    """Return who wrote each row, and what the server has counted of writes."""
    with engine.connect() as connection:
        # Loads and this look share a pooled session, whose counts are handed in at its next end.
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        connection.commit()
        versions = connection.execute(
            text("SELECT contact_id, xmin::text, ctid::text FROM warehouse.contacts ORDER BY 1")
        ).all()
        counts = connection.execute(
            text(
                "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables"
                " WHERE schemaname = 'warehouse' ORDER BY 1"
            )
        ).all()
    return tuple(versions), tuple(counts)
