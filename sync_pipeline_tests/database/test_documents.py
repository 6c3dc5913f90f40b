from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine, text
from typer.main import get_command

from sync_pipeline.cli import app
from sync_pipeline.operate.samples import answer_samples
from sync_pipeline.settings import known_variables
from sync_pipeline.shipped import shipped_path

README = shipped_path("README.md").read_text(encoding="utf-8")
ENV_EXAMPLE = shipped_path(".env.example").read_text(encoding="utf-8")


def test_every_statement_of_the_readme_runs(engine: Engine) -> None:
    blocks = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    assert blocks
    with engine.connect() as connection:
        for block in blocks:
            connection.execute(text(block)).all()


def test_every_sample_question_has_an_answer_in_the_warehouse(engine: Engine) -> None:
    answers = answer_samples(engine)
    assert [answer.question[-1] for answer in answers] == ["?", "?", "?"]
    assert all(answer.columns for answer in answers)


def test_the_readme_names_the_commands_that_there_are() -> None:
    commands = set(getattr(get_command(app), "commands"))  # noqa: B009 -- untyped in click
    named = set(re.findall(r"`\.venv/bin/sync-pipeline ([a-z-]+)", README))
    through_make = {"run", "up"}
    assert named | through_make == commands


@pytest.mark.parametrize("document", [README, ENV_EXAMPLE], ids=["README.md", ".env.example"])
def test_the_variables_that_a_document_names_are_read(document: str) -> None:
    pattern = r"\b((?:CRMCOM|ROCS|ROSAAS|SYNC|WAREHOUSE|DAGSTER)_[A-Z_]+[A-Z])\b"
    named = set(re.findall(pattern, document))
    read = known_variables()
    assert {name for name in named if name.removesuffix("_FILE") not in read} <= read


@pytest.mark.parametrize(
    ("heading", "query"),
    [
        (
            "| state | waits for | meaning |",
            (
                "SELECT '`' || status || '`', coalesce(waits_for, 'nobody: final'), meaning "
                "FROM push.states"
            ),
        ),
        (
            "| from | to | what happened |",
            (
                "SELECT coalesce('`' || nullif(from_status, '') || '`', 'new'), "
                "'`' || to_status || '`', meaning FROM push.transitions"
            ),
        ),
    ],
    ids=["states", "transitions"],
)
def test_the_page_on_push_says_what_the_database_holds_to(
    engine: Engine, heading: str, query: str
) -> None:
    page = shipped_path("docs/push.md").read_text(encoding="utf-8")
    table = page.partition(f"{heading}\n")[2].partition("\n\n")[0].splitlines()[1:]
    written = sorted(tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table)
    with engine.connect() as connection:
        assert written == sorted(tuple(row) for row in connection.execute(text(query)))
