"""All benchmarks, each figure with its goal beside it: `make bench`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from sync_pipeline_tests.benchmarks import arrival, bulk, fan_out, push, push_arrival, webhooks


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[200_000])
    parser.add_argument("--in-flight", type=int, nargs="*", default=list(fan_out.TO_REACH))
    parser.add_argument("--contacts", type=int, default=fan_out.CONTACTS)
    parser.add_argument("--updates", type=int, default=push.UPDATES)
    parser.add_argument("--webhook-seconds", type=int, default=webhooks.SECONDS)
    parser.add_argument("--arrivals", type=int, default=arrival.EVENTS)
    parser.add_argument("--confirmations", type=int, default=push_arrival.REQUESTS)
    options = parser.parse_args()
    console = Console(width=110)
    if options.rows:
        console.print(_bulk(options.rows))
    if options.in_flight:
        console.print(_fan_out(options.in_flight, options.contacts))
    if options.updates:
        console.print(_push(options.updates))
    if options.webhook_seconds:
        console.print(_webhooks(options.webhook_seconds))
    if options.arrivals:
        console.print(_arrivals(options.arrivals))
    if options.confirmations:
        console.print(_confirmations(options.confirmations))


def _arrivals(events: int) -> Table:
    table = Table("event → warehouse", "median s", "to reach", "slowest s", "events")
    found = arrival.measure(events)
    for name, seconds, most in (
        ("alone", found.alone, arrival.MOST_S),
        ("beside a long sweep", found.beside_a_sweep, arrival.MOST_BESIDE_A_SWEEP_S),
    ):
        table.add_row(
            name, f"{median(seconds):.1f}", f"< {most}", f"{max(seconds):.1f}", f"{events}"
        )
    return table


def _confirmations(requests: int) -> Table:
    table = Table("request → confirmed", "median s", "slowest s", "to reach", "requests")
    found = push_arrival.measure(requests)
    for name, seconds, most in (
        ("taken by push_job", found.taken, push_arrival.MOST_TAKEN_S),
        ("confirmed", found.confirmed, push_arrival.MOST_S),
    ):
        table.add_row(
            name, f"{median(seconds):.1f}", f"{max(seconds):.1f}", f"≤ {most}", f"{requests}"
        )
    return table


def _webhooks(seconds: int) -> Table:
    table = Table("webhooks", "events/s", "to reach", "median ms", "p99 ms", "to reach", "refused")
    found = webhooks.measure(seconds)
    for name, load, least, most in (
        ("as fast as it goes", found.full, f"≥ {webhooks.LEAST_PER_S:,}", ""),
        ("at half that rate", found.half, "", f"< {webhooks.MOST_MS}"),
    ):
        table.add_row(
            name,
            f"{load.per_second:,.0f}",
            least,
            f"{load.percentile_ms(0.5):.1f}",
            f"{load.percentile_ms(0.99):.1f}",
            most,
            f"{load.refused}",
        )
    table.caption = "" if found.is_whole else "an event that was answered 200 is not stored"
    return table


def _bulk(sizes: Sequence[int]) -> Table:
    most_mb = f"MB (≤ {bulk.MOST_MB})"
    table = Table("rows", "", "rows/s", "of COPY", "to reach", "CPU µs/row", most_mb, "counts")
    for rows in sizes:
        for line in bulk.measure(rows):
            due = bulk.TO_REACH.get(line.name)
            table.add_row(
                f"{rows:,}",
                line.name,
                f"{line.rows_per_s:,.0f}",
                f"{line.of_copy:.2f}",
                f"≥ {due}" if due else "",
                f"{line.cpu_us_per_row:.1f}" if line.cpu_us_per_row else "",
                f"{line.peak_mb:.0f}" if line.peak_mb else "",
                line.counts,
            )
    return table


def _fan_out(widths: Sequence[int], contacts: int) -> Table:
    table = Table(
        "in flight", "requests/s", "of limit", "to reach", "requests", "rows", "CPU µs/req."
    )
    for in_flight in widths:
        line = fan_out.measure(in_flight, contacts=contacts)
        due = fan_out.TO_REACH.get(in_flight)
        table.add_row(
            f"{in_flight}",
            f"{line.per_second:,.0f}",
            f"{line.of_limit:.2f}",
            f"≥ {due}" if due else "",
            f"{line.requests:,}",
            f"{line.rows:,}",
            f"{line.client_cpu_s / line.requests * 1e6:.0f}",
        )
    return table


def _push(updates: int) -> Table:
    table = Table("updates", "in flight", "updates/s", "of limit", "to reach", "CPU µs/update")
    line = push.measure(updates=updates)
    table.add_row(
        f"{line.updates:,}",
        f"{line.in_flight}",
        f"{line.per_second:,.0f}",
        f"{line.of_limit:.2f}",
        f"≥ {push.TO_REACH}",
        f"{line.client_cpu_s / line.updates * 1e6:.0f}",
    )
    return table


if __name__ == "__main__":
    main()
