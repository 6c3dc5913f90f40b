"""Push models: what differs is asked for once, held until a person or a setting lets it go."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from sync_pipeline.push.models import ModelPlan, plan_models
from sync_pipeline.settings import PushModel, Settings
from sync_pipeline.warehouse.engine import transaction
from sync_pipeline.warehouse.migrations import migrate
from sync_pipeline.warehouse.outbox import Ending, desk_opened
from sync_pipeline.warehouse.push_fields import note_api_versions
from sync_pipeline.warehouse.push_requests import DECLINE, decide
from sync_pipeline_tests.database.outbox_rows import ask
from sync_pipeline_tests.database.readings import START, at, rows
from sync_pipeline_tests.database.view_rows import put, session_of

NAME = "rocs_corrections"
UPDATES = "SELECT entity_id, changes, base, status, model FROM push.updates ORDER BY id"


def settings(*, is_automatic: bool = False, share: float = 1.0) -> Settings:
    model = PushModel(NAME, "crmcom/contacts", is_automatic)
    return Settings(push_models=(model,), push_max_share=share)


def plan(engine: Engine, *, is_automatic: bool = False, share: float = 1.0) -> ModelPlan:
    (found,) = plan_models(engine, settings(is_automatic=is_automatic, share=share)).plans
    return found


def pair(engine: Engine, number: int, crmcom: str, rocs: str, **ids: str) -> None:
    """Have one person in both systems, with an e-mail address in each."""
    ours = {"source": "crmcom", "contact_id": f"c{number}", "email": crmcom}
    theirs = {"source": "rocs", "contact_id": f"r{number}", "email": rocs}
    put(engine, "contacts", ours, theirs | {"external_id": f"c{number}"} | ids)


def change(engine: Engine, contact_id: str, email: str | None) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE warehouse.contacts SET email = :email WHERE contact_id = :id"),
            {"id": contact_id, "email": email},
        )


@pytest.fixture
def warehouse(engine: Engine) -> Engine:
    """Return an engine on a warehouse with two persons: alike in both systems, and not."""
    pair(engine, 1, "same@example.com", "same@example.com")
    pair(engine, 2, "old@example.com", "new@example.com")
    return engine


def test_what_differs_is_held_until_somebody_approves(warehouse: Engine) -> None:
    assert plan(warehouse) == ModelPlan(NAME, "held", planned=1)
    changes, base = {"email": "new@example.com"}, {"email": "old@example.com"}
    assert rows(warehouse, UPDATES) == [("c2", changes, base, "held", NAME)]


def test_what_was_asked_for_once_is_not_asked_for_again(warehouse: Engine) -> None:
    plan(warehouse)
    (made,) = rows(warehouse, "SELECT id FROM push.updates")
    for _ in range(3):
        assert plan(warehouse) == ModelPlan(NAME, "held")
    with transaction(warehouse) as connection:
        decide(connection, [int(str(made[0]))], DECLINE, by="ann")
    assert plan(warehouse) == ModelPlan(NAME, "held")


def test_an_automatic_model_has_its_updates_sent(warehouse: Engine) -> None:
    assert plan(warehouse, is_automatic=True) == ModelPlan(NAME, "pending", planned=1)
    with desk_opened(warehouse) as desk:
        assert [claim.update.entity_id for claim in desk.claim(now=at(0), most=9)] == ["c2"]


def test_what_was_held_goes_when_the_model_becomes_automatic(warehouse: Engine) -> None:
    plan(warehouse)
    released = plan(warehouse, is_automatic=True)
    assert released == ModelPlan(NAME, "pending", released=1)
    said = "1 let go: held until the model became automatic"
    assert released.said == f"push model {NAME}: {said}"
    decided = "SELECT status, decided_by, decided_at IS NULL FROM push.updates"
    assert rows(warehouse, decided) == [("pending", "PUSH_MODELS", False)]
    assert plan(warehouse, is_automatic=True) == ModelPlan(NAME, "pending")


def test_what_the_target_changes_by_itself_is_left_alone(warehouse: Engine) -> None:
    plan(warehouse)
    change(warehouse, "c1", "theirs@example.com")
    assert plan(warehouse) == ModelPlan(NAME, "held")


def test_a_change_on_both_sides_is_a_conflict(warehouse: Engine) -> None:
    plan(warehouse)
    change(warehouse, "c1", "theirs@example.com")
    change(warehouse, "r1", "ours@example.com")
    assert plan(warehouse).planned == 1
    query = "SELECT changes, base FROM push.updates WHERE entity_id = 'c1'"
    assert rows(warehouse, query) == [({"email": "ours@example.com"}, {"email": None})]


def test_a_later_change_goes_from_what_was_agreed_on(warehouse: Engine) -> None:
    plan(warehouse)
    change(warehouse, "r1", "ours@example.com")
    assert plan(warehouse).planned == 1
    query = "SELECT base FROM push.updates WHERE entity_id = 'c1'"
    assert rows(warehouse, query) == [({"email": "same@example.com"},)]


def test_a_value_that_the_api_keeps_in_another_form_is_not_pushed_for_ever(
    warehouse: Engine,
) -> None:
    plan(warehouse, is_automatic=True)
    with desk_opened(warehouse) as desk:
        (claim,) = desk.claim(now=at(0))
        written = {"email": "new+alias@example.com"}
        desk.settle([Ending(claim, "confirmed", written=written, written_at=at(1))])
    change(warehouse, "c2", "new+alias@example.com")
    assert plan(warehouse) == ModelPlan(NAME, "held")
    change(warehouse, "r2", "newer@example.com")
    assert plan(warehouse).planned == 1
    query = "SELECT base FROM push.updates ORDER BY id DESC LIMIT 1"
    assert rows(warehouse, query) == [({"email": "new+alias@example.com"},)]


def test_a_model_that_changes_its_mind_takes_back_what_is_held(warehouse: Engine) -> None:
    plan(warehouse)
    change(warehouse, "r2", "newer@example.com")
    assert plan(warehouse) == ModelPlan(NAME, "held", planned=1, withdrawn=1)
    change(warehouse, "r2", "old@example.com")
    assert plan(warehouse) == ModelPlan(NAME, "held", withdrawn=1)
    kept = "SELECT status, superseded_changes FROM push.updates ORDER BY id"
    assert rows(warehouse, kept) == [
        ("superseded", {"email": "new@example.com"}),
        ("superseded", {"email": "newer@example.com"}),
    ]


def test_an_automatic_model_supersedes_as_any_request_does(warehouse: Engine) -> None:
    older = ask(warehouse, {"email": "asked@example.com", "first_name": "Zoe"}, "c2")
    plan(warehouse, is_automatic=True)
    query = "SELECT changes, status FROM push.updates WHERE id = :id"
    assert rows(warehouse, query, id=older) == [({"first_name": "Zoe"}, "pending")]


def test_more_than_a_share_of_the_records_is_not_planned(engine: Engine) -> None:
    for number in range(30):
        pair(engine, number, f"old{number}@example.com", f"new{number}@example.com")
    stopped = plan(engine, share=0.5)
    assert stopped == ModelPlan(
        NAME,
        "held",
        stopped=(
            "30 of 30 records would be changed, more than PUSH_MAX_SHARE=0.5 allows: look at the "
            "view; then raise it"
        ),
    )
    assert rows(engine, UPDATES) == []
    assert plan(engine, share=1).planned == 30


def test_a_few_records_are_never_too_many(warehouse: Engine) -> None:
    assert plan(warehouse, share=0).planned == 1


def test_what_the_model_does_not_know_or_what_is_ambiguous_asks_for_nothing(
    engine: Engine,
) -> None:
    pair(engine, 1, "a@example.com", "b@example.com", external_id="c2")
    pair(engine, 2, "a@example.com", "c@example.com")
    put(engine, "contacts", {"source": "crmcom", "contact_id": "c3", "email": "a@example.com"})
    put(engine, "contacts", {"source": "rocs", "contact_id": "r3", "external_id": "c3"})
    gone = {"source": "rocs", "contact_id": "r4", "external_id": "c1", "email": "x@example.com"}
    put(engine, "contacts", gone | {"deleted_at": START})
    assert plan(engine) == ModelPlan(NAME, "held")


def test_a_value_that_cannot_be_written_is_counted_and_hides_no_other(warehouse: Engine) -> None:
    pair(warehouse, 3, "old@example.com", "no address")
    for _ in range(2):
        assert plan(warehouse).refused == 1
    assert [entity_id for entity_id, *_ in rows(warehouse, UPDATES)] == ["c2"]


def test_a_field_that_the_api_lacks_is_left_out(warehouse: Engine) -> None:
    note_api_versions(warehouse, {"crmcom": "v1"})
    with warehouse.begin() as connection:
        connection.execute(
            text("UPDATE warehouse.contacts SET phone = '+4791234567' WHERE contact_id = 'r2'")
        )
    planned = plan(warehouse)
    assert planned == ModelPlan(NAME, "held", planned=1, left_out=("phone",))
    assert planned.said == (
        f"push model {NAME}: 1 asked for as held; columns that are no fields: phone"
    )
    note_api_versions(warehouse, {"crmcom": "v2"})
    assert plan(warehouse) == ModelPlan(NAME, "held", planned=1)


@pytest.mark.parametrize(
    ("model", "stopped"),
    [
        (
            PushModel("nosuch", "crmcom/contacts", is_automatic=False),
            "no view push.nosuch has a field of crmcom/contacts that can be written",
        ),
        (
            PushModel(NAME, "rosaas/plans", is_automatic=False),
            "no view push.rocs_corrections has a field of rosaas/plans that can be written",
        ),
        (PushModel(NAME, "x/y", is_automatic=False), "there is no stream x/y"),
    ],
)
def test_a_model_that_is_not_there_is_told_and_stops_no_other(
    warehouse: Engine, model: PushModel, stopped: str
) -> None:
    good = PushModel(NAME, "crmcom/contacts", is_automatic=False)
    report = plan_models(warehouse, Settings(push_models=(model, good), push_max_share=1))
    assert [one.stopped for one in report.plans] == [stopped, None]
    assert report.complaints == [f"push model {model.name}: {stopped}"]
    assert report.plans[1].planned == 1


def test_the_pipeline_plans_as_the_writer(warehouse: Engine) -> None:
    with session_of(warehouse, "sync_writer") as session:
        assert migrate(session) == []
        assert plan(session).planned == 1
