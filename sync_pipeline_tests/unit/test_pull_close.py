"""What confirms a record as gone, and how many may go at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync_pipeline.pull.close import answer_of, confirmation_of
from sync_pipeline.pull.deletion_cap import is_too_many
from sync_pipeline.pull.reading import Reading
from sync_pipeline.records import Reject
from sync_pipeline.warehouse.absences import Absence, Confirmation, RecordAnswer
from sync_pipeline.warehouse.progress import Proof, Reason
from sync_pipeline_tests.canonical import record

MISSED_AT = datetime(2026, 1, 1, tzinfo=UTC)
LATER = MISSED_AT + timedelta(hours=1)
ONCE = Absence("a", "", MISSED_AT)
TWICE = Absence("a", "", MISSED_AT, LATER)
READ = Reading("a", Proof.SINGLE_RESPONSE, None, LATER, LATER)


def given_up(reason: Reason) -> Reading:
    return Reading("a", Proof.INCOMPLETE, reason, LATER, LATER)


@pytest.mark.parametrize(
    ("reading", "answer"),
    [
        (READ, RecordAnswer.FOUND),
        (replace(READ, records=[record("{}")]), RecordAnswer.FOUND),
        # One that breaks the contract is there all the same.
        (replace(READ, rejects=[Reject("a", b"{", "broken", "", LATER)]), RecordAnswer.FOUND),
        # So is one whose details were not to be had.
        (replace(given_up(Reason.UNAVAILABLE), records=[record("{}")]), RecordAnswer.FOUND),
        (given_up(Reason.NOT_FOUND), RecordAnswer.GONE),
        (given_up(Reason.DENIED), RecordAnswer.DENIED),
        (given_up(Reason.UNAVAILABLE), RecordAnswer.UNANSWERED),
        (given_up(Reason.WRONG_ANSWER), RecordAnswer.UNANSWERED),
        (given_up(Reason.REFUSED), RecordAnswer.UNANSWERED),
    ],
)
def test_only_an_api_that_does_not_know_a_record_says_that_it_is_gone(
    reading: Reading, answer: RecordAnswer
) -> None:
    assert answer_of(reading) is answer


@pytest.mark.parametrize("absence", [ONCE, TWICE])
@pytest.mark.parametrize("answer", RecordAnswer)
def test_what_can_be_asked_for_is_confirmed_by_the_answer_alone(
    absence: Absence, answer: RecordAnswer
) -> None:
    confirmed = LATER if answer is RecordAnswer.GONE else None
    found = confirmation_of(absence, answer=answer, asked_at=LATER)
    assert found == Confirmation("a", answer, LATER, confirmed)


def test_what_cannot_be_asked_for_is_confirmed_by_a_second_reading() -> None:
    assert confirmation_of(ONCE) == Confirmation("a", None, None, None)
    assert confirmation_of(TWICE) == Confirmation("a", None, None, LATER)


@pytest.mark.parametrize(
    ("going", "rows", "is_many"),
    [
        (20, 20, False),
        (21, 419, True),
        (21, 420, False),
        (50_000, 1_000_000, False),
        (50_001, 1_000_000, True),
    ],
)
def test_too_many_is_more_than_twenty_and_more_than_the_share(
    going: int, rows: int, *, is_many: bool
) -> None:
    assert is_too_many(going, rows, share=0.05) is is_many
