"""What the receiver counts, for Prometheus; a name that a sender makes up is never a label."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sync_pipeline.warehouse.inbox import InboxDepth

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Metrics:
    """The counters of one receiver."""

    def __init__(self, depths: Callable[[], Sequence[InboxDepth]]) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Depths(depths))
        self.events = Counter(
            "webhook_events",
            "Events by source, kind and outcome: stored, away (to be sent again)",
            ["source", "kind", "outcome"],
            registry=self._registry,
        )
        self.requests = Counter(
            "webhook_requests",
            "Requests by route and status",
            ["route", "status"],
            registry=self._registry,
        )
        self.seconds = Histogram(
            "webhook_request_seconds",
            "Time from a request's headers to its answer",
            buckets=_BUCKETS_S,
            registry=self._registry,
        )

    def exposition(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self._registry)


class _Depths(Collector):
    def __init__(self, depths: Callable[[], Sequence[InboxDepth]]) -> None:
        self._depths = depths

    def collect(self) -> Iterable[GaugeMetricFamily]:
        waiting = GaugeMetricFamily(
            "webhook_events_waiting", "Stored events that wait for a pull", labels=["source"]
        )
        age = GaugeMetricFamily(
            "webhook_oldest_waiting_seconds", "Age of the oldest of them", labels=["source"]
        )
        now = datetime.now(UTC)
        for depth in self._depths():
            waiting.add_metric([depth.source], depth.waiting)
            since = (now - depth.oldest_at).total_seconds() if depth.oldest_at else 0
            age.add_metric([depth.source], max(since, 0.0))
        return [waiting, age]
