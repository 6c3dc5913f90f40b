"""The checks of each stream: after every load in the same run, and alone from the UI.

A check that finds something stops nothing: it warns, or (for a broken table) fails. What it tells
are counts, never a row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

import dagster as dg
from sqlalchemy import Connection

from sync_pipeline.entities import ROSAAS_TENANTS, Stream
from sync_pipeline.errors import SyncError
from sync_pipeline.mapping.pushable import PUSHABLE
from sync_pipeline.orchestration.assets import asset_key
from sync_pipeline.orchestration.findings import (
    OF_LATE,
    CheckFinding,
    Look,
    look_at_budget,
    look_at_drift,
    look_at_keys,
    look_at_lost_events,
    look_at_orphans,
    look_at_proof,
    look_at_quarantine,
    look_at_updates,
)
from sync_pipeline.orchestration.resources import Pipeline
from sync_pipeline.warehouse import checks
from sync_pipeline.warehouse.engine import transaction


@dataclass(frozen=True, slots=True)
class Check:
    """A check: what holds when it passes, how it looks, and at which streams."""

    holds: str
    look: Callable[[Connection, Look], CheckFinding]
    is_about: Callable[[Stream], bool] = lambda _stream: True


CHECKS = {
    "proof": Check("Every scope was proven complete within STALENESS_BOUND_HOURS", look_at_proof),
    "key_uniqueness": Check(
        "Each key has one row at any time. After a run it looks at what was superseded since the "
        "run began; started alone, at everything",
        look_at_keys,
    ),
    "orphans": Check(
        "The contact of every row is in warehouse.contacts", look_at_orphans, checks.has_contacts
    ),
    "quarantine_depth": Check(
        "No more than QUARANTINE_WARN_ROWS rows are in quarantine (an error when they are more "
        "than the QUARANTINE_FAIL_SHARE of all)",
        look_at_quarantine,
    ),
    "drift": Check(
        f"In the last {OF_LATE.days} days no field of the contract was missing or of another type "
        "(DRIFT_POLICY); new fields and unknown words are shown and are no fault",
        look_at_drift,
    ),
    "updates_depth": Check(
        "No update of a record was given up (dead), none may have been applied (uncertain): see "
        "`sync-pipeline push list`",
        look_at_updates,
        frozenset(one.stream for one in PUSHABLE).__contains__,
    ),
    "budget": Check(
        "The requests that the source is allowed can hold STALENESS_BOUND_HOURS, by what the last "
        "runs took; shows how many contacts are due",
        look_at_budget,
        attrgetter("is_fan_out"),
    ),
    "lost_events": Check(
        f"Of the status changes of the last {OF_LATE.days} days, webhooks told all but a few "
        "before a reading found them; without webhooks there is nothing to compare",
        look_at_lost_events,
        ROSAAS_TENANTS.__eq__,
    ),
}


def stream_checks(stream: Stream) -> dg.AssetChecksDefinition:
    """Return the checks of a stream: one step for all of them, or for those chosen in the UI."""
    key = asset_key(stream)

    @dg.multi_asset_check(
        name=f"{key.to_python_identifier()}__checks",
        specs=[
            dg.AssetCheckSpec(name, asset=key, description=check.holds)
            for name, check in CHECKS.items()
            if check.is_about(stream)
        ],
        can_subset=True,
    )
    def look(
        context: dg.AssetCheckExecutionContext, pipeline: Pipeline
    ) -> Iterator[dg.AssetCheckResult]:
        at = Look(stream, context.run.run_id, pipeline.settings)
        wanted = {chosen.name for chosen in context.selected_asset_check_keys}
        try:
            with transaction(pipeline.engine) as connection:
                found = {
                    name: check.look(connection, at)
                    for name, check in CHECKS.items()
                    if name in wanted
                }
        except SyncError as exc:
            raise dg.Failure(description=str(exc), allow_retries=False) from exc
        for name, finding in found.items():
            yield finding.result(name, key)

    return look
