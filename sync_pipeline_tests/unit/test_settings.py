from __future__ import annotations

from pathlib import Path

import pytest

from sync_pipeline.errors import SettingsError
from sync_pipeline.settings import environment, is_loopback, read_settings

CRMCOM = {
    "CRMCOM_BASE_URL": "https://crm.example/self-service/v1",
    "CRMCOM_API_KEY": "publishable",
    "CRMCOM_USERNAME": "service",
    "CRMCOM_PASSWORD": "hush-hush",
}
ROSAAS = {
    "ROSAAS_BASE_URL": "https://rosaas.example",
    "ROSAAS_CLIENT_ID": "client",
    "ROSAAS_CLIENT_SECRET": "hush-hush",
}


@pytest.fixture(autouse=True)
def no_variables_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*CRMCOM, *ROSAAS, "SYNC_HOME", "WAREHOUSE_URL", "UI_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_nothing_set_means_no_source_and_a_home_in_the_working_folder(tmp_path: Path) -> None:
    settings = read_settings({})
    assert (settings.is_any_source_on, settings.warehouse_url) == (False, None)
    assert settings.sync_home == tmp_path / ".sync"
    assert (settings.ui_port, settings.sandbox_port) == (3000, 8765)
    assert (settings.staleness_bound_hours, settings.run_slice_seconds) == (24, 240)


def test_a_real_source_is_read_politely_and_one_on_this_machine_is_not() -> None:
    real = read_settings(ROSAAS).rosaas
    local = read_settings(ROSAAS | {"ROSAAS_BASE_URL": "http://127.0.0.1:8765"}).rosaas
    assert real is not None
    assert local is not None
    assert (real.requests_per_second, real.max_in_flight) == (5, 4)
    assert (real.page_size, real.timeout_s, real.interval_minutes) == (100, 60, 15)
    assert (local.requests_per_second, local.max_in_flight) == (2000, 64)


def test_politeness_that_was_asked_for_holds_on_this_machine_too() -> None:
    asked = {"ROSAAS_BASE_URL": "http://[::1]:1", "ROSAAS_REQUESTS_PER_SECOND": "3"}
    rosaas = read_settings(ROSAAS | asked).rosaas
    assert rosaas is not None
    assert (rosaas.requests_per_second, rosaas.max_in_flight) == (3, 64)


def test_contact_ids_come_from_the_back_office_where_there_is_one() -> None:
    backoffice = {
        "CRMCOM_BACKOFFICE_URL": "https://crm.example/backoffice/v1/",
        "CRMCOM_SECRET_KEY": "hush-hush",
    }
    without, with_one = read_settings(CRMCOM).crmcom, read_settings(CRMCOM | backoffice).crmcom
    assert without is not None
    assert with_one is not None
    assert (without.contact_ids, with_one.contact_ids) == ("registry", "backoffice")
    assert with_one.backoffice_url == "https://crm.example/backoffice/v1"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"UI_PORT": "many"}, "UI_PORT: "),
        ({"UI_PORT": "70000"}, "UI_PORT: "),
        ({"RUN_SLICE_SECONDS": "0"}, "RUN_SLICE_SECONDS: "),
        ({"WAREHOUSE_URL": "mysql://user:hush-hush@host/db"}, "WAREHOUSE_URL: should be"),
        (
            {"WAREHOUSE_URL": "postgresql://user:hush-hush@host"},
            "WAREHOUSE_URL: should be postgres",
        ),
        ({"CRMCOM_BASE_URL": "https://crm.example/v1"}, "CRMCOM_API_KEY: is missing"),
        (ROSAAS | {"ROSAAS_BASE_URL": "rosaas.example"}, "ROSAAS_BASE_URL: should be a URL"),
        (ROSAAS | {"ROSAAS_BASE_URL": "http://rosaas.example"}, "ROSAAS_BASE_URL: should start"),
        (ROSAAS | {"ROSAAS_BASE_URL": "https://u:hush-hush@r.example"}, "ROSAAS_BASE_URL: should"),
        (ROSAAS | {"ROSAAS_INTERVAL_MINUTES": "7"}, "ROSAAS_INTERVAL_MINUTES: should divide"),
        (ROSAAS | {"ROSAAS_MAX_IN_FLIGHT": "0"}, "ROSAAS_MAX_IN_FLIGHT: "),
        (CRMCOM | {"CRMCOM_BASE_URL": "https://crm.example/v2"}, "CRMCOM_BASE_URL should end"),
        (CRMCOM | {"CRMCOM_AUTH": "per_contact"}, "CRMCOM_AUTH: "),
        (CRMCOM | {"CRMCOM_HEADER_SCHEME": "basic"}, "CRMCOM_HEADER_SCHEME: "),
        (CRMCOM | {"CRMCOM_CONTACT_IDS": "backoffice"}, "CRMCOM_BACKOFFICE_URL is missing"),
        (
            CRMCOM | {"CRMCOM_BACKOFFICE_URL": "https://crm.example/backoffice/v1"},
            "CRMCOM_SECRET_KEY is missing",
        ),
        (CRMCOM | {"CRMCOM_BACKOFFICE_USERNAME": "me"}, "CRMCOM_BACKOFFICE_USERNAME and _PASSWORD"),
        (CRMCOM | {"CRMCOM_CONTACTS_FILE": "/no/such/file"}, "CRMCOM_CONTACTS_FILE names no file"),
    ],
)
def test_a_wrong_value_is_one_message_that_names_the_variable_and_shows_no_value(
    variables: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(variables)
    assert message in str(raised.value)
    assert "hush-hush" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_secret_is_shown_by_repr() -> None:
    settings = read_settings(
        CRMCOM | ROSAAS | {"WAREHOUSE_URL": "postgresql://u:hush-hush@host/db"}
    )
    assert "hush-hush" not in repr(settings)
    assert "hush-hush" not in str(settings)


def test_the_environment_wins_over_the_file_in_the_working_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dotenv = "export UI_PORT='3100'\r\nSANDBOX_PORT=3200\n# SYNC_HOME=x\nROSAAS_BASE_URL=\n"
    (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
    monkeypatch.setenv("UI_PORT", "3300")
    settings = read_settings(environment())
    assert (settings.ui_port, settings.sandbox_port, settings.rosaas) == (3300, 3200, None)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    content = "from the file"
    secret.write_text(f"{content}\n", encoding="utf-8")
    monkeypatch.setenv("ROSAAS_CLIENT_SECRET_FILE", str(secret))
    assert environment()["ROSAAS_CLIENT_SECRET"] == content


def test_a_secret_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRMCOM_PASSWORD_FILE", "/no/such/file")
    with pytest.raises(SettingsError, match="CRMCOM_PASSWORD_FILE: the file it names cannot be"):
        environment()


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://localhost:1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:2/x", True),
        ("http://10.0.0.1", False),
        ("http://localhost.example", False),
        ("not a url", False),
    ],
)
def test_loopback_is_this_machine_only(url: str, *, is_local: bool) -> None:
    assert is_loopback(url) is is_local
