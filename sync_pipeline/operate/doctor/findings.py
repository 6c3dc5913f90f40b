"""What a check found. Nothing here looks at anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the doctor's report; a remedy wherever the state is not ok."""

    check: str
    state: State
    found: str
    remedy: str = ""


def ok(check: str, found: str) -> Finding:
    """Return a finding with which all is well."""
    return Finding(check, "ok", found)


def warning(check: str, found: str, remedy: str) -> Finding:
    """Return a finding that a person should know of, and that stops nothing."""
    return Finding(check, "warning", found, remedy)


def failed(check: str, found: str, remedy: str) -> Finding:
    """Return a finding with which a command will fail."""
    return Finding(check, "failed", found, remedy)


def has_failed(findings: Sequence[Finding]) -> bool:
    """Tell whether anything will fail."""
    return any(finding.state == "failed" for finding in findings)
