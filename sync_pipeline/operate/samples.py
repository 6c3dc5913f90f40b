"""The sample questions of `sql/samples`, asked of the warehouse."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text

from sync_pipeline.shipped import shipped_path
from sync_pipeline.warehouse.engine import transaction


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, its SQL, and the answer as a table."""

    question: str
    sql: str
    columns: list[str]
    rows: list[tuple[object, ...]]


def answer_samples(engine: Engine) -> list[Answered]:
    """Return each sample question with its answer, in the order of the files."""
    files = sorted((shipped_path("sql") / "samples").glob("*.sql"))
    return [_answer(engine, path.read_text(encoding="utf-8")) for path in files]


def _answer(engine: Engine, content: str) -> Answered:
    comment, _, sql = content.partition("\n")
    with transaction(engine) as connection:
        result = connection.execute(text(sql))
        rows = [tuple(row) for row in result]
        return Answered(comment.removeprefix("-- "), sql.strip(), list(result.keys()), rows)
