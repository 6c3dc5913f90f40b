"""Questions to Dagster's web server, over GraphQL as its pages ask them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import httpx

from sync_pipeline_tests.system.installation import awaited

REPOSITORY: Final = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "sync_pipeline",
}
ASSETS: Final = """{ assetNodes {
    assetKey { path } groupName jobNames dependencyKeys { path }
} }"""
FRESHNESS: Final = """{ assetNodes {
    assetKey { path } freshnessStatusInfo { freshnessStatus }
} }"""
SCHEDULES: Final = """query Schedules($repository: RepositorySelector!) {
    schedulesOrError(repositorySelector: $repository) {
        ... on Schedules { results { name cronSchedule pipelineName scheduleState { status } } }
    }
}"""
SCHEDULE_IDS: Final = """query Schedules($repository: RepositorySelector!) {
    schedulesOrError(repositorySelector: $repository) {
        ... on Schedules { results { scheduleState { id } } }
    }
}"""
STOP: Final = """mutation Stop($id: String!) {
    stopRunningSchedule(id: $id) {
        __typename
        ... on PythonError { message }
    }
}"""
UNFINISHED: Final = """{ runsOrError(
    filter: { statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING] }
) { ... on Runs { results { runId } } } }"""
DAEMONS: Final = """{ instance { daemonHealth {
    allDaemonStatuses { daemonType required healthy }
} } }"""
LAUNCH: Final = """mutation Launch($params: ExecutionParams!) {
    launchRun(executionParams: $params) {
        __typename
        ... on LaunchRunSuccess { run { runId } }
        ... on PythonError { message }
        ... on RunConfigValidationInvalid { errors { message } }
    }
}"""
RUN: Final = """query Run($runId: ID!) { runOrError(runId: $runId) { ... on Run {
    status tags { key value }
    assetMaterializations {
        assetKey { path }
        metadataEntries { label ... on IntMetadataEntry { intValue } }
    }
} } }"""

OF_BACKFILL: Final = """query Runs($tag: String!) { runsOrError(
    filter: {tags: [{key: "dagster/backfill", value: $tag}]}
) { ... on Runs { results { runId status } } } }"""


class DagsterUi:
    """The web server at one address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 -- whatever shape the query has
        answer = httpx.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables or {}},
            timeout=60,
            trust_env=False,
        )
        body = answer.raise_for_status().json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    def stop_schedules(self) -> None:
        """Stop all schedules, so that from now on nothing runs but what is launched."""
        answer = self.ask(SCHEDULE_IDS, {"repository": REPOSITORY})["schedulesOrError"]
        for schedule in answer["results"]:
            asked = {"id": schedule["scheduleState"]["id"]}
            awaited(partial(self._has_stopped, asked), "the schedule is stopped")

    def _has_stopped(self, asked: Mapping[str, object]) -> bool:
        try:
            stopped = self.ask(STOP, asked)["stopRunningSchedule"]
        except httpx.HTTPStatusError:
            # A daemon that has just started notes the schedule's state at the same moment.
            return False
        assert stopped["__typename"] == "ScheduleStateResult", stopped
        return True

    def is_idle(self) -> bool:
        """Whether no run is queued or under way."""
        return not self.ask(UNFINISHED)["runsOrError"]["results"]

    def launch_asset(self, *path: str) -> str:
        """Materialise one asset by `pull_job`, and return the run's id."""
        selector = {**REPOSITORY, "pipelineName": "pull_job", "assetSelection": [{"path": path}]}
        params = {"selector": selector, "runConfigData": {}, "mode": "default"}
        launched = self.ask(LAUNCH, {"params": params})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])
