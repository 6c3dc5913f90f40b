"""`sync-pipeline doctor`: what is set up well, what is not, and what to do about it.

The modules beside this one hold the checks: pure judgements on facts, and what finds the facts.
Here is only their order. Nothing is written to the warehouse or to a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from sync_pipeline.errors import SettingsError
from sync_pipeline.operate.doctor.findings import Finding, failed, has_failed, ok
from sync_pipeline.operate.doctor.machine import check_machine, check_ports
from sync_pipeline.operate.doctor.server import check_server
from sync_pipeline.operate.doctor.sources import SOURCES, check_source
from sync_pipeline.operate.home import Home
from sync_pipeline.settings import environment, read_settings

__all__ = ["Finding", "examine", "has_failed", "has_wrong_settings"]

_SETTINGS = "settings"


def examine() -> Iterator[Finding]:
    """Yield every finding as soon as there is one; with wrong settings what else can be checked."""
    environ: dict[str, str] = {}
    try:
        environ = environment()
        settings = read_settings(environ)
    except SettingsError as exc:
        yield failed(_SETTINGS, str(exc), "correct the variable that is named")
        yield from check_machine(_home_alone(environ))
        return
    yield ok(_SETTINGS, "every variable is well-formed")
    yield from check_machine(settings.sync_home)
    yield from check_ports(settings, Home(settings.sync_home))
    yield from check_server(settings)
    for source in SOURCES:
        yield from check_source(settings, source)


def _home_alone(environ: Mapping[str, str]) -> Path:
    return read_settings({name: environ[name] for name in environ if name == "SYNC_HOME"}).sync_home


def has_wrong_settings(findings: list[Finding]) -> bool:
    """Tell whether the settings themselves are wrong."""
    return any(one.check == _SETTINGS and one.state == "failed" for one in findings)
