"""The wheel: built, installed without a checkout in sight, and used in an empty folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import dagster
import pyarrow as pa
import pytest

from sync_pipeline.entities import ENTITIES, STREAMS
from sync_pipeline_tests.system.dagster_ui import ASSETS, DagsterUi
from sync_pipeline_tests.system.installation import Installation, awaited, interrupt
from sync_pipeline_tests.system.rows import warehouse_rows, world_rows

CHECKOUT = Path(__file__).resolve().parents[2]
WHERE = "import sync_pipeline; print(sync_pipeline.__file__)"


@pytest.fixture(scope="module")
def environment() -> Iterator[Path]:
    """Return a virtual environment with the wheel; its dependencies are those of the tests.

    A path file names their folder. Path files *in* that folder have no effect then, so that an
    editable installation of the checkout is out of sight.
    """
    folder = Path(tempfile.mkdtemp(prefix="sync-pipeline-wheel-"))
    folder.chmod(0o755)
    try:
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "hatchling",
            "build",
            "-t",
            "wheel",
            "-d",
            folder,
        ]
        subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        made = folder / "environment"
        venv.create(made, with_pip=True, symlinks=True)
        install: list[str | Path] = [
            made / "bin" / "python",
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--no-index",
        ]
        subprocess.run([*install, "--quiet", wheel], check=True, capture_output=True)
        # A pure one and a compiled one: some systems keep them apart.
        paths = {str(Path(str(module.__file__)).parents[1]) for module in (dagster, pa)}
        (site_packages,) = (made / "lib").glob("python*/site-packages")
        (site_packages / "dependencies.pth").write_text("\n".join(sorted(paths)) + "\n")
        yield made
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def installed(environment: Path) -> Iterator[Installation]:
    """An installation whose commands are the wheel's."""
    with Installation(program=environment / "bin" / "sync-pipeline") as installation:
        installation.start_sandbox(contacts=20)
        yield installation


def test_what_is_imported_is_the_wheel_and_not_the_checkout(
    environment: Path, installed: Installation
) -> None:
    done = subprocess.run(
        [environment / "bin" / "python", "-c", WHERE],
        cwd=installed.workplace,
        env=installed.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = Path(done.stdout.strip())
    assert imported.is_relative_to(environment)
    assert not imported.is_relative_to(CHECKOUT)


def test_a_run_in_an_empty_folder_loads_everything(installed: Installation) -> None:
    out = installed.run("run").succeeded().out
    for stream in STREAMS:
        assert stream in out
    tenants = ENTITIES["tenants"]
    assert warehouse_rows(installed, tenants) == world_rows(installed, tenants)
    told = json.loads(installed.run("status", "--json").succeeded().out)
    counts = {row["stream"]: row["rows"] for row in told}
    for stream in ("crmcom/contacts", "crmcom/communications"):
        world = installed.world(STREAMS[stream].entity.name)
        assert counts[stream] == sum(row["source"] == "crmcom" for row in world)
    assert list(installed.workplace.iterdir()) == []


def test_doctor_finds_what_ships_in_the_wheel(installed: Installation, environment: Path) -> None:
    told = json.loads(installed.run("doctor", "--json").succeeded().out)
    (shipped,) = [row["found"] for row in told if row["check"] == "installation"]
    assert str(environment) in shipped
    assert str(CHECKOUT) not in shipped


def test_up_loads_the_code_location_by_its_name_and_down_ends_everything(
    installed: Installation,
) -> None:
    process = installed.start("up")
    ui = DagsterUi(f"http://127.0.0.1:{installed.ui_port}")

    def assets() -> set[str]:
        assert process.poll() is None, process.communicate()
        try:
            nodes = ui.ask(ASSETS)["assetNodes"]
        except Exception:  # noqa: BLE001 -- not there yet
            return set()
        return {"/".join(node["assetKey"]["path"]) for node in nodes}

    assert set(STREAMS) <= awaited(assets, "the web server answers")
    assert interrupt(process).code == 0
    installed.run("down").succeeded()
    assert installed.processes() == []
