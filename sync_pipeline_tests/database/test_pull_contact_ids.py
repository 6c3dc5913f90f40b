"""Where contact ids come from, and what an unproven list of them means for both streams."""

from __future__ import annotations

import codecs
import tracemalloc
from pathlib import Path

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, Stream
from sync_pipeline.errors import SettingsError, SourceError
from sync_pipeline.pull.contact_ids import LINES_AT_ONCE
from sync_pipeline.sources.contacts_file import read_contact_ids
from sync_pipeline_tests.pull_vendors import BACKOFFICE, LOGINS, Vendors
from sync_pipeline_tests.pulls import Pulls, counts
from sync_pipeline_tests.scripted_server import Scripted

REGISTERED = "SELECT contact_id, origin, access FROM ops.contact_registry ORDER BY 1"


@pytest.mark.parametrize(
    "content",
    [
        b"contact_id\na\nb\nc\n",
        b"a\nb\nc",
        codecs.BOM_UTF8 + b"contact_id,username,password\r\na,anna,pa55word\r\n\r\n b ,,\r\nc\r\n",
        b'contact_id,note\n"a","x, y"\n\n,\nb\nb\nc,"two\nlines"\n',
    ],
)
def test_the_registry_file_names_the_contacts_and_keeps_its_credentials(
    pull: Pulls, vendors: Vendors, tmp_path: Path, content: bytes
) -> None:
    vendors.hold_contacts("a", "b", "c")
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)

    report = pull(CRMCOM_CONTACTS, settings=vendors.settings(contacts_file=file))

    assert pull.rows(REGISTERED) == [(name, "file", "granted") for name in "abc"]
    assert counts(report) == {"inserted": 3}
    assert report.row["is_complete"] is True
    assert vendors.asked(BACKOFFICE) == 0
    for table in ("ops.contact_registry", "ops.sync_runs", "ops.watermarks", "warehouse.contacts"):
        stored = str(pull.rows(f"SELECT * FROM {table}"))
        assert "anna" not in stored
        assert "pa55word" not in stored


def test_a_long_registry_file_is_taken_in_piece_by_piece_or_not_at_all(
    pull: Pulls, vendors: Vendors, tmp_path: Path
) -> None:
    vendors.hold_contacts("a")
    file = tmp_path / "contacts.csv"
    ids = [f"c-{number:06d}" for number in range(2 * LINES_AT_ONCE + 1)]
    lines = "\n".join(ids)
    file.write_text(f"contact_id\n{lines}\nno id")
    settings = vendors.settings(contacts_file=file)

    with pytest.raises(SettingsError, match=f"line {len(ids) + 2} "):
        pull(CRMCOM_COMMUNICATIONS, settings=settings)
    assert pull.rows(REGISTERED) == []

    file.write_text(lines)
    tracemalloc.start()
    for contact_id in read_contact_ids(file):
        assert contact_id
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < file.stat().st_size / 2
    with pytest.raises(SourceError):
        # Not one of them is known there.
        pull(CRMCOM_COMMUNICATIONS, settings=settings, slice_s=0)
    assert [row[0] for row in pull.rows(REGISTERED)] == ids


def test_a_registry_file_that_is_not_text_is_a_wrong_setting(
    pull: Pulls, vendors: Vendors, tmp_path: Path
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes("contact_id\nä\n".encode("latin-1"))

    with pytest.raises(SettingsError, match="CRMCOM_CONTACTS_FILE"):
        pull(CRMCOM_CONTACTS, settings=vendors.settings(contacts_file=file))

    assert pull.rows(REGISTERED) == []
    assert pull.last_run("outcome", "is_complete") == ("failed", False)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"id;user;password\na;anna;pa55word\n", 1),
        (b"contact_id,username,password\na;anna;pa55word\n", 2),
        (b"contact_id\tusername\na\tanna\n", 1),
        (b"id,username,password\na,anna,pa55word\n", 1),
        (b"contact_id,username,password\nanna@example.com,pa55word,a\n", 2),
        (b'contact_id,username,password\n"a,anna,pa55word\nb,ben,pa55word\n', None),
    ],
)
def test_a_registry_file_that_is_written_otherwise_is_refused_and_nothing_of_it_goes_anywhere(
    pull: Pulls, vendors: Vendors, tmp_path: Path, content: bytes, line: int | None
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)

    with pytest.raises(SettingsError, match="CRMCOM_CONTACTS_FILE") as refused:
        pull(CRMCOM_CONTACTS, settings=vendors.settings(contacts_file=file))

    assert line is None or f"line {line} " in str(refused.value)
    assert "pa55word" not in str(refused.value)
    assert pull.rows(REGISTERED) == []
    assert vendors.contact_requests() == []


def test_a_registry_file_that_is_gone_is_a_wrong_setting(
    pull: Pulls, vendors: Vendors, tmp_path: Path
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(b"a\n")
    settings = vendors.settings(contacts_file=file)
    file.unlink()

    with pytest.raises(SettingsError, match="CRMCOM_CONTACTS_FILE"):
        pull(CRMCOM_CONTACTS, settings=settings)


@pytest.mark.parametrize("content", [b"", b"contact_id\n", b"\n\n,,\n"])
def test_no_id_at_all_is_a_wrong_setting(
    pull: Pulls, vendors: Vendors, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)
    settings = vendors.settings(contacts_file=file)

    for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS):
        with pytest.raises(SettingsError, match="no contact ids to read"):
            pull(stream, settings=settings)


def test_a_backoffice_user_logs_in_for_the_list(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    user = {"backoffice_username": "clerk", "backoffice_password": "secret"}

    report = pull(CRMCOM_CONTACTS, settings=vendors.settings(crmcom=user))

    assert vendors.server.count("POST", LOGINS[1]) == 1
    assert [r.headers["authorization"] for r in vendors.server.of("GET", BACKOFFICE)] == [
        "Bearer token-1"
    ]
    assert pull.rows(REGISTERED) == [("a", "backoffice", "granted"), ("b", "backoffice", "granted")]
    assert report.row["is_complete"] is True


def test_communications_bring_the_ids_in_when_nobody_has_yet(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")
    vendors.hold_communications("a", [{"id": "m-1"}])

    report = pull(CRMCOM_COMMUNICATIONS)

    assert counts(report) == {"inserted": 1}
    assert report.row["is_complete"] is True
    # The proof of the ids is that of contacts, wherever they were read.
    assert pull.watermarks(CRMCOM_CONTACTS) == {"": ("single_response", None)}
    assert set(pull.watermarks(CRMCOM_COMMUNICATIONS)) == {"a", "b"}

    pull(CRMCOM_COMMUNICATIONS)

    assert vendors.asked(BACKOFFICE) == 1


def test_ids_are_renewed_by_contacts_when_they_are_due_and_not_before(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    began = pull.began()
    pull(CRMCOM_CONTACTS, as_of=began)
    vendors.hold_contacts("a", "b")

    assert counts(pull(CRMCOM_CONTACTS, as_of=began)) == {}
    assert counts(pull(CRMCOM_CONTACTS)) == {"inserted": 1, "unchanged": 1}


def test_after_an_unproven_list_of_ids_neither_stream_is_complete(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a", "b", "c")
    listed = vendors.ids
    vendors.ids = Scripted.json({"content": listed, "paging": {"total": 4}})
    began = pull.began()

    first = pull(CRMCOM_CONTACTS, as_of=began)
    # Nothing is left to read, and still nobody knows whether these are all.
    second = pull(CRMCOM_CONTACTS, as_of=began)
    others = pull(CRMCOM_COMMUNICATIONS)

    assert [report.row["is_complete"] for report in (first, second, others)] == [False] * 3
    assert pull.watermarks(CRMCOM_CONTACTS)[""] == ("incomplete", "a page came twice")
    assert counts(first) == {"inserted": 3}

    vendors.ids = listed

    assert pull(CRMCOM_CONTACTS).row["is_complete"] is True
    assert pull(CRMCOM_COMMUNICATIONS).row["is_complete"] is True


def test_a_request_that_names_its_contacts_needs_no_list(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a", "b")

    for stream in (CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS):
        assert pull(stream, "a").row["is_complete"] is True

    assert vendors.asked(BACKOFFICE) == 0
    assert pull.rows(REGISTERED) == [("a", "asked", "granted")]


@pytest.mark.parametrize("stream", [CRMCOM_CONTACTS, CRMCOM_COMMUNICATIONS])
def test_a_listed_contact_without_an_id_is_kept_aside(
    pull: Pulls, vendors: Vendors, stream: Stream
) -> None:
    vendors.hold_contacts("a")
    assert not isinstance(vendors.ids, Scripted)
    vendors.ids.append({"first_name": "Nobody"})

    pull(stream)

    assert pull.rows("SELECT entity, record_id, error_code, payload FROM ops.quarantine") == [
        ("contacts", None, "no_id", {"first_name": "Nobody"})
    ]
