"""The real command, `sync-pipeline pull`, killed with all that it started, and given again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from sqlalchemy import Engine, text

from sync_pipeline.entities import STREAMS
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline_tests.crashes.picture import picture_of
from sync_pipeline_tests.crashes.points import Cell
from sync_pipeline_tests.crashes.site import Site
from sync_pipeline_tests.crashes.trial import COMPARED, STATES, Trial

_PROGRAM = Path(sys.executable).with_name("sync-pipeline")
_LONGEST_S = 300.0
# After the run began.
_LATEST_S = 0.3
_ASK_AGAIN_S = 0.02
_RUNNING = text("SELECT source || '/' || entity FROM ops.sync_runs WHERE outcome = 'running'")


def strike_commands(
    site: Site, undisturbed: Trial, *, seed: int, say: Callable[[str], None]
) -> list[str]:
    """Kill the command once in each of three readings; return what differs in the end."""
    chance = Random(seed)  # noqa: S311 -- chance, no secret
    name = site.new_warehouse()
    findings: list[str] = []
    with tempfile.TemporaryDirectory() as home, engine_on(site.url(name)) as engine:
        known = {word: os.environ[word] for word in ("PATH", "HOME") if word in os.environ}
        own = {"SYNC_HOME": home, "WAREHOUSE_URL": site.url(name), "LC_ALL": "C.UTF-8"}
        environ = {**known, **site.environ, **own}
        for phase, state in enumerate(STATES[:3]):
            site.show(state)
            stream = chance.choice(list(STREAMS))
            came = _kill_in(stream, environ, engine, after_s=chance.uniform(0, _LATEST_S))
            say(f"{phase} {stream:25} sync-pipeline pull killed {came}")
            code = _start(environ).wait(_LONGEST_S)
            if code != 0:
                findings.append(f"{phase} sync-pipeline pull, given again: exit {code}")
            if phase in COMPARED:
                findings += _differences(engine, undisturbed, phase)
    site.drop(name)
    return findings


def _start(environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [_PROGRAM, "pull"],
        env=environ,
        cwd=environ["SYNC_HOME"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _kill_in(stream: str, environ: Mapping[str, str], engine: Engine, *, after_s: float) -> str:
    """Kill the command so long after the stream's run began; tell what it was doing."""
    process = _start(environ)
    while process.poll() is None and stream not in _running(engine):
        time.sleep(_ASK_AGAIN_S)
    time.sleep(after_s)
    if process.poll() is not None:
        return "never: it was over before"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return f"after {after_s:.3f} s, in the run of {', '.join(_running(engine)) or 'no stream'}"


def _running(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(_RUNNING).scalars())


def _differences(engine: Engine, undisturbed: Trial, phase: int) -> list[str]:
    with engine.connect() as connection:
        return [
            f"{phase} {name}, by sync-pipeline pull: {difference}"
            for name, stream in STREAMS.items()
            for difference in undisturbed.pictures[Cell(phase, name)].differences(
                picture_of(connection, stream)
            )
        ]
