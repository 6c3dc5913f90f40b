"""What a person sees in Dagster's UI, in a real browser: the asset graph, a run, its metadata."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest

from sync_pipeline.entities import ENTITIES, STREAMS
from sync_pipeline.warehouse.descriptions import column_descriptions
from sync_pipeline_tests.system.browser import Page, open_page
from sync_pipeline_tests.system.browser_hands import Tab, open_tab
from sync_pipeline_tests.system.dagster_ui import FRESHNESS, OF_BACKFILL, RUN, DagsterUi
from sync_pipeline_tests.system.installation import Installation, awaited
from sync_pipeline_tests.system.rows import Row, personal_values, warehouse_rows, world_rows
from sync_pipeline_tests.system.test_up import is_up, ui_url
from sync_pipeline_tests.system.versions import WAYS

TENANTS = ENTITIES["tenants"]
COMMUNICATIONS = ENTITIES["communications"]
BY_DAY = "/assets/crmcom/communications_by_day"
# Else a schedule may read everything before it is stopped.
SELDOM = {f"{source}_INTERVAL_MINUTES": "1440" for source in ("CRMCOM", "ROCS", "ROSAAS")}


@dataclass(frozen=True, slots=True)
class Shown:
    """A stack after a run over the tenants, and the pages that a browser opens of it."""

    installation: Installation
    ui: DagsterUi
    run_id: str
    folder: Path

    def page(self, path: str, name: str) -> Page:
        return open_page(f"{self.ui.url}{path}", self.folder / f"{name}.png")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    with Installation() as installation:
        installation.start_sandbox(contacts=20)
        process = installation.start("up", environ={**WAYS[0].environ(installation), **SELDOM})
        awaited(lambda: process.poll() is not None or is_up(installation), "the stack is up")
        ui = DagsterUi(ui_url(installation))
        # A run that a schedule starts meanwhile would be the latest on these pages.
        ui.stop_schedules()
        awaited(ui.is_idle, "the runs that schedules had started are over")
        run_id = ui.launch_asset("rosaas", "tenants")
        query = {"runId": run_id}
        awaited(lambda: ui.ask(RUN, query)["runOrError"]["status"] == "SUCCESS", "the run ends")
        yield Shown(installation, ui, run_id, tmp_path_factory.mktemp("pages"))
        process.kill()
        process.communicate()


def words(page: Page) -> str:
    """Return the text of a page, one blank between its elements."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", page.html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize("source", sorted({stream.source for stream in STREAMS.values()}))
def test_the_graph_of_a_source_shows_what_it_offers_and_what_is_read(
    shown: Shown, source: str
) -> None:
    seen = words(shown.page(f"/locations/sync_pipeline/asset-groups/{source}", source))
    for stream in STREAMS.values():
        if stream.source == source:
            assert f"{stream.entity.name}_api" in seen
            assert f" {stream.entity.name} " in seen
    assert "Asset checks" in seen


def test_an_asset_shows_its_freshness_its_columns_and_where_they_come_from(shown: Shown) -> None:
    seen = words(shown.page("/assets/rosaas/tenants?view=overview", "asset"))
    for column, said in column_descriptions(TENANTS).items():
        assert f" {column} " in seen
        assert said in seen
    assert "Fails if more than 24 hours since last materialization" in seen
    assert "Warns if more than 12 hours since last materialization" in seen
    assert "origin of the columns" in seen
    assert "systemName" in seen


def test_a_materialisation_shows_the_counts_of_its_run_and_nobody_s_data(shown: Shown) -> None:
    seen = words(shown.page("/assets/rosaas/tenants?view=events", "events"))
    (counts,) = shown.installation.ask(
        "SELECT rows_read, rows_inserted, requests FROM ops.sync_runs WHERE run_id = %s",
        shown.run_id,
    )
    for name, count in zip(("rows_read", "rows_inserted", "requests"), counts, strict=True):
        assert f"{name} {count} " in seen
    assert f"dagster/table_name warehouse.{TENANTS.name} " in seen
    assert not [value for value in personal_values(shown.installation) if f" {value} " in seen]


def test_a_run_shows_its_load_and_its_checks(shown: Shown) -> None:
    seen = words(shown.page(f"/runs/{shown.run_id}", "run"))
    assert "Success" in seen
    assert "rosaas__tenants__checks" in seen
    assert "6 checks" in seen


def test_each_check_of_a_stream_is_shown_with_its_result(shown: Shown) -> None:
    seen = words(shown.page("/assets/rosaas/tenants?view=checks&checkDetail=proof", "checks"))
    for name in ("proof", "key_uniqueness", "quarantine_depth", "drift"):
        assert f" {name} Succeeded" in seen
    assert "scopes are proven complete" in seen


def test_the_freshness_of_what_was_read_is_told_by_the_daemon(shown: Shown) -> None:
    def is_fresh() -> bool:
        nodes = shown.ui.ask(FRESHNESS)["assetNodes"]
        found = {"/".join(n["assetKey"]["path"]): n["freshnessStatusInfo"] for n in nodes}
        info = found["rosaas/tenants"]
        return bool(info) and info["freshnessStatus"] == "HEALTHY"

    awaited(is_fresh, "the freshness daemon has looked")


def has_asked_for_days(tab: Tab) -> bool:
    """Press what leads to the dialog that asks for days; tell whether it is there."""
    if "Partition selection" in tab.text():
        return True
    # Contacts were not read yet: Dagster wants to be sure.
    if not tab.has_pressed("Confirm"):
        tab.has_pressed("Materialize")
    return False


def is_of_the_days(row: Row) -> bool:
    created_at = row["source_created_at"]
    assert isinstance(created_at, datetime)
    return created_at.year == 2025 and created_at.month in {1, 2, 6}


def test_a_backfill_started_on_a_page_fills_its_days_and_no_others(shown: Shown) -> None:
    with open_tab() as tab:
        tab.open(f"{shown.ui.url}{BY_DAY}")
        awaited(lambda: has_asked_for_days(tab), "the dialog asks for days")
        tab.press("Show all partitions")
        tab.write("[2025-01-01...2025-02-28], [2025-06-01...2025-06-30]")
        awaited(lambda: "89 partitions" in tab.text(), "the dialog has counted the days")
        tab.press("Launch backfill")
        created = re.compile(r"Created backfill (\w+)")
        backfill_id = awaited(lambda: created.search(tab.text()), "the page says that it began")[1]
        awaited(lambda: has_run_twice(shown.ui, backfill_id), "what lies apart is two runs")
        tab.open(f"{shown.ui.url}/runs/b/{backfill_id}")
        awaited(lambda: "Partitions targeted" in tab.text(), "the backfill has a page")
        tab.take_picture(shown.folder / "backfill.png")
        assert "communications_by_day" in tab.text()
        tab.open(f"{shown.ui.url}{BY_DAY}?view=partitions")
        awaited(lambda: "Materialized (89)" in tab.text(), "the days are shown as read")
    true = world_rows(shown.installation, COMMUNICATIONS, source="crmcom")
    wanted = [row for row in true if is_of_the_days(row)]
    assert 0 < len(wanted) < len(true)
    assert warehouse_rows(shown.installation, COMMUNICATIONS) == wanted
    live = "SELECT * FROM ops.watermarks WHERE entity = 'communications'"
    assert shown.installation.ask(live) == []


def has_run_twice(ui: DagsterUi, backfill_id: str) -> bool:
    runs = ui.ask(OF_BACKFILL, {"tag": backfill_id})["runsOrError"]["results"]
    statuses = [run["status"] for run in runs]
    assert "FAILURE" not in statuses
    return statuses == ["SUCCESS"] * 2
