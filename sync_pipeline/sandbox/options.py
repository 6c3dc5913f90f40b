"""How a sandbox behaves beside what its world is: slowness, unrest, faults, denial, its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .access import CRMCOM_VERSION
from .denial import Denial
from .fault_plan import FaultPlan

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The defaults are a world that stands still, answers at once and forgets at its end."""

    latency_ms: float = 0.0
    crmcom_version: str = CRMCOM_VERSION
    changes_per_minute: float = 0.0
    faults: FaultPlan = field(default_factory=FaultPlan)
    denied: Denial = field(default_factory=Denial)
    # Where changes are kept over a restart.
    state: Path | None = None
