"""When scopes that were given up make the whole run fail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from sync_pipeline.errors import (
    AccessDeniedError,
    IdentityCannotReadError,
    RecordNotFoundError,
    RequestRefusedError,
    SourceError,
    SyncError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.setbacks import FIRST, Setbacks
from sync_pipeline.settings import CrmcomSettings, RosaasSettings, SourceSettings
from sync_pipeline.warehouse.progress import Proof, Reason

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ERRORS: dict[Reason, type[SourceError]] = {
    Reason.DENIED: AccessDeniedError,
    Reason.NOT_FOUND: RecordNotFoundError,
    Reason.WRONG_ANSWER: WrongAnswerError,
    Reason.REFUSED: RequestRefusedError,
    Reason.UNAVAILABLE: TransientSourceError,
}
ABOUT_THE_API = [reason for reason in ERRORS if reason is not Reason.NOT_FOUND]
SERVICE = CrmcomSettings(
    base_url="https://crmcom.example/v1",
    api_key=SecretStr("key"),
    username="user",
    password=SecretStr("password"),
)
ROSAAS = RosaasSettings(
    base_url="https://rosaas.example", client_id="client", client_secret=SecretStr("secret")
)
READ = Reading("c", Proof.SINGLE_RESPONSE, None, NOW, NOW)


def given_up(reason: Reason) -> Reading:
    setback = ERRORS[reason]("CRM.COM", "/contacts/{id}", detail="said so")
    return Reading("c", Proof.INCOMPLETE, reason, NOW, NOW, setback=setback)


def verdict(*readings: Reading, settings: SourceSettings = SERVICE) -> SyncError | None:
    """Return what a run over these readings raises, in the end or on the way."""
    setbacks = Setbacks(settings)
    try:
        for reading in readings:
            setbacks.note(reading)
        setbacks.conclude()
    except SyncError as exc:
        return exc
    return None


@pytest.mark.parametrize("reason", ABOUT_THE_API)
def test_more_than_half_given_up_for_one_reason_fail_the_run_in_the_end(reason: Reason) -> None:
    # Never five in a row: that is a rule of its own.
    half = [READ, given_up(reason)] * 15

    assert verdict(*half) is None
    assert verdict(*half, given_up(reason)) is not None


def test_one_poisoned_contact_among_many_fails_nothing() -> None:
    for reason in ERRORS:
        assert verdict(given_up(reason), *[READ] * 99) is None


def test_what_is_not_found_never_fails_a_run() -> None:
    assert verdict(*[given_up(Reason.NOT_FOUND)] * 100) is None


@pytest.mark.parametrize("reason", [r for r in ABOUT_THE_API if r is not Reason.UNAVAILABLE])
def test_the_first_twenty_given_up_fail_the_run_at_once(reason: Reason) -> None:
    setbacks = Setbacks(SERVICE)
    for _ in range(FIRST - 1):
        setbacks.note(given_up(reason))

    with pytest.raises(SyncError):
        setbacks.note(given_up(reason))


def test_one_sound_reading_among_the_first_twenty_lets_the_run_go_on() -> None:
    setbacks = Setbacks(SERVICE)
    sixty = [given_up(Reason.DENIED)] * 60
    for reading in [READ, *sixty]:
        setbacks.note(reading)

    # To its end, where more than half are denied.
    with pytest.raises(IdentityCannotReadError, match="60 of 61 contacts are denied"):
        setbacks.conclude()


def test_five_unavailable_in_a_row_fail_the_run_wherever_it_is() -> None:
    four = [given_up(Reason.UNAVAILABLE)] * 4

    assert verdict(*[READ] * 50, *four, READ, *four, *[READ] * 50) is None
    assert isinstance(verdict(*[READ] * 50, *four, *four), TransientSourceError)


def test_denials_at_crmcom_are_explained_by_its_authentication() -> None:
    error = verdict(*[given_up(Reason.DENIED)] * 20)

    assert isinstance(error, IdentityCannotReadError)
    assert str(error).startswith("20 of 20 contacts are denied (403) to the identity of")
    assert "CRMCOM_AUTH=service" in str(error)


def test_denials_of_contacts_that_log_in_themselves_are_explained_by_their_file() -> None:
    own = SERVICE.model_copy(update={"auth": "per_contact"})

    error = verdict(*[given_up(Reason.DENIED)] * 20, settings=own)

    assert isinstance(error, IdentityCannotReadError)
    assert str(error).startswith("20 of 20 contacts are denied to their own logins")
    assert "CRMCOM_CONTACTS_FILE" in str(error)
    assert "CRMCOM_USERNAME" not in str(error)


def test_denials_elsewhere_say_what_that_api_said() -> None:
    error = verdict(given_up(Reason.DENIED), settings=ROSAAS)

    assert isinstance(error, AccessDeniedError)


def test_different_reasons_do_not_add_up() -> None:
    mixed = [given_up(Reason.DENIED), given_up(Reason.WRONG_ANSWER)] * 20

    assert verdict(*mixed) is None
