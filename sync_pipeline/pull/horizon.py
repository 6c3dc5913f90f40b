"""From when on a reading is old; apart from `pull.due`, so that asking for it needs no pandas."""

from __future__ import annotations

from datetime import datetime, timedelta

from sync_pipeline.warehouse.due import Horizon

OVERDUE_SHARE = 0.75


def horizon(now: datetime, bound: timedelta) -> Horizon:
    """Return what counts as old at ``now``, for a staleness bound."""
    # No reading is older than the bound: a hint from before has been followed.
    return Horizon(now - OVERDUE_SHARE * bound, now - bound)
