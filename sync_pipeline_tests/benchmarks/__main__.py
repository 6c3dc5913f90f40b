"""All benchmarks that compare with a raw COPY, as one table: `make bench`."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from sync_pipeline_tests.benchmarks import bulk


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000])
    table = Table("rows", "", "rows/s", "of COPY", "to reach", "CPU µs/row", "peak MB", "counts")
    for rows in parser.parse_args().rows:
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
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
