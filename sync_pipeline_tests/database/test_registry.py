"""The contacts to read: ids and access, never a credential."""

from __future__ import annotations

from sqlalchemy import Engine

from sync_pipeline.warehouse.registry import count_contacts, note_access, register_contacts
from sync_pipeline_tests.database.readings import at, in_another_session, rows

KNOWN = """
    SELECT contact_id, origin, access, first_seen_at, last_seen_at FROM ops.contact_registry
    ORDER BY contact_id
"""


def test_an_id_is_new_once_and_after_that_seen_again(engine: Engine) -> None:
    with engine.begin() as connection:
        register_contacts(connection, ["b", "a", "b"], origin="file", seen_at=at(1))
        register_contacts(connection, ["b", "c"], origin="backoffice", seen_at=at(2))
        register_contacts(connection, ["b"], origin="asked", seen_at=at(1.5))
        register_contacts(connection, [], origin="file", seen_at=at(3))
        assert count_contacts(connection) == 3
    assert rows(engine, KNOWN) == [
        ("a", "file", "unknown", at(1), at(1)),
        ("b", "file", "unknown", at(1), at(2)),
        ("c", "backoffice", "unknown", at(2), at(2)),
    ]


def test_what_the_api_said_about_access_is_kept_and_written_only_if_it_changed(
    engine: Engine,
) -> None:
    with engine.begin() as connection:
        register_contacts(connection, ["a", "b"], origin="file", seen_at=at(1))
        note_access(connection, {})
        note_access(connection, {"a": "granted", "b": "denied", "unknown": "granted"})
    written = "SELECT contact_id, access, xmin::text FROM ops.contact_registry ORDER BY 1"
    before = rows(engine, written)
    assert [row[:2] for row in before] == [("a", "granted"), ("b", "denied")]
    with engine.begin() as connection:
        note_access(connection, {"a": "granted", "b": "denied"})
    assert rows(engine, written) == before
    with engine.begin() as connection:
        note_access(connection, {"a": "missing"})
    assert [row[1] for row in rows(engine, written)] == ["missing", "denied"]


def test_notes_about_the_same_contacts_do_not_wait_in_a_circle(engine: Engine) -> None:
    with engine.begin() as connection:
        register_contacts(connection, ["a", "b", "c"], origin="file", seen_at=at(1))
    there, back = dict.fromkeys("abc", "granted"), dict.fromkeys("cba", "denied")
    with engine.connect() as holder:
        note_access(holder, {"b": "missing"})
        with (
            in_another_session(engine, lambda c: note_access(c, there)) as one,
            in_another_session(engine, lambda c: note_access(c, back)) as other,
        ):
            holder.rollback()
            assert one() is other() is None


def test_registrations_of_the_same_contacts_do_not_wait_in_a_circle(engine: Engine) -> None:
    with engine.connect() as holder:
        register_contacts(holder, ["b"], origin="file", seen_at=at(1))
        with (
            in_another_session(
                engine,
                lambda c: register_contacts(c, ["a", "b", "c"], origin="file", seen_at=at(1)),
            ) as one,
            in_another_session(
                engine,
                lambda c: register_contacts(c, ["c", "b", "a"], origin="file", seen_at=at(2)),
            ) as other,
        ):
            holder.rollback()
            assert one() is other() is None
    assert len(rows(engine, KNOWN)) == 3


def test_no_column_could_hold_a_credential(engine: Engine) -> None:
    query = """
        SELECT column_name FROM information_schema.columns
        WHERE table_schema = 'ops' AND table_name = 'contact_registry' ORDER BY 1
    """
    found = {name for (name,) in rows(engine, query)}
    assert found == {
        "contact_id", "origin", "access", "priority", "hinted_at", "first_seen_at", "last_seen_at",
    }  # fmt: skip
