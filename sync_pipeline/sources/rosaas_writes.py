"""RoSaaS's writes as calls (contract 2.3, rows 9 to 14 and 17); sent by `RosaasApi.write`."""

from __future__ import annotations

from sync_pipeline.sources.calls import Call

TENANT = "/api/management/apps/v1/tenants/{name}"
ENGLISH = {"Accept-Language": "en"}
PERHAPS_DONE = frozenset({"3002", "3003", "3008"})
"""Refusals that an earlier sending of the same may have brought about: look first."""


def report_status(name: str, report: str, *, body: bytes | None = None) -> Call:
    """Return the call that reports a status: created, active, inactive, failure or deleted.

    A failure asks for a ``body``, any JSON.
    """
    template = f"{TENANT}/{report}"
    return Call("POST", template, ids=(name,), payload=body, headers=ENGLISH)


def put_metadata(name: str, body: bytes) -> Call:
    """Return the call that replaces a tenant's metadata by any JSON."""
    return Call("POST", f"{TENANT}/metadata", ids=(name,), payload=body, headers=ENGLISH)


def report_upgrade(name: str) -> Call:
    """Return the call that reports that the upgrade of a subscription was applied."""
    return Call("POST", f"{TENANT}/subscription/upgrade", ids=(name,), headers=ENGLISH)
