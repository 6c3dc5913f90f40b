"""The facts behind the checks, on rows that a test puts into the tables."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import Engine, insert, text

from sync_pipeline.entities import (
    COMMUNICATIONS,
    CONTACTS,
    CRMCOM_COMMUNICATIONS,
    CRMCOM_CONTACTS,
    Entity,
    Stream,
)
from sync_pipeline.records import Reject
from sync_pipeline.warehouse import checks
from sync_pipeline.warehouse.checks import Orphans, Proofs, Quarantined, Versions
from sync_pipeline.warehouse.progress import Proof, Reason, ScopeProgress, record_progress
from sync_pipeline.warehouse.quarantine import quarantine
from sync_pipeline.warehouse.runs import RunKey, Traffic, begin_run, finish_run, plan_run
from sync_pipeline_tests.database.readings import at, commit_contacts, named

KEPT = {"attributes": {}, "content_hash": b"h", "cause": "source", "run_id": "r"}


def read(scope: str, hours: float, reason: Reason | None = None) -> ScopeProgress:
    proof = Proof.INCOMPLETE if reason else Proof.SINGLE_RESPONSE
    return ScopeProgress(scope, proof, reason, at(hours), at(hours + 1))


def put(engine: Engine, entity: Entity, key: str, *, source: str = "crmcom", **values: str) -> None:
    """Put a current row into the entity's table."""
    row = KEPT | {"source": source, entity.key: key, "observed_at": at(5), "loaded_at": at(5)}
    with engine.begin() as connection:
        connection.execute(insert(entity.table), row | values)


def supersede(engine: Engine, key: str, begins: float, ends: float, source: str = "crmcom") -> None:
    """Put a superseded version of a contact into the history."""
    row = KEPT | {"source": source, "contact_id": key, "loaded_at": at(begins)}
    with engine.begin() as connection:
        connection.execute(
            insert(CONTACTS.history), row | {"valid_from": at(begins), "valid_to": at(ends)}
        )


def versions(engine: Engine, since: datetime | None = None) -> Versions:
    with engine.connect() as connection:
        return checks.versions(connection, CRMCOM_CONTACTS, since=since)


def test_a_stream_that_was_never_read_has_no_proofs(engine: Engine) -> None:
    with engine.connect() as connection:
        found = checks.proofs(connection, CRMCOM_CONTACTS, since=at(0))
    assert found == Proofs(0, {}, 0, 0, 0, None)


def test_proofs_are_counted_by_what_is_wrong_with_them(engine: Engine) -> None:
    key = RunKey("run", CRMCOM_CONTACTS)
    with engine.begin() as connection:
        begin_run(connection, key, cause="ui")
        plan_run(connection, key, scopes_total=7)
        finish_run(connection, key, Traffic(), is_complete=False, error="cut short")
        record_progress(
            connection,
            CRMCOM_CONTACTS,
            [
                read("fresh", 9),
                read("stale", 1),
                read("never proven", 9, Reason.DENIED),
                read("proven before", 8),
                read("also denied", 9, Reason.DENIED),
            ],
        )
        record_progress(connection, CRMCOM_CONTACTS, [read("proven before", 9, Reason.UNAVAILABLE)])
        record_progress(connection, CRMCOM_COMMUNICATIONS, [read("another stream", 1)])
        found = checks.proofs(connection, CRMCOM_CONTACTS, since=at(5))
    assert found == Proofs(
        scopes=5,
        incomplete={"denied": 2, "unavailable": 1},
        stale=3,
        unproven=4,
        unread=7,
        oldest_proven_at=at(1),
    )


def test_what_loads_leave_behind_never_overlaps(engine: Engine) -> None:
    for hours, name in enumerate(("Ann", "Anna", "Ann", "Anne"), start=1):
        commit_contacts(engine, named("a", name, hours=hours), named("b", "Bob", hours=hours))
    assert versions(engine) == Versions(has_primary_key=True, looked_at=3, overlapping=0)


@pytest.mark.parametrize(
    ("spans", "overlapping"),
    [
        ([(1, 2), (2, 3), (4, 5)], 0),
        ([(1, 3), (2, 4)], 2),
        ([(1, 4), (2, 3)], 2),
        ([(1, 6)], 1),
    ],
    ids=["half-open and disjoint", "one into the next", "one within the other", "into the current"],
)
def test_versions_of_a_key_that_overlap_are_counted(
    engine: Engine, spans: list[tuple[float, float]], overlapping: int
) -> None:
    put(engine, CONTACTS, "a")
    put(engine, CONTACTS, "a", source="rocs")
    for begins, ends in spans:
        supersede(engine, "a", begins, ends)
        supersede(engine, "b", begins + 0.5, ends + 0.1, source="rocs")
    assert versions(engine) == Versions(
        has_primary_key=True, looked_at=len(spans), overlapping=overlapping
    )


def test_what_was_superseded_earlier_is_looked_at_only_beside_what_is_new(engine: Engine) -> None:
    put(engine, CONTACTS, "a")
    supersede(engine, "a", 1, 3.5)
    supersede(engine, "a", 3, 4)
    supersede(engine, "b", 1, 2)
    assert versions(engine, since=at(4)) == Versions(
        has_primary_key=True, looked_at=1, overlapping=1
    )


def test_a_lost_primary_key_is_noticed(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE warehouse.contacts DROP CONSTRAINT contacts_pkey"))
    assert versions(engine) == Versions(has_primary_key=False, looked_at=0, overlapping=0)


def test_orphans_name_a_contact_that_is_not_there_under_the_same_source(engine: Engine) -> None:
    put(engine, CONTACTS, "there")
    put(engine, CONTACTS, "elsewhere", source="rocs")
    held = {"1": "there", "2": "elsewhere", "3": "elsewhere", "4": "nowhere"}
    for key, contact_id in held.items():
        put(engine, COMMUNICATIONS, key, contact_id=contact_id)
    put(engine, COMMUNICATIONS, "5")
    put(engine, COMMUNICATIONS, "6", source="rocs", contact_id="there")
    with engine.connect() as connection:
        found = {
            source: checks.orphans(connection, Stream(source, COMMUNICATIONS))
            for source in ("crmcom", "rocs")
        }
    assert found == {"crmcom": Orphans(3, 2), "rocs": Orphans(1, 1)}


def test_the_quarantine_is_told_by_defect_as_a_share_of_all_rows(engine: Engine) -> None:
    for key in ("a", "b", "c"):
        put(engine, CONTACTS, key)
    rejects = [
        Reject(key, b"{", code, "a reason", at(1))
        for key, code in {"x": "bad_json", "y": "bad_json", "z": "bad_text"}.items()
    ]
    with engine.begin() as connection:
        quarantine(connection, CRMCOM_CONTACTS, rejects)
        found = checks.quarantined(connection, CRMCOM_CONTACTS)
        other = checks.quarantined(connection, CRMCOM_COMMUNICATIONS)
    assert found == Quarantined({"bad_json": 2, "bad_text": 1}, stored=3)
    assert (found.open, found.share) == (3, 0.5)
    assert other == Quarantined({}, stored=0)
    assert (other.open, other.share) == (0, 0.0)
