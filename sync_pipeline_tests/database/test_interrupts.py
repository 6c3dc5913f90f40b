"""Commands that only look end when they are told to, while an API keeps silent."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from sync_pipeline.operate.doctor.sources import login_finding
from sync_pipeline.push.preview import preview
from sync_pipeline.settings import Settings, read_settings
from sync_pipeline_tests.database.outbox_rows import ask, put_contacts
from sync_pipeline_tests.told import ToldToEndError, tell


@pytest.fixture
def silent() -> Iterator[Settings]:
    """Return settings of an API that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        known = {"BASE_URL": f"{address}/self-service/v2", "API_KEY": "x"}
        known |= {"USERNAME": "service@example.com", "PASSWORD": "x"}
        yield read_settings({f"CRMCOM_{name}": value for name, value in known.items()})


def require_loop_left_well(told: signal.Signals, handler: object) -> None:
    assert signal.getsignal(told) is handler
    assert asyncio.run(asyncio.sleep(0, "works")) == "works"


def test_a_dry_run_ends_when_it_is_told_to(
    engine: Engine, silent: Settings, told: signal.Signals
) -> None:
    put_contacts(engine, "c1")
    ask(engine, {"email": "zoe@example.com"})
    handler = signal.getsignal(told)
    tell(told, after_s=0.5)
    with pytest.raises(ToldToEndError):
        preview(engine, silent, ["crmcom"])
    require_loop_left_well(told, handler)


def test_the_doctor_ends_when_it_is_told_to(silent: Settings, told: signal.Signals) -> None:
    assert silent.crmcom is not None
    handler = signal.getsignal(told)
    tell(told, after_s=0.5)
    with pytest.raises(ToldToEndError):
        login_finding(silent.crmcom, "crmcom")
    require_loop_left_well(told, handler)
