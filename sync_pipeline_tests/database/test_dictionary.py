"""The data dictionary says what the database says."""

from __future__ import annotations

from sqlalchemy import Engine

from sync_pipeline.shipped import shipped_path
from sync_pipeline_tests.dictionary import PAGE, dictionary


def test_the_dictionary_is_that_of_the_database(engine: Engine) -> None:
    written = (shipped_path("sql") / PAGE).read_text(encoding="utf-8")
    assert written == dictionary(engine), "renew it: python -m sync_pipeline_tests.dictionary"
