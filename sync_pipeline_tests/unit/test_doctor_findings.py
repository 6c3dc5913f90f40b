"""The doctor's judgements, from values alone."""

from __future__ import annotations

import errno
import socket
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from sync_pipeline.operate.disk import MIB, Space
from sync_pipeline.operate.doctor.findings import Finding, has_failed
from sync_pipeline.operate.doctor.machine import (
    home_finding,
    port_finding,
    python_finding,
    space_finding,
)
from sync_pipeline.operate.doctor.server import (
    clock_finding,
    dagster_database_finding,
    encoding_finding,
    rights_finding,
    schema_finding,
    version_finding,
)
from sync_pipeline.operate.doctor.sources import contact_ids_finding, unreachable
from sync_pipeline.operate.postgres.libc import MUSL_REMEDY, is_musl, where_to_get_postgres
from sync_pipeline.settings import CrmcomSettings

ROOT = Path("/srv/sync")
JUDGED: list[tuple[Finding, str]] = [
    (python_finding((3, 10), "3.10.1"), "failed"),
    (python_finding((3, 11), "3.11.0"), "ok"),
    (space_finding(Space(100 * MIB, 5 * MIB), ROOT), "failed"),
    (space_finding(Space(2000 * MIB, 500 * MIB), ROOT), "warning"),
    (space_finding(Space(20_000 * MIB, 5000 * MIB), ROOT), "ok"),
    (port_finding("UI_PORT", 3000, is_ours=True, is_free=False), "ok"),
    (port_finding("UI_PORT", 3000, is_ours=False, is_free=True), "ok"),
    (port_finding("UI_PORT", 3000, is_ours=False, is_free=False), "warning"),
    (version_finding(130_012), "failed"),
    (version_finding(140_000), "ok"),
    (encoding_finding("UTF8"), "ok"),
    (encoding_finding("SQL_ASCII"), "failed"),
    (encoding_finding("LATIN1"), "failed"),
    (clock_finding(timedelta(seconds=-4)), "ok"),
    (clock_finding(timedelta(seconds=-5)), "warning"),
    (clock_finding(timedelta(minutes=5)), "failed"),
    (schema_finding(2, 2), "ok"),
    (schema_finding(0, 2), "warning"),
    (schema_finding(3, 2), "failed"),
    (rights_finding(may_create=True, may_create_roles=True, is_needed=True), "ok"),
    (rights_finding(may_create=True, may_create_roles=False, is_needed=True), "warning"),
    (rights_finding(may_create=False, may_create_roles=False, is_needed=True), "failed"),
    (rights_finding(may_create=False, may_create_roles=True, is_needed=False), "ok"),
    (dagster_database_finding(may_create=True), "ok"),
    (dagster_database_finding(may_create=False), "failed"),
]


@pytest.mark.parametrize(("finding", "state"), JUDGED)
def test_a_fact_is_judged_and_whatever_is_not_well_has_a_remedy(
    finding: Finding, state: str
) -> None:
    assert finding.state == state
    assert bool(finding.remedy) == (state != "ok")
    assert has_failed([finding]) == (state == "failed")


def test_a_home_is_judged_without_making_it(tmp_path: Path) -> None:
    assert home_finding(tmp_path).state == "ok"
    assert home_finding(tmp_path / "a" / "b").found.endswith("b (not made yet)")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "home"):
        finding = home_finding(path)
        assert (finding.state, finding.found) == ("failed", f"{tmp_path / 'file'} is a file")


@pytest.mark.parametrize(
    ("exc", "found"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "the host name cannot be resolved (DNS)"),
        (ssl.SSLCertVerificationError("x"), "its TLS certificate is not trusted here"),
        (ssl.SSLError("x"), "no TLS connection"),
        (TimeoutError(), "no connection after 10 s"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "no connection (refused)"),
    ],
)
def test_each_way_of_being_unreachable_is_told_apart(exc: OSError, found: str) -> None:
    said, remedy = unreachable(exc)
    assert said == found
    assert remedy


@pytest.mark.parametrize(
    ("content", "state"),
    [
        ("contact_id\nc-1\nc-2\n".encode("utf-8-sig"), "ok"),
        (b"contact_id\n", "failed"),
        ("contact_id\nc-1\n".encode("utf-16"), "failed"),
        ("contact_id,username\nc-1,Jos\u00e9\n".encode("latin-1"), "failed"),
    ],
)
def test_the_file_of_contact_ids_is_looked_into(tmp_path: Path, content: bytes, state: str) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)
    settings = CrmcomSettings.model_validate(
        {
            "base_url": "https://crm.invalid/self-service/v1",
            "api_key": "k",
            "username": "u",
            "password": "p",
            "contacts_file": file,
        }
    )
    finding = contact_ids_finding(settings)
    assert finding.state == state
    assert "c-1" not in finding.found


@pytest.mark.parametrize(
    ("abi", "libc", "expected"),
    [
        ("cpython-312-x86_64-linux-musl", "", True),
        ("cpython-314-aarch64-linux-musl", "musl", True),
        ("cpython-314-aarch64-linux", "musl", True),
        ("cpython-311-x86_64-linux-gnu", "glibc", False),
        ("cpython-313-darwin", "", False),
        ("", "", False),
    ],
)
def test_musl_is_told_from_other_libraries(*, abi: str, libc: str, expected: bool) -> None:
    assert is_musl(abi=abi, libc=libc) == expected


def test_where_there_is_no_bundled_postgresql_the_ways_out_are_named() -> None:
    assert where_to_get_postgres(has_musl=True) == MUSL_REMEDY
    for word in ("WAREHOUSE_URL", "apk add postgresql", "musl"):
        assert word in MUSL_REMEDY
    assert "WAREHOUSE_URL" in where_to_get_postgres(has_musl=False)
