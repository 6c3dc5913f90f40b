"""What RoSaaS's calls for one tenant come to: the status that it moves to, its metadata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .rows import Tenant

_FAILURE = 14
# By the last part of the path: the status that the call reports.
REPORTS = {"created": 4, "active": 7, "inactive": 10, "deleted": 13, "failure": _FAILURE}
_FROM = {4: 3, 7: 6, 10: 9, 13: 12}
_END_OF_STEP = {1: 4, 2: 7, 3: 10, 4: 13}
_WORKING = (3, 6, 9, 12)
# What one asks RoSaaS itself to do, and from which statuses it may be asked.
REQUESTS = {"": (2, (1,)), "ActivationRequest": (5, (10,)), "DeactivationRequest": (8, (4, 7))}
_ALREADY = {4: "3002", 7: "3002", 10: "3003", 13: "3003"}


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a tenant does not move."""

    code: str
    message: str


def status_after(tenant: Tenant, call: str) -> int | Refused:
    """Tell the status that a tenant has after one of the calls in REPORTS or REQUESTS."""
    code = tenant.status_code
    if call in REQUESTS:
        wanted, allowed = REQUESTS[call]
        return wanted if code in allowed else _not_allowed()
    wanted = REPORTS[call]
    if wanted == code and wanted in _ALREADY:
        return Refused(_ALREADY[wanted], "The tenant has this status already")
    if wanted == _FAILURE:
        return wanted if code in _WORKING else _not_allowed()
    if code == _FAILURE:
        return wanted if _END_OF_STEP[tenant.step] == wanted else _not_allowed()
    return wanted if code == _FROM[wanted] else _not_allowed()


def _not_allowed() -> Refused:
    return Refused("3008", "The status cannot change so")
