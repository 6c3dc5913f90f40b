"""`failure_alert_sensor`: one message for each run that failed."""

import dagster as dg
from dagster import DagsterEvent, DagsterRun

from sync_pipeline.entities import STREAMS
from sync_pipeline.operate.alerts import send_alert
from sync_pipeline.orchestration.assets import asset_key
from sync_pipeline.settings import Settings

_LOOK_EVERY_S = 30


def failure_alert_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor. Without ALERT_URLS it sends nothing, and its ticks say so."""

    @dg.run_failure_sensor(
        name="failure_alert_sensor",
        description="Sends a message for each failed run to the services of ALERT_URLS",
        minimum_interval_seconds=_LOOK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alert(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        if settings.alert_urls is None:
            return dg.SkipReason("no message is sent: ALERT_URLS is not set")
        run, failures = context.dagster_run, [*context.get_step_failure_events()]
        trouble = send_alert(
            settings.alert_urls,
            title=f"{_subject(run, failures)} failed",
            body="\n".join(
                [
                    _error(context.failure_event, failures),
                    f"Run {run.run_id}",
                    f"http://127.0.0.1:{settings.ui_port}/runs/{run.run_id}",
                ]
            ),
        )
        if trouble is None:
            return None
        # A service that is away is no reason to send the same again at every tick.
        context.log.warning("run %s: %s", run.run_id, trouble)
        return dg.SkipReason(f"run {run.run_id}: {trouble}")

    return alert


def _subject(run: DagsterRun, failures: list[DagsterEvent]) -> str:
    """Return the streams that a run was over, by its tags or by the steps that failed."""
    if "sync/source" in run.tags and "sync/entity" in run.tags:
        return f"{run.tags['sync/source']}/{run.tags['sync/entity']}"
    steps = {event.step_key for event in failures}
    by_step = {asset_key(stream).to_python_identifier(): name for name, stream in STREAMS.items()}
    failed = [name for step, name in by_step.items() if {step, f"{step}__checks"} & steps]
    return ", ".join(failed) or run.job_name


def _error(event: DagsterEvent, failures: list[DagsterEvent]) -> str:
    said = [_words(failure) for failure in failures]
    return "\n".join(dict.fromkeys(said)) or event.message or "it did not get to its first step"


def _words(failure: DagsterEvent) -> str:
    """Return our own words of a failure; of an error that is not ours the name alone.

    Its text may quote a row.
    """
    data = failure.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    cause = data.error.cause or data.error if data.error is not None else None
    return f"unexpected {cause.cls_name}" if cause is not None else "failed"
