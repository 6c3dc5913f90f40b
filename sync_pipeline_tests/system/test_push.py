"""A request in SQL arrives at its API by itself: through sensor, queue and daemon."""

from __future__ import annotations

import re
import shlex
import time

from sync_pipeline.shipped import shipped_path
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


def test_the_readme_can_be_followed_line_by_line(installation: Installation) -> None:
    page = shipped_path("README.md").read_text(encoding="utf-8")
    section = page.partition("## Push a change back\n")[2].partition("\n## ")[0]
    commands, statement = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    installation.start_sandbox(contacts=20)
    installation.run("pull", "crmcom/contacts").succeeded()

    said = [
        installation.run(*shlex.split(line)[1:]).succeeded().out for line in commands.splitlines()
    ]

    assert len(said) == 4
    assert "first_name" in said[1]
    assert re.search(r"crmcom/contacts\b.*\bconfirmed\b", said[3])
    row = "SELECT contact_id, first_name, cause FROM warehouse.contacts WHERE first_name = 'Zoë'"
    contact_id = "756d97ac-b81a-3cc1-7ad8-75ae9691088d"
    assert installation.ask(row) == [(contact_id, "Zoë", "push")]
    assert installation.ask(statement.strip().rstrip(";"))
    installation.run("push").succeeded()
    (person,) = [r for r in installation.world("contacts") if r["contact_id"] == contact_id]
    assert (person["first_name"], person["language"]) == ("Zoë", "el")
