"""Whether `customer_update_sensor` launches a run, and under which key.

What it decides follows from rows alone: the outbox says what is due, Dagster's storage which runs
have been about just that. So neither a lost cursor nor a tick that raised is a matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from sync_pipeline.orchestration.run_states import NOT_YET_RUNNING, UNFINISHED
from sync_pipeline.push.decide import pause_after
from sync_pipeline.warehouse.push_queue import DueUpdates

JOB_NAME = "push_job"
FACTS_TAG = "sync/facts"
MOST_AT_ONCE = 2
"""One that is long for one source must not keep the updates of another waiting."""


@dataclass(frozen=True, slots=True)
class Launch:
    """A run to launch."""

    key: str


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run about the same facts; ``ended_at`` is null while it goes on."""

    run_id: str
    has_failed: bool
    ended_at: datetime | None


def facts_of(due: DueUpdates) -> str:
    """Return what is due, in a word: it changes when an update comes, goes or was worked on."""
    return f"push:{due.first_id}-{due.last_id}:{due.count}:{due.attempts}"


def launch_or_wait(facts: str, runs: Sequence[PastRun], *, now: datetime) -> Launch | str:
    """Return the run to launch, or why there is none; ``runs`` are about these facts, in order.

    A run that failed before it took anything leaves the same facts: it is launched again, later
    each time, under a key that names that run. A number would come again: old runs are removed.
    """
    if not runs:
        return Launch(facts)
    last = runs[-1]
    if last.ended_at is None:
        return "a run about these updates is at work"
    if not last.has_failed:
        return "these updates stay as they are: a run has looked at them"
    due_at = last.ended_at + min(pause_after(len(runs)), timedelta(minutes=10))
    if now < due_at:
        return f"the last run about these updates failed: the next is launched at {due_at:%H:%M:%S}"
    return Launch(f"{facts}:after-{last.run_id}")


def obstacle(instance: DagsterInstance) -> str | None:
    """Return why no run is to be launched now, whatever is due."""
    waiting = RunsFilter(job_name=JOB_NAME, statuses=NOT_YET_RUNNING)
    if instance.get_runs_count(waiting):
        return "an earlier run still waits for its turn"
    working = RunsFilter(job_name=JOB_NAME, statuses=[DagsterRunStatus.STARTED])
    if instance.get_runs_count(working) >= MOST_AT_ONCE:
        return f"{MOST_AT_ONCE} runs are at work"
    return None


def runs_about(instance: DagsterInstance, facts: str) -> list[PastRun]:
    """Return the runs that were launched about just these facts, the oldest first."""
    records = instance.get_run_records(RunsFilter(tags={FACTS_TAG: facts}), ascending=True)
    found = []
    for record in records:
        status = record.dagster_run.status
        ended_at = None
        if status not in UNFINISHED:
            ended_at = datetime.fromtimestamp(
                record.end_time or record.update_timestamp.timestamp(), UTC
            )
        has_failed = status is not DagsterRunStatus.SUCCESS
        found.append(PastRun(record.dagster_run.run_id, has_failed, ended_at))
    return found


def quiet(due: DueUpdates) -> str:
    """Return why nothing is to be launched though updates may wait."""
    if due.next_due_at is None:
        return "no update waits to be sent"
    return f"no update is due before {due.next_due_at:%Y-%m-%d %H:%M:%S} UTC"
