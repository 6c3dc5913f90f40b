"""`sync-pipeline backfill`: days of a stream read again."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from sync_pipeline import console
from sync_pipeline.commands.options import Json, streams_named
from sync_pipeline.entities import STREAMS
from sync_pipeline.operate.ready import make_ready
from sync_pipeline.pull.backfill_windows import FIRST_DAY


def backfill(
    stream: Annotated[str, typer.Argument(metavar="SOURCE/ENTITY")],
    *,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="First day (UTC)")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day (UTC), included")],
    as_json: Json = False,
) -> None:
    """Read again what was created on some days: a Dagster backfill, as from the UI.

    By the daemon where the stack is up, else in this process. One that failed or was killed goes
    on where it stopped when it is run again.
    """
    (chosen,) = streams_named([stream])
    if not chosen.has_creation_time:
        by_day = ", ".join(name for name, one in STREAMS.items() if one.has_creation_time)
        raise typer.BadParameter(
            f"{stream} has no days: `sync-pipeline pull {stream} --full` reads all of it again "
            f"(by days: {by_day})"
        )
    days = _days(first, last)
    # Dagster and pandas take seconds to import: a wrong use is told at once.
    from sync_pipeline.backfilling import backfill_days
    from sync_pipeline.orchestration.backfill_launch import Days

    done = backfill_days(make_ready(), Days(chosen, *days))
    shown = done.row() if as_json else done.line()
    console.show_rows([shown], as_json=as_json)
    for line in done.pulled.complaints():
        console.err.print(line, markup=False)
    raise typer.Exit(1 if done.pulled.error else 0)


def _days(first: str, last: str) -> tuple[date, date]:
    """Return the first and the last day; raise BadParameter for what is no range of past days."""
    begins, ends = _day("--from", first), _day("--to", last)
    today = datetime.now(UTC).date()
    if ends < begins:
        raise typer.BadParameter(f"--to {ends} is before --from {begins}")
    if ends > today:
        raise typer.BadParameter(f"--to {ends} is in the future: today is {today} (UTC)")
    if begins < FIRST_DAY:
        raise typer.BadParameter(f"--from {begins} is before the first day, {FIRST_DAY}")
    return begins, ends


def _day(option: str, written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{option} {written!r} is no date like 2026-03-31") from None
