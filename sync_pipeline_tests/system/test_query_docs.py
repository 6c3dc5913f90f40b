"""The questions of `docs/query.md`, asked as an analyst of a sandbox that was synced once."""

from __future__ import annotations

import stat

import psycopg
import pytest

from sync_pipeline_tests.query_page import PAGE, Question, analyst_dsn, answered, questions
from sync_pipeline_tests.system.installation import Done, Installation

QUESTIONS = questions(PAGE.read_text(encoding="utf-8"))


def test_there_are_ten_questions_of_which_each_asks_something_else() -> None:
    assert len({question.title for question in QUESTIONS}) == len(QUESTIONS) == 10
    assert len({question.sql for question in QUESTIONS}) == 10


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.title)
def test_the_answer_on_the_page_is_what_an_analyst_gets(
    first_run: tuple[Installation, Done], question: Question
) -> None:
    given = answered(analyst_dsn(first_run[0]), question.sql)
    assert given == question.answer, "renew it: python -m sync_pipeline_tests.query_page"


def test_a_role_has_one_login_whose_password_is_for_its_owner_alone(
    first_run: tuple[Installation, Done],
) -> None:
    installation, _ = first_run
    dsn = analyst_dsn(installation)
    assert analyst_dsn(installation) == dsn != installation.dsn()
    kept = installation.home / "logins" / "sync_analyst"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert f":{kept.read_text(encoding='utf-8')}@" in dsn
    with psycopg.connect(dsn) as connection:
        query = "SELECT rolname FROM pg_roles WHERE pg_has_role(oid, 'USAGE') AND NOT rolcanlogin"
        assert connection.execute(query).fetchall() == [("sync_analyst",)]


def test_a_lost_password_is_replaced(first_run: tuple[Installation, Done]) -> None:
    installation, _ = first_run
    dsn = analyst_dsn(installation)
    (installation.home / "logins" / "sync_analyst").unlink()
    assert analyst_dsn(installation) != dsn
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(dsn)
    psycopg.connect(analyst_dsn(installation)).close()


def test_an_unknown_role_is_refused_with_those_there_are(
    first_run: tuple[Installation, Done],
) -> None:
    done = first_run[0].run("url", "--role", "postgres")
    assert (done.code, done.out) == (2, "")
    assert "sync_writer, sync_analyst, sync_analyst_pii, sync_requester" in " ".join(
        done.err.replace("│", " ").split()
    )
