"""Plans and specifications of RoSaaS: one answer is the list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sync_pipeline.entities import ROSAAS_PLANS, ROSAAS_SPECIFICATIONS, Stream
from sync_pipeline.errors import SettingsError, WrongAnswerError
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.pull_vendors import PLANS, SPECIFICATIONS, WRONG_ANSWER, Row, Vendors
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Scripted

PATHS = {ROSAAS_PLANS: (PLANS, "plans"), ROSAAS_SPECIFICATIONS: (SPECIFICATIONS, "specifications")}
ROWS: list[Row] = [{"systemName": name, "isPublished": True, "extra": [1]} for name in ("p", "q")]


def enveloped(data: object) -> Scripted:
    return Scripted.json({"data": data, "metadata": {"errors": [], "success": True}})


@pytest.mark.parametrize("stream", PATHS, ids=str)
def test_one_answer_is_the_list_and_proves_it(
    pull: Pulls, vendors: Vendors, stream: Stream
) -> None:
    path, table = PATHS[stream]
    vendors.server.script("GET", path, enveloped(ROWS))

    first = pull(stream)
    before = pull.versions(table)
    second = pull(stream)
    not_due = pull(stream, due=Due(datetime.now(UTC)))

    assert vendors.asked(path) == 2
    assert (counts(first), counts(second)) == ({"inserted": 2}, {"unchanged": 2})
    assert pull.versions(table) == before
    (key,) = [name for name in ("plan", "specification") if table.startswith(name)]
    same = {"source": "rosaas", "is_published": True, "attributes": {"extra": [1]}}
    assert pull.table(table) == [same | {key: "p"}, same | {key: "q"}]
    assert pull.watermarks(stream) == {"": ("single_response", None)}
    assert [r.row["is_complete"] for r in (first, second, not_due)] == [True] * 3
    assert (not_due.row["scopes_total"], counts(not_due)) == (0, {})


@pytest.mark.parametrize("stream", PATHS, ids=str)
@pytest.mark.parametrize("answer", [enveloped(None), WRONG_ANSWER, Scripted.json({"data": []})])
def test_an_answer_that_is_no_list_fails_the_run_and_the_rows_stay(
    pull: Pulls, vendors: Vendors, stream: Stream, answer: Scripted
) -> None:
    path, table = PATHS[stream]
    vendors.server.script("GET", path, enveloped(ROWS))
    pull(stream)
    before = pull.versions(table)
    vendors.server.script("GET", path, answer)

    with pytest.raises(WrongAnswerError):
        pull(stream)

    assert pull.versions(table) == before
    assert pull.watermarks(stream) == {"": ("single_response", None)}
    assert pull.last_run("outcome", "is_complete", "rows_read") == ("failed", False, 0)


@pytest.mark.parametrize("stream", PATHS, ids=str)
def test_an_empty_list_is_a_list(pull: Pulls, vendors: Vendors, stream: Stream) -> None:
    vendors.server.script("GET", PATHS[stream][0], enveloped([]))

    report = pull(stream)

    assert counts(report) == {}
    assert report.row["is_complete"] is True


def test_rows_that_cannot_be_read_are_kept_aside(pull: Pulls, vendors: Vendors) -> None:
    vendors.server.script("GET", PLANS, enveloped([*ROWS, {"displayName": "whose?"}, ROWS[0]]))

    report = pull(ROSAAS_PLANS)

    assert counts(report) == {"inserted": 2, "quarantined": 1, "duplicate": 1}
    assert pull.rows("SELECT record_id, error_code, payload FROM ops.quarantine") == [
        (None, "no_id", {"displayName": "whose?"})
    ]


def test_none_of_a_list_can_be_read_alone(pull: Pulls, vendors: Vendors) -> None:
    with pytest.raises(SettingsError, match="rosaas/plans is one list"):
        pull(ROSAAS_PLANS, "p")

    assert vendors.asked(PLANS) == 0
