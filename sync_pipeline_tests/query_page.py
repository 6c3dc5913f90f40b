"""The page `docs/query.md`: its questions, and their answers as the page writes them.

`python -m sync_pipeline_tests.query_page` asks them of a new sandbox and writes the answers anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sync_pipeline_tests.system.installation import Installation

PAGE = Path(__file__).parents[1] / "docs" / "query.md"
_QUESTION = re.compile(
    r"^## \d+\. (?P<title>.+)\n[^#]*?"
    r"```sql\n(?P<sql>[^`]+)```\n\n(?P<answer>(?:\|.*\n)+)",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the page with its SQL and the table printed below."""

    title: str
    sql: str
    answer: str


def questions(page: str) -> list[Question]:
    """Return the questions of the page, in its order."""
    return [Question(q["title"], q["sql"], q["answer"]) for q in _QUESTION.finditer(page)]


def answered(dsn: str, sql: str) -> str:
    """Return the answer as a Markdown table, each value as psql shows it."""
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        result = connection.execute(sql.encode()).pgresult
    assert result is not None
    columns, rows = range(result.nfields), range(result.ntuples)
    head = [(result.fname(column) or b"").decode() for column in columns]
    table = [head, ["---"] * len(head)]
    table += [[_shown(result.get_value(row, column)) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in table)


def _shown(value: bytes | None) -> str:
    return (value or b"").decode().replace("\\", "\\\\").replace("|", "\\|")


def analyst_dsn(installation: Installation) -> str:
    """Return the DSN of an analyst of the installation's warehouse."""
    return installation.run("url", "--role", "sync_analyst").succeeded().out.strip()


def write_answers() -> None:
    """Fill a warehouse from a new sandbox, and write its answers into the page."""
    with Installation() as installation:
        installation.run("pull").succeeded()
        dsn = analyst_dsn(installation)
        page = PAGE.read_text(encoding="utf-8")
        for question in questions(page):
            asked, given = f"```sql\n{question.sql}```\n\n", answered(dsn, question.sql)
            page = page.replace(asked + question.answer, asked + given)
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write_answers()
