from __future__ import annotations

import re
from pathlib import Path

import pytest

from sync_pipeline.entities import STREAMS, Stream
from sync_pipeline.errors import SettingsError
from sync_pipeline.settings import (
    PushModel,
    environment,
    is_loopback,
    known_variables,
    read_settings,
)
from sync_pipeline.shipped import shipped_path

CRMCOM = {
    "CRMCOM_BASE_URL": "https://crm.example/self-service/v1",
    "CRMCOM_API_KEY": "publishable",
    "CRMCOM_USERNAME": "service",
    "CRMCOM_PASSWORD": "hush-hush",
}
PER_CONTACT = {
    "CRMCOM_BASE_URL": "https://crm.example/self-service/v2",
    "CRMCOM_API_KEY": "publishable",
    "CRMCOM_AUTH": "per_contact",
}
ROCS = {
    "ROCS_BASE_URL": "https://rocs.example",
    "ROCS_TOKEN_URL": "https://login.example/a-tenant/oauth2/token",
    "ROCS_CLIENT_ID": "client",
    "ROCS_CLIENT_SECRET": "hush-hush",
    "ROCS_RESOURCE": "https://rocs.example/api",
}
ROSAAS = {
    "ROSAAS_BASE_URL": "https://rosaas.example",
    "ROSAAS_CLIENT_ID": "client",
    "ROSAAS_CLIENT_SECRET": "hush-hush",
}


@pytest.fixture(autouse=True)
def no_variables_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in known_variables():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_a_home_that_no_disk_could_name_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^SYNC_HOME: should have no part of more than 255"):
        read_settings({"SYNC_HOME": f"homes/{'é' * 128}"})


def test_the_policy_for_drift_is_one_for_all_and_others_by_stream() -> None:
    def policy(text: str) -> dict[str, str]:
        return dict(read_settings({"DRIFT_POLICY": text}).drift_policy)

    assert dict(read_settings({}).drift_policy) == {"": "warn"}
    assert policy("keep") == {"": "keep"}
    assert policy("rocs/contacts=fail") == {"": "warn", "rocs/contacts": "fail"}
    both = {"": "fail", "rocs/contacts": "keep", "crmcom/contacts": "warn"}
    assert policy("fail, rocs/contacts=keep , crmcom/contacts = warn") == both


def test_the_policy_for_conflicts_is_one_for_all_and_others_by_field() -> None:
    def policies(text: str) -> list[str]:
        settings = read_settings({"PUSH_CONFLICT_POLICY": text})
        asked = ("crmcom/contacts", "email"), ("rocs/contacts", "email"), ("rocs/contacts", "phone")
        return [settings.conflict_policy(*one) for one in asked]

    assert read_settings({}).conflict_policy("crmcom/contacts", "email") == "hold"
    assert policies("theirs") == ["theirs", "theirs", "theirs"]
    assert policies("email=ours") == ["ours", "ours", "hold"]
    assert policies("ours, rocs/contacts/email = theirs") == ["ours", "theirs", "ours"]
    custom = read_settings({"PUSH_CONFLICT_POLICY": "attributes.custom_fields.Shoe size=ours"})
    assert custom.conflict_policy("crmcom/contacts", "attributes.custom_fields.Shoe size") == "ours"


@pytest.mark.parametrize("text", ["never", "email=never", "Email=ours", "rocs/email=ours"])
def test_a_policy_for_conflicts_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"^PUSH_CONFLICT_POLICY: "):
        read_settings({"PUSH_CONFLICT_POLICY": text})


def test_a_push_model_is_one_line_and_holds_unless_it_is_automatic() -> None:
    def models(text: str) -> tuple[PushModel, ...]:
        return read_settings({"PUSH_MODELS": text}).push_models

    held = PushModel("mine", "rocs/contacts", is_automatic=False)
    assert models("mine:rocs/contacts") == models("mine:rocs/contacts=held") == (held,)
    other = PushModel("m2", "crmcom/contacts", is_automatic=True)
    assert models("mine:rocs/contacts , m2:crmcom/contacts=automatic") == (held, other)
    assert models("none") == ()
    for wrong in ("mine", "mine:rocs", "mine:rocs/contacts=", "mine:rocs/contacts=on"):
        with pytest.raises(SettingsError, match=r"^PUSH_MODELS: "):
            models(wrong)


def test_updates_are_sent_to_apis_of_this_machine_unless_told_otherwise() -> None:
    local = ROSAAS | {"ROSAAS_BASE_URL": "http://127.0.0.1:8765"}

    def senders(**environ: str) -> list[str]:
        settings = read_settings(CRMCOM | local | environ)
        return [s for s in ("crmcom", "rocs", "rosaas") if settings.may_write_to(s)]

    assert senders() == ["rosaas"]
    assert senders(PUSH_ENABLED="on") == ["crmcom", "rosaas"]
    assert senders(PUSH_ENABLED="off") == []


def test_nothing_set_means_no_source_and_a_home_in_the_working_folder(tmp_path: Path) -> None:
    settings = read_settings({})
    assert (settings.is_any_source_on, settings.warehouse_url) == (False, None)
    assert settings.sync_home == tmp_path / ".sync"
    assert (settings.ui_port, settings.sandbox_port) == (3000, 8765)
    assert (settings.staleness_bound_hours, settings.run_slice_seconds) == (24, 240)
    assert settings.max_delete_share == 0.05


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
        ({"QUARANTINE_FAIL_SHARE": "5"}, "QUARANTINE_FAIL_SHARE: "),
        ({"QUARANTINE_WARN_ROWS": "-1"}, "QUARANTINE_WARN_ROWS: "),
        ({"DRIFT_POLICY": "hush-hush"}, "DRIFT_POLICY: Input should be 'keep', 'warn' or 'fail'"),
        ({"DRIFT_POLICY": "rocs=fail"}, "DRIFT_POLICY: should be like warn,crmcom/contacts=fail"),
        ({"DRIFT_POLICY": "warn,=fail,"}, "DRIFT_POLICY: Input should be"),
        ({"ALERT_URLS": "hush-hush"}, "ALERT_URLS: should be apprise URLs"),
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
        (CRMCOM | {"CRMCOM_BASE_URL": "https://crm.example/v3"}, "CRMCOM_BASE_URL should end"),
        (CRMCOM | {"CRMCOM_AUTH": "nobody"}, "CRMCOM_AUTH: "),
        (CRMCOM | {"CRMCOM_USERNAME": ""}, "CRMCOM_USERNAME is missing"),
        (CRMCOM | {"CRMCOM_PASSWORD": ""}, "CRMCOM_PASSWORD is missing"),
        (PER_CONTACT, "CRMCOM_CONTACTS_FILE is missing: CRMCOM_AUTH=per_contact"),
        (PER_CONTACT | {"CRMCOM_API_KEY": ""}, "CRMCOM_API_KEY: is missing"),
        (CRMCOM | {"CRMCOM_CONTACT_IDS": "rocs"}, "CRMCOM_CONTACT_IDS=rocs asks for ROCS_BASE_URL"),
        (
            CRMCOM | ROCS | {"CRMCOM_CONTACT_IDS": "rocs", "ROCS_CONTACTS_MODE": "lookup"},
            "CRMCOM_CONTACT_IDS=rocs asks for ROCS_BASE_URL and ROCS_CONTACTS_MODE=list",
        ),
        (ROCS | {"ROCS_TOKEN_URL": ""}, "ROCS_TOKEN_URL: is missing"),
        (ROCS | {"ROCS_TOKEN_URL": "http://login.example/token"}, "ROCS_TOKEN_URL: should start"),
        (
            ROCS | {"ROCS_TOKEN_URL": "https://login.example/{tenant}/oauth2/token"},
            "ROCS_TOKEN_URL: should have its {placeholder} replaced",
        ),
        (ROCS | {"ROCS_CLIENT_SECRET": ""}, "ROCS_CLIENT_SECRET: is missing"),
        (ROCS | {"ROCS_RESOURCE": ""}, "exactly one of ROCS_RESOURCE (Azure v1) and ROCS_SCOPE"),
        (ROCS | {"ROCS_SCOPE": "api/.default"}, "exactly one of ROCS_RESOURCE (Azure v1) and"),
        (ROCS | {"ROCS_CONTACTS_MODE": "guess"}, "ROCS_CONTACTS_MODE: "),
        (ROCS | {"ROCS_LISTS_PATH": "ListAPI"}, "ROCS_LISTS_PATH: should be a path such as"),
        (ROCS | {"ROCS_LISTS_PATH": "/a?b=hush-hush"}, "ROCS_LISTS_PATH: should be a path"),
        (ROCS | {"ROCS_DYNAMIC_PATH": "/a/{id}"}, "ROCS_DYNAMIC_PATH: should be a path"),
        (ROCS | {"ROCS_PUSH_FIELDS": "attributes.contactInterests"}, "ROCS_PUSH_FIELDS: should be"),
        (ROCS | {"ROCS_PUSH_FIELDS": "attributes.sourceType=string"}, "ROCS_PUSH_FIELDS: should"),
        (
            ROCS | {"ROCS_PUSH_FIELDS": "attributes.dynamic_fields.size=number"},
            "ROCS_DYNAMIC_PATH is missing: ROCS_PUSH_FIELDS asks for it",
        ),
        (ROCS | {"ROCS_PAGE_PARAM": "n", "ROCS_SIZE_PARAM": "n"}, "ROCS_PAGE_PARAM and ROCS_SIZE"),
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


def test_rocs_asks_only_for_what_its_vendor_gives() -> None:
    rocs = read_settings(ROCS).rocs
    assert rocs is not None
    assert rocs.model_dump(exclude={"client_secret"}) == {
        "base_url": "https://rocs.example",
        "requests_per_second": 5,
        "max_in_flight": 4,
        "page_size": 100,
        "timeout_s": 60,
        "interval_minutes": 15,
        "token_url": "https://login.example/a-tenant/oauth2/token",
        "client_id": "client",
        "resource": "https://rocs.example/api",
        "scope": None,
        "contacts_path": "/CustomerAPI/v1/Contacts",
        "contacts_mode": "list",
        "page_param": "page",
        "size_param": "pageSize",
        "result_key": None,
        "activity_path": None,
        "lists_path": None,
        "campaigns_path": None,
        "dynamic_path": None,
        "update_path": None,
        "dynamic_update_path": None,
        "push_fields": {},
    }


def test_paths_of_rocs_may_end_with_a_slash() -> None:
    rocs = read_settings(ROCS | {"ROCS_LISTS_PATH": "/my-api/v2/Lists(all)/"}).rocs
    assert rocs is not None
    assert rocs.lists_path == "/my-api/v2/Lists(all)/"


def test_a_variable_that_has_only_the_name_of_a_source_is_somebody_elses() -> None:
    assert read_settings({"ROCS": "1", "CRMCOM": "x"}).is_any_source_on is False


def test_every_source_is_found_by_its_name() -> None:
    settings = read_settings(CRMCOM | ROCS | ROSAAS)
    found = [settings.of_source(source) for source in ("crmcom", "rocs", "rosaas")]
    assert found == [settings.crmcom, settings.rocs, settings.rosaas]
    assert None not in found
    assert read_settings(ROCS).is_any_source_on


OF_SOURCES = {"crmcom": CRMCOM, "rocs": ROCS, "rosaas": ROSAAS}
PATHS = {
    "rocs/communications": "ROCS_ACTIVITY_PATH",
    "rocs/contact_lists": "ROCS_LISTS_PATH",
    "rocs/campaigns": "ROCS_CAMPAIGNS_PATH",
}


@pytest.mark.parametrize("stream", STREAMS.values(), ids=str)
def test_a_stream_that_is_off_says_by_which_variable_it_is_turned_on(stream: Stream) -> None:
    source, entity = stream.source, stream.entity.name
    on, path = OF_SOURCES[source], PATHS.get(str(stream))
    assert read_settings({}).missing_for(source, entity) == f"{source.upper()}_BASE_URL"
    assert read_settings(on).missing_for(source, entity) == path
    if path is not None:
        assert read_settings(on | {path: "/here"}).missing_for(source, entity) is None


def test_an_entity_that_rocs_is_not_known_to_have_is_not_taken_for_on() -> None:
    with pytest.raises(KeyError, match="tenants"):
        read_settings(ROCS).missing_for("rocs", "tenants")


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_version_of_crmcom_is_the_end_of_its_address(version: str) -> None:
    crmcom = read_settings(CRMCOM | {"CRMCOM_BASE_URL": f"https://crm.example/{version}/"}).crmcom
    assert crmcom is not None
    assert crmcom.version == version


def test_contacts_with_credentials_of_their_own_need_no_service_identity(tmp_path: Path) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text("c-1,user,hush-hush\n", encoding="utf-8")
    crmcom = read_settings(PER_CONTACT | {"CRMCOM_CONTACTS_FILE": str(file)}).crmcom
    assert crmcom is not None
    assert (crmcom.auth, crmcom.username, crmcom.password) == ("per_contact", None, None)


def test_crmcom_ids_may_come_from_the_list_of_rocs() -> None:
    settings = read_settings(CRMCOM | ROCS | {"CRMCOM_CONTACT_IDS": "rocs"})
    assert settings.crmcom is not None
    assert settings.crmcom.contact_ids == "rocs"


def test_the_example_names_every_variable_once() -> None:
    example = shipped_path(".env.example").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)) == sorted(known_variables())


def test_the_variables_of_every_source_and_the_common_ones_are_known() -> None:
    given = {*CRMCOM, *PER_CONTACT, *ROCS, *ROSAAS, "SYNC_HOME", "WAREHOUSE_URL", "UI_PORT"}
    assert given < known_variables()
    assert {"CRMCOM", "ROCS", "ROSAAS"} & known_variables() == set()


def test_no_secret_is_shown_by_repr() -> None:
    settings = read_settings(
        CRMCOM
        | ROCS
        | ROSAAS
        | {
            "WAREHOUSE_URL": "postgresql://u:hush-hush@host/db",
            "ALERT_URLS": "mailto://u:hush-hush@host",
        }
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
