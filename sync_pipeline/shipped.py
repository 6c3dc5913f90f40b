"""Where the files that ship with the project lie: SQL, dagster.yaml, workspace.yaml.

In a checkout they stand at the top level, in an installed wheel inside the package. This
module is the one place that knows both.
"""

from __future__ import annotations

from pathlib import Path

from sync_pipeline.errors import SetupError

_PACKAGE = Path(__file__).resolve().parent


def shipped_path(name: str) -> Path:
    """Return the path of the shipped file or folder ``name``; raise SetupError without it."""
    for root in (_PACKAGE / "shipped", _PACKAGE.parent):
        if (root / name).exists():
            return root / name
    raise SetupError(f"{name} is missing from this installation: install sync-pipeline again")
