"""A request in SQL arrives at its API by itself: through sensor, queue and daemon."""

from __future__ import annotations

import time

from sync_pipeline_tests.system.installation import Installation, awaited, interrupt
from sync_pipeline_tests.system.test_up import is_up

ASK = "SELECT push.request_update('crmcom', 'contacts', %s, '{\"first_name\": \"Zoë\"}')"
STATE = "SELECT status, error FROM push.updates WHERE id = %s"
ARRIVES_WITHIN_S = 120.0


def test_a_request_in_sql_arrives_and_is_confirmed_without_a_step_by_hand(
    installation: Installation,
) -> None:
    installation.start_sandbox(contacts=20)
    installation.run("pull", "crmcom/contacts").succeeded()
    process = installation.start("up")
    awaited(lambda: is_up(installation), "the stack is up")
    contact_id = str(installation.world("contacts", source="crmcom")[0]["contact_id"])

    asked_at = time.monotonic()
    (made,) = installation.ask(ASK, contact_id)[0]
    awaited(
        lambda: installation.ask(STATE, made) == [("confirmed", None)],
        f"the update is confirmed: {installation.ask(STATE, made)}",
        timeout_s=ARRIVES_WITHIN_S,
    )
    print(f"confirmed after {time.monotonic() - asked_at:.0f} s")  # noqa: T201 -- for who asks

    names = {row["contact_id"]: row["first_name"] for row in installation.world("contacts")}
    assert names[contact_id] == "Zoë"
    version = "SELECT first_name, cause FROM warehouse.contacts WHERE contact_id = %s"
    awaited(
        lambda: installation.ask(version, contact_id) == [("Zoë", "push")],
        "the warehouse has read it back",
    )
    assert interrupt(process).code == 0
