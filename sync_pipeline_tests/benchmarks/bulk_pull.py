"""One pull of ROCS contacts in a process of its own, so that its memory can be read.

Prints one JSON object: wall seconds, CPU seconds, peak resident MB, the run's counts.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
import uuid
from datetime import UTC, datetime

from pydantic import SecretStr

from sync_pipeline.entities import STREAMS
from sync_pipeline.pull.reading import PullRequest
from sync_pipeline.pull.run import pull_stream
from sync_pipeline.settings import RocsSettings, Settings
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.progress import Due
from sync_pipeline_tests.benchmarks.bulk_server import PAGE_ROWS

_HOURS = 3600.0
_COUNTS = ("rows_inserted", "rows_updated", "rows_unchanged", "rows_quarantined", "is_complete")


def pull(url: str, address: str, state: str) -> dict[str, object]:
    """Pull the list in ``state`` and return what it took."""
    settings = RocsSettings(
        base_url=f"{address}/{state}/rocs",
        token_url=f"{address}/rocs-login/oauth2/token",
        client_id="benchmark",
        client_secret=SecretStr("benchmark"),
        resource="benchmark",
        page_size=PAGE_ROWS,
        requests_per_second=1_000_000,
    )
    now = datetime.now(UTC)
    request = PullRequest(Due(now=now, as_of=now), slice_s=_HOURS)
    with engine_on(url) as engine:
        began_at, cpu = time.perf_counter(), time.process_time()
        report = pull_stream(
            STREAMS["rocs/contacts"],
            request,
            settings=Settings(rocs=settings),
            engine=engine,
            run_id=uuid.uuid4().hex,
        )
        wall_s, cpu_s = time.perf_counter() - began_at, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = {name: report.row[name] for name in _COUNTS}
    return {"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": peak_mb} | counts


def main() -> None:
    """Pull and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("address")
    parser.add_argument("state")
    options = parser.parse_args()
    found = pull(options.url, options.address, options.state)
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
