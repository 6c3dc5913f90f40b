"""`sync-pipeline drift`: how the fields of the sources differ from what the mapping knows."""

from dataclasses import asdict
from typing import Annotated

import typer

from sync_pipeline import console
from sync_pipeline.commands.options import Json, streams_named
from sync_pipeline.operate.ready import warehouse_opened
from sync_pipeline.settings import environment, read_settings
from sync_pipeline.warehouse.drift import field_news
from sync_pipeline.warehouse.engine import transaction


def drift(
    streams: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE/ENTITY]...", help="Default: all")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show new, missing and re-typed fields and unknown words: names and types, no value."""
    named = streams_named(streams or [])
    opened = warehouse_opened(read_settings(environment()))
    with opened as engine, transaction(engine) as connection:
        news = field_news(connection, streams=named)
    console.show_rows([asdict(one) for one in news], as_json=as_json)
