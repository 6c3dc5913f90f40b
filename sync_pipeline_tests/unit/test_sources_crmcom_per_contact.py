"""CRM.COM over real HTTP where each contact reads itself, with the credentials of the file."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from sync_pipeline.errors import (
    AccessDeniedError,
    SettingsError,
    SourceError,
    TransientSourceError,
    WrongAnswerError,
)
from sync_pipeline.settings import CrmcomSettings
from sync_pipeline.sources import crmcom_access
from sync_pipeline.sources.contacts_file import Credentials, read_contact_ids, read_credentials
from sync_pipeline.sources.crmcom import CrmcomApi, open_crmcom
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline_tests.scripted_server import Received, Scripted, ScriptedServer

T = TypeVar("T")
LOGIN = "/self-service/v2/contacts/authenticate"
FAST = RetryBounds(attempts=3, wait_initial_s=0, wait_max_s=0, wait_jitter_s=0)
LINES = "contact_id,username,password\nc-1,one,pw-1\nc-2,two,pw-2\nc-3\nc-4,four,\n"


class Portal:
    """Gives each user a token, and each contact to its own token alone."""

    def __init__(self, server: ScriptedServer, *, header: str = "authorization") -> None:
        self.logins: Counter[str] = Counter()
        self._header = header
        server.respond("POST", LOGIN, self.log_in)
        for number in ("1", "2"):
            path = f"/self-service/v2/contacts/c-{number}"
            server.respond("GET", path, self.contact)
            server.respond("GET", f"{path}/approval_requests", self.contact)

    def log_in(self, request: Received) -> Scripted:
        body = json.loads(request.body)
        self.logins[body["username"]] += 1
        if body["password"] != {"one": "pw-1", "two": "pw-2"}[body["username"]]:
            return Scripted.json({"message": f"no {request.body.decode()}", "error": "E"}, 401)
        return Scripted.json({"access_token": f"token-of-{body['username']}"})

    def contact(self, request: Received) -> Scripted:
        user = {"1": "one", "2": "two"}[request.path.split("/")[4][-1]]
        sent = request.headers.get(self._header, "").removeprefix("Bearer ")
        body = {"id": f"c-of-{user}", "content": []}
        return Scripted.json(body) if sent == f"token-of-{user}" else Scripted(401)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "contacts.csv"
    path.write_text(LINES, encoding="utf-8")
    return path


def read(
    server: ScriptedServer, file: Path, use: Callable[[CrmcomApi], Awaitable[T]], **changed: str
) -> T:
    async def main() -> T:
        values: dict[str, object] = {
            "base_url": f"{server.url}/self-service/v2",
            "api_key": "publishable-key",
            "auth": "per_contact",
            "contacts_file": file,
        }
        settings = CrmcomSettings.model_validate(values | changed)
        async with open_crmcom(settings, bounds=FAST) as api:
            return await use(api)

    return asyncio.run(main())


def test_each_contact_is_read_with_its_own_token_after_one_login(
    server: ScriptedServer, file: Path
) -> None:
    portal = Portal(server)

    async def use(api: CrmcomApi) -> list[bytes]:
        ids = ["c-1", "c-2"] * 10
        answers = await asyncio.gather(*(api.contact(contact_id) for contact_id in ids))
        await asyncio.gather(*(api.approval_requests_page(contact_id, 1) for contact_id in ids))
        return [answer.record for answer in answers[:2]]

    records = read(server, file, use)
    assert [json.loads(record)["id"] for record in records] == ["c-of-one", "c-of-two"]
    assert portal.logins == {"one": 1, "two": 1}
    assert {r.headers["api_key"] for r in server.of("POST", LOGIN)} == {"publishable-key"}


def test_a_communication_is_read_as_the_contact_whose_it_is(
    server: ScriptedServer, file: Path
) -> None:
    Portal(server)
    path = "/self-service/v2/communications/m-1"
    server.script("GET", path, Scripted.json({"id": "m-1"}))
    read(server, file, lambda api: api.communication("c-2", "m-1"))
    assert server.of("GET", path)[0].headers["authorization"] == "Bearer token-of-two"


def test_what_is_known_of_the_header_holds_for_every_contact(
    server: ScriptedServer, file: Path
) -> None:
    portal = Portal(server, header="auth_token")

    async def use(api: CrmcomApi) -> None:
        await api.contact("c-1")
        await api.contact("c-2")

    read(server, file, use)
    reads = [server.count("GET", f"/self-service/v2/contacts/c-{n}") for n in (1, 2)]
    assert reads == [3, 1]
    assert portal.logins == {"one": 1, "two": 1}


def test_a_refused_login_is_about_that_contact_alone(server: ScriptedServer, file: Path) -> None:
    file.write_text("c-1,one,changed\nc-2,two,pw-2\n", encoding="utf-8")
    portal = Portal(server)

    async def use(api: CrmcomApi) -> list[object]:
        calls = [api.contact("c-1"), api.contact("c-1"), api.contact("c-2")]
        return list(await asyncio.gather(*calls, return_exceptions=True))

    first, second, other = read(server, file, use)
    assert type(first) is type(second) is AccessDeniedError
    assert isinstance(first, AccessDeniedError)
    assert (first.path, first.status, first.code) == ("/contacts/{id}", 401, "E")
    assert first.detail.startswith(
        "the API refuses the identity: correct the line of this contact in CRMCOM_CONTACTS_FILE, "
        "or CRMCOM_API_KEY"
    )
    assert not isinstance(other, BaseException)
    assert portal.logins == {"one": 1, "two": 1}


def test_a_contact_that_its_own_token_may_not_read_is_denied(
    server: ScriptedServer, file: Path
) -> None:
    Portal(server)
    server.script("GET", "/self-service/v2/contacts/c-1", Scripted(401))
    with pytest.raises(AccessDeniedError) as caught:
        read(server, file, lambda api: api.contact("c-1"))
    assert caught.value.path == "/contacts/{id}"


def test_a_contact_that_is_asked_for_a_code_is_denied_with_the_reason(
    server: ScriptedServer, file: Path
) -> None:
    server.script("POST", LOGIN, Scripted.json({"obfuscated_value": "+4*", "auth_otp": "9f"}))
    with pytest.raises(AccessDeniedError, match="asks for a one-time password"):
        read(server, file, lambda api: api.contact("c-1"))


@pytest.mark.parametrize("contact_id", ["c-3", "c-4", "c-5", "C-1"])
def test_a_contact_without_credentials_is_denied_before_any_request(
    server: ScriptedServer, file: Path, contact_id: str
) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        read(server, file, lambda api: api.approval_requests_page(contact_id, 1))
    assert str(caught.value) == (
        "CRM.COM /contacts/{id}/approval_requests: "
        "CRMCOM_CONTACTS_FILE has no username and password for this contact"
    )
    assert server.received == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(Scripted(500), TransientSourceError), (Scripted(200, b"<html>"), WrongAnswerError)],
)
def test_a_login_that_fails_is_about_that_contact_alone(
    server: ScriptedServer, file: Path, answer: Scripted, kind: type[SourceError]
) -> None:
    server.script("POST", LOGIN, answer)
    with pytest.raises(SourceError, match="its login failed") as caught:
        read(server, file, lambda api: api.contact("c-1"))
    assert type(caught.value) is kind
    assert caught.value.path == "/contacts/{id}"


def test_an_ended_token_is_renewed_with_that_contacts_credentials(
    server: ScriptedServer, file: Path
) -> None:
    portal = Portal(server)

    async def use(api: CrmcomApi) -> None:
        await api.contact("c-1")
        server.script(
            "GET", "/self-service/v2/contacts/c-1", Scripted(401), Scripted.json({"id": "c-1"})
        )
        await api.contact("c-1")

    read(server, file, use)
    assert portal.logins == {"one": 2}


def test_only_so_many_contacts_stay_logged_in(
    server: ScriptedServer, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crmcom_access, "MOST_SESSIONS", 1)
    portal = Portal(server)

    async def use(api: CrmcomApi) -> None:
        for contact_id in ("c-1", "c-1", "c-2", "c-1"):
            await api.contact(contact_id)

    read(server, file, use)
    assert portal.logins == {"one": 2, "two": 1}


def test_credentials_show_in_no_error_log_or_repr(
    server: ScriptedServer, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    file.write_text("c-1,one-who-reads,pw-of-one\n", encoding="utf-8")
    echo = {"message": "one-who-reads with pw-of-one", "error": "pw-of-one"}
    shown = repr(read_credentials(file))
    for login, answer in [(401, 200), (500, 200), (200, 403), (200, 500)]:
        token = {"access_token": "token-1"} if login == 200 else echo
        server.script("POST", LOGIN, Scripted.json(token, login))
        server.script("GET", "/self-service/v2/contacts/c-1", Scripted.json(echo, answer))
        with pytest.raises(SourceError) as caught:
            read(server, file, lambda api: api.contact("c-1"))
        shown += f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    shown += caplog.text
    assert "one-who-reads" not in shown
    assert "pw-of-one" not in shown


def test_a_file_without_any_credentials_is_said_before_any_request(
    server: ScriptedServer, file: Path
) -> None:
    file.write_text("contact_id\nc-1\nc-2\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="CRMCOM_CONTACTS_FILE: no line has a username and"):
        read(server, file, lambda api: api.contact("c-1"))
    assert server.received == []


def test_the_file_is_read_with_or_without_a_header_and_its_first_line_of_an_id_counts(
    tmp_path: Path,
) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(
        '\ufeffcontact_id, username ,password\r\nc-1, one ,"pw, ""1"""\r\n\r\n'
        ",two,pw-2\r\nc-1,other,pw\r\nc-2\r\n".encode()
    )
    assert list(read_contact_ids(path)) == ["c-1", "c-1", "c-2"]
    assert read_credentials(path) == {"c-1": Credentials("one", 'pw, "1"')}
    path.write_text("c-1,one,pw-1,more\n", encoding="utf-8")
    assert list(read_contact_ids(path)) == ["c-1"]
    assert read_credentials(path) == {"c-1": Credentials("one", "pw-1")}


def test_a_file_that_is_no_text_names_its_variable(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    path.write_bytes(b"\xff\xfec-1")
    with pytest.raises(SettingsError, match="CRMCOM_CONTACTS_FILE: not readable as a CSV"):
        read_credentials(path)
