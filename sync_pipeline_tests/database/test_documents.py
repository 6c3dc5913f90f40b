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
    named = set(re.findall(r"`\.venv/bin/sync-pipeline ([a-z]+)", README))
    through_make = {"run", "up"}
    assert named | through_make == commands


@pytest.mark.parametrize("document", [README, ENV_EXAMPLE], ids=["README.md", ".env.example"])
def test_the_variables_that_a_document_names_are_read(document: str) -> None:
    pattern = r"\b((?:CRMCOM|ROCS|ROSAAS|SYNC|WAREHOUSE|DAGSTER)_[A-Z_]+[A-Z])\b"
    named = set(re.findall(pattern, document))
    read = known_variables()
    assert {name for name in named if name.removesuffix("_FILE") not in read} <= read
