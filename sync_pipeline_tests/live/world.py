"""The sandbox that a live run reads, and whether the warehouse is equal to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import Engine

from sync_pipeline.entities import ENTITIES
from sync_pipeline.settings import Settings, read_settings
from sync_pipeline_tests.system.rows import differing_keys, found_rows, selection, true_rows


@dataclass(frozen=True, slots=True)
class Unrest:
    """What a sandbox is started with; ``state`` keeps its changes from one start to the next."""

    contacts: int
    faults: str
    version: str
    state: Path
    page_size: int

    def options(self, *, changes_per_minute: float) -> tuple[str, ...]:
        """Return its command line."""
        world = ("--contacts", str(self.contacts), "--crmcom-version", self.version)
        kept = ("--state", str(self.state), "--faults", self.faults)
        return (*world, *kept, "--changes-per-minute", str(changes_per_minute))

    def settings(self, client: httpx.Client) -> Settings:
        """Return the settings that read the sandbox, in lists of several pages."""
        environ: dict[str, str] = client.get("/_sandbox/env").raise_for_status().json()
        pages = dict.fromkeys(("ROCS_PAGE_SIZE", "CRMCOM_PAGE_SIZE"), str(self.page_size))
        # In a small world that changes fast, a real share of it goes.
        return read_settings(environ | pages | {"MAX_DELETE_SHARE": "1"})


def differing(engine: Engine, client: httpx.Client, *, version: str) -> dict[str, tuple[int, int]]:
    """Return by entity how many rows the world has, and how many differ in the warehouse."""
    outcome = {}
    for name, entity in ENTITIES.items():
        answer = client.get(f"/_sandbox/world/{name}", params={"version": version}, timeout=120)
        true = true_rows(entity, answer.raise_for_status().json())
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(selection(entity)).fetchall()
        found = found_rows(entity, [tuple(row) for row in rows])
        outcome[name] = len(true), len(differing_keys(found, true, entity))
    return outcome
