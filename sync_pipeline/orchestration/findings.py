"""What each check of a stream looks at in the warehouse, and what it finds there.

Counts and names, never a row. `checks` makes Dagster's checks of these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
from sqlalchemy import Connection

from sync_pipeline.entities import Stream
from sync_pipeline.operate import pace
from sync_pipeline.pull.drift import breaches, policy_of, said_of
from sync_pipeline.settings import Settings
from sync_pipeline.warehouse import checks
from sync_pipeline.warehouse.drift import FieldNews, field_news
from sync_pipeline.warehouse.inbox import lost_events
from sync_pipeline.warehouse.push_queue import open_by_stream
from sync_pipeline.warehouse.runs import RunKey, find_run

Shown = dg.TableMetadataValue | dg.TimestampMetadataValue | int | float | str | bool
# More than the clocks of the database and of the process that reads differ by.
_CLOCKS_APART = timedelta(minutes=10)
OF_LATE = timedelta(days=7)
# Its sender tries once: a webhook now and then is lost, and the next poll makes up for it.
_MOST_LOST = 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """What a check is to look at: a stream, after a run over it or by itself."""

    stream: Stream
    run_id: str
    settings: Settings


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What a check found: counts, and whether that is a fault (an error, or just a warning)."""

    is_well: bool
    said: str
    counts: Mapping[str, Shown]
    is_error: bool = False

    def result(self, name: str, key: dg.AssetKey) -> dg.AssetCheckResult:
        """Return it as Dagster takes it."""
        return dg.AssetCheckResult(
            passed=self.is_well,
            asset_key=key,
            check_name=name,
            severity=dg.AssetCheckSeverity.ERROR if self.is_error else dg.AssetCheckSeverity.WARN,
            description=self.said,
            metadata=self.counts,
        )


def look_at_proof(connection: Connection, look: Look) -> CheckFinding:
    """Warn unless every scope was proven complete within the bound."""
    since = datetime.now(UTC) - timedelta(hours=look.settings.staleness_bound_hours)
    found = checks.proofs(connection, look.stream, since=since)
    counts: dict[str, Shown] = {
        "scopes": found.scopes,
        "unproven": found.unproven,
        "stale": found.stale,
        "unread": found.unread,
    }
    if found.incomplete:
        counts["incomplete"] = _counts("reason", "scopes", found.incomplete)
    if found.oldest_proven_at:
        counts["oldest_proof"] = dg.MetadataValue.timestamp(found.oldest_proven_at)
    return CheckFinding(
        is_well=bool(found.scopes) and not found.unproven and not found.unread,
        said=_said_of(found),
        counts=counts,
    )


def _said_of(found: checks.Proofs) -> str:
    if not found.scopes:
        return "nothing was read yet"
    if not found.unproven and not found.unread:
        return f"all {found.scopes:,} scopes are proven complete"
    unread = f"; {found.unread:,} wait for the next run" if found.unread else ""
    return f"{found.unproven:,} of {found.scopes:,} scopes are not proven complete{unread}"


def look_at_keys(connection: Connection, look: Look) -> CheckFinding:
    """Fail when a key has two rows at any time; after a run only what it superseded is read."""
    run = find_run(connection, RunKey(look.run_id, look.stream))
    began = run["started_at"] if run else None
    since = began - _CLOCKS_APART if isinstance(began, datetime) else None
    found = checks.versions(connection, look.stream, since=since)
    lost = "" if found.has_primary_key else "; the table has lost its primary key"
    return CheckFinding(
        is_well=found.has_primary_key and not found.overlapping,
        is_error=True,
        said=f"{found.overlapping:,} of {found.looked_at:,} superseded versions overlap{lost}",
        counts={
            "looked_at": found.looked_at,
            "overlapping": found.overlapping,
            "has_primary_key": found.has_primary_key,
            "looked_since": since.isoformat() if since else "the beginning",
        },
    )


def look_at_orphans(connection: Connection, look: Look) -> CheckFinding:
    """Warn about rows whose contact is not in `warehouse.contacts`."""
    found = checks.orphans(connection, look.stream)
    return CheckFinding(
        is_well=not found.rows,
        said=f"{found.rows:,} rows name {found.contacts:,} contacts that are not there",
        counts={"rows": found.rows, "contacts": found.contacts},
    )


def look_at_lost_events(connection: Connection, look: Look) -> CheckFinding:  # noqa: ARG001 -- as of all checks
    """Warn when more status changes than a few were found by reading alone."""
    found = lost_events(connection, since=datetime.now(UTC) - OF_LATE)
    return CheckFinding(
        is_well=found.share <= _MOST_LOST,
        said=f"{found.untold:,} of {found.changes:,} status changes were told by no webhook",
        counts={"changes": found.changes, "untold": found.untold, "loss_rate": found.share},
    )


def look_at_quarantine(connection: Connection, look: Look) -> CheckFinding:
    """Warn when more than some rows are in quarantine; fail above a share of all."""
    found = checks.quarantined(connection, look.stream)
    settings = look.settings
    is_error = found.share > settings.quarantine_fail_share
    share = f", {found.share:.1%} of all" if found.open else ""
    counts: dict[str, Shown] = {"open": found.open, "share": found.share}
    if found.by_code:
        counts["by_defect"] = _counts("error_code", "rows", found.by_code)
    return CheckFinding(
        is_well=found.open <= settings.quarantine_warn_rows and not is_error,
        is_error=is_error,
        said=f"{found.open:,} rows are in quarantine{share}",
        counts=counts,
    )


def look_at_updates(connection: Connection, look: Look) -> CheckFinding:
    """Warn when updates of the stream were given up, or may have been applied."""
    found = open_by_stream(connection).get(str(look.stream), {})
    stuck = {state: found[state] for state in ("dead", "uncertain") if state in found}
    said = ", ".join(f"{updates:,} {state}" for state, updates in stuck.items())
    return CheckFinding(
        is_well=not stuck,
        said=f"updates that a person should look at: {said or 'none'}",
        counts={"updates": _counts("status", "updates", found)} if found else {},
    )


def look_at_budget(connection: Connection, look: Look) -> CheckFinding:
    """Fail when the requests that the source is allowed cannot hold the staleness bound."""
    now = datetime.now(UTC)
    source = look.stream.source
    is_fan_out = pace.is_fan_out(look.stream, look.settings)
    found = pace.pace_of(connection, source, look.settings, now=now) if is_fan_out else None
    if found is None:
        return CheckFinding(is_well=True, said="read as one list", counts={})
    depth = pace.waiting_of(connection, look.stream, look.settings, now=now)
    counts: dict[str, Shown] = {
        "needed_requests_per_second": found.needed,
        "allowed_requests_per_second": found.allowed,
        "due": depth.due,
        "unread": depth.unread,
    }
    if depth.oldest_at:
        counts["oldest_due"] = dg.MetadataValue.timestamp(depth.oldest_at)
    return CheckFinding(is_well=found.is_enough, is_error=True, said=found.said, counts=counts)


def look_at_drift(connection: Connection, look: Look) -> CheckFinding:
    """Warn about fields of the contract that were missing or of another type of late."""
    since = datetime.now(UTC) - OF_LATE
    news = [
        one for one in field_news(connection, streams=[look.stream]) if one.last_seen_at > since
    ]
    policy = policy_of(look.settings, look.stream)
    broken = breaches(news)
    said = "; ".join(map(said_of, broken)) or "the fields of the contract are as they were"
    return CheckFinding(
        is_well=policy == "keep" or not broken,
        is_error=policy == "fail",
        said=said,
        counts={"fields": _fields(news)} if news else {},
    )


def _fields(news: Sequence[FieldNews]) -> dg.TableMetadataValue:
    names = ("field", "kind", "example_type", "rows")
    columns = [dg.TableColumn(name, "int" if name == "rows" else "string") for name in names]
    rows = [
        dg.TableRecord(
            {name: str(getattr(one, name) or "") for name in names[:-1]} | {"rows": one.rows}
        )
        for one in news
    ]
    return dg.MetadataValue.table(rows, schema=dg.TableSchema(columns))


def _counts(name: str, count: str, found: Mapping[str, int]) -> dg.TableMetadataValue:
    columns = [dg.TableColumn(name, "string"), dg.TableColumn(count, "int")]
    rows = [dg.TableRecord({name: key, count: number}) for key, number in found.items()]
    return dg.MetadataValue.table(rows, schema=dg.TableSchema(columns))
