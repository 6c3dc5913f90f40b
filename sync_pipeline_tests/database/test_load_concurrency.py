"""Loads of the same keys at the same time: none waits in a circle, and the later reading wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
from sqlalchemy import Connection, Engine, text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.warehouse.load import Loaded, load_pieces, rows_of
from sync_pipeline.warehouse.progress import Proof, ScopeProgress, hold_scopes, record_progress
from sync_pipeline.warehouse.registry import note_access, register_contacts
from sync_pipeline.warehouse.stored import standing_of
from sync_pipeline_tests.database.readings import (
    at,
    commit_contacts,
    in_another_session,
    load_contacts,
    named,
    names,
    rows,
)

HISTORY = "SELECT first_name, valid_from, valid_to FROM warehouse.contacts_history"


@pytest.mark.parametrize("is_stored", [False, True], ids=["new", "stored"])
def test_a_later_reading_wins_also_when_it_commits_second(
    engine: Engine, *, is_stored: bool
) -> None:
    _store(engine, is_stored=is_stored)

    def load_later(connection: Connection) -> Loaded:
        return load_contacts(connection, [named("a", "Later", hours=9)])

    with engine.connect() as connection:
        load_contacts(connection, [named("a", "Earlier", hours=5)])
        with in_another_session(engine, load_later) as result:
            connection.commit()
            assert result() == Loaded(updated=1)
    assert names(engine) == {"a": "Later"}
    assert rows(engine, HISTORY)[-1] == ("Earlier", at(5), at(9))


@pytest.mark.parametrize("is_stored", [False, True], ids=["new", "stored"])
def test_a_later_reading_wins_also_when_it_commits_first(
    engine: Engine, *, is_stored: bool
) -> None:
    _store(engine, is_stored=is_stored)

    def load_earlier(connection: Connection) -> Loaded:
        return load_contacts(connection, [named("a", "Earlier", hours=5)])

    with engine.connect() as connection:
        load_contacts(connection, [named("a", "Later", hours=9)])
        with in_another_session(engine, load_earlier) as result:
            connection.commit()
            assert result() == Loaded(outdated=1)
    assert names(engine) == {"a": "Later"}


def test_a_load_goes_in_when_the_one_it_waited_for_is_undone(engine: Engine) -> None:
    def load_earlier(connection: Connection) -> Loaded:
        return load_contacts(connection, [named("a", "Earlier", hours=5)])

    with engine.connect() as connection:
        load_contacts(connection, [named("a", "Later", hours=9)])
        with in_another_session(engine, load_earlier) as result:
            connection.rollback()
            assert result() == Loaded(inserted=1)
    assert names(engine) == {"a": "Earlier"}


@pytest.mark.parametrize("is_stored", [False, True], ids=["new", "stored"])
def test_loads_in_opposite_order_do_not_wait_in_a_circle(
    engine: Engine, *, is_stored: bool
) -> None:
    keys = ["a", "b", "c"]
    if is_stored:
        commit_contacts(engine, *[named(key, "First", hours=0) for key in keys])

    def load_forwards(connection: Connection) -> Loaded:
        return load_contacts(connection, [named(key, "Earlier", hours=5) for key in keys])

    def load_backwards(connection: Connection) -> Loaded:
        return load_contacts(connection, [named(key, "Later", hours=9) for key in keys[::-1]])

    # Somebody holds the key in the middle, so that both have begun before either can end.
    with engine.connect() as holder:
        load_contacts(holder, [named("b", "Nobody", hours=1)])
        with (
            in_another_session(engine, load_forwards) as forwards,
            in_another_session(engine, load_backwards) as backwards,
        ):
            holder.rollback()
            assert {type(forwards()), type(backwards())} == {Loaded}
    assert names(engine) == dict.fromkeys(keys, "Later")


def test_new_rows_in_pieces_are_loaded_all_the_same_when_another_session_was_faster_with_one(
    engine: Engine,
) -> None:
    keys = ["a", "b", "c", "d"]

    def pieces() -> Iterator[pa.Table]:
        for key in keys:
            if key == "b":
                # The first is on its way already.
                commit_contacts(engine, named("c", "Faster", hours=5))
            frame = normalise_contacts([named(key, "Later", hours=9)]).frame
            yield rows_of(CRMCOM_CONTACTS.entity, frame)

    with engine.begin() as connection:
        loaded = load_pieces(connection, CRMCOM_CONTACTS, pieces(), [], run_id="run")
    assert loaded == Loaded(inserted=3, updated=1)
    assert names(engine) == dict.fromkeys(keys, "Later")
    assert rows(engine, HISTORY) == [("Faster", at(5), at(9))]


def test_a_batch_with_new_and_stored_keys_does_not_wait_in_a_circle(engine: Engine) -> None:
    commit_contacts(engine, named("a", "First", hours=0), named("z", "First", hours=0))
    both = ["a", "m", "z"]

    def load_both(connection: Connection) -> Loaded:
        return load_contacts(connection, [named(key, "Later", hours=9) for key in both])

    with engine.connect() as connection:
        load_contacts(connection, [named("m", "Earlier", hours=5)])
        with in_another_session(engine, load_both) as result:
            load_contacts(connection, [named(key, "Earlier", hours=5) for key in ("a", "z")])
            connection.commit()
            assert result() == Loaded(updated=3)
    assert names(engine) == dict.fromkeys(both, "Later")


def test_a_scope_is_not_proven_while_an_older_reading_of_it_is_on_its_way(engine: Engine) -> None:
    """Both read the scope; the fresher one must not find the row unchanged and then lose it."""
    first = named("a", "Ann", hours=1, scope="s")
    _prove(engine, hours=1)
    commit_contacts(engine, first)

    def read_fresher(connection: Connection) -> Loaded:
        hold_scopes(connection, CRMCOM_CONTACTS, ["s"])
        assert standing_of(connection, CRMCOM_CONTACTS, ["a"], [first.raw_hash]).differing == [0]
        loaded = load_contacts(connection, [named("a", "Ann", hours=9, scope="s")])
        progress = ScopeProgress("s", Proof.SINGLE_RESPONSE, None, at(9), at(10))
        record_progress(connection, CRMCOM_CONTACTS, [progress])
        return loaded

    with engine.connect() as older:
        hold_scopes(older, CRMCOM_CONTACTS, ["s", "unknown"])
        load_contacts(older, [named("a", "Bea", hours=5, scope="s")])
        with in_another_session(engine, read_fresher) as result:
            older.commit()
            assert result() == Loaded(updated=1)
    assert names(engine) == {"a": "Ann"}


def test_scopes_held_in_opposite_order_do_not_wait_in_a_circle(engine: Engine) -> None:
    scopes = ["r", "s", "t"]
    for scope in scopes:
        _prove(engine, hours=1, scope=scope)

    def hold_forwards(connection: Connection) -> None:
        hold_scopes(connection, CRMCOM_CONTACTS, scopes)

    def hold_backwards(connection: Connection) -> None:
        hold_scopes(connection, CRMCOM_CONTACTS, scopes[::-1])

    with engine.connect() as holder:
        holder.execute(text("SELECT 1 FROM ops.watermarks WHERE scope = 's' FOR UPDATE"))
        with (
            in_another_session(engine, hold_forwards) as forwards,
            in_another_session(engine, hold_backwards) as backwards,
        ):
            holder.rollback()
            assert forwards() is backwards() is None


FREE = {
    "warehouse.contacts": "SELECT contact_id FROM warehouse.contacts FOR UPDATE SKIP LOCKED",
    "ops.watermarks": "SELECT scope FROM ops.watermarks FOR UPDATE SKIP LOCKED",
    "ops.contact_registry": "SELECT contact_id FROM ops.contact_registry FOR UPDATE SKIP LOCKED",
}
LOCKING: dict[str, Callable[[Connection], object]] = {
    "warehouse.contacts": lambda connection: load_contacts(
        connection, [named(key, "Later", hours=9) for key in "cab"]
    ),
    "ops.watermarks": lambda connection: hold_scopes(connection, CRMCOM_CONTACTS, list("cab")),
    "ops.contact_registry": lambda connection: note_access(
        connection, dict.fromkeys("cab", "granted")
    ),
}


@pytest.mark.parametrize("table", LOCKING)
def test_rows_are_locked_in_the_order_of_their_keys_and_not_as_they_lie(
    engine: Engine, table: str
) -> None:
    for key in "cba":
        commit_contacts(engine, named(key, "First", hours=0))
        _prove(engine, hours=0, scope=key)
        with engine.begin() as connection:
            register_contacts(connection, [key], origin="file", seen_at=at(0))
    with engine.connect() as holder:
        key = "scope" if table == "ops.watermarks" else "contact_id"
        holder.execute(text(f"SELECT 1 FROM {table} WHERE {key} = 'b' FOR UPDATE"))

        def lock_without_index(connection: Connection) -> None:
            # An index would happen to be in order.
            for plan in ("indexscan", "bitmapscan", "indexonlyscan"):
                connection.execute(text(f"SET LOCAL enable_{plan} = off"))
            LOCKING[table](connection)

        with in_another_session(engine, lock_without_index) as result:
            assert rows(engine, FREE[table]) == [("c",)]
            holder.rollback()
            result()


def _store(engine: Engine, *, is_stored: bool) -> None:
    if is_stored:
        commit_contacts(engine, named("a", "First", hours=0))


def _prove(engine: Engine, *, hours: float, scope: str = "s") -> None:
    progress = ScopeProgress(scope, Proof.SINGLE_RESPONSE, None, at(hours), at(hours + 1))
    with engine.begin() as connection:
        record_progress(connection, CRMCOM_CONTACTS, [progress])
