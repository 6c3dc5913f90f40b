"""What Dagster shows of columns: their schema, and from which field of the source each comes.

The fields of a source are shown as the columns of an external asset, `<source>/<entity>_api`.
"""

from collections.abc import Sequence

import dagster as dg
from sqlalchemy import URL

from sync_pipeline.entities import STREAMS, Entity, Stream
from sync_pipeline.mapping.fields import Field
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.warehouse.descriptions import column_descriptions

_POSTGRESQL = URL.create("postgresql+psycopg").get_dialect()()


def mapping_of(stream: Stream) -> tuple[Field, ...]:
    """Return what is known of the fields from which a stream's columns come."""
    normaliser = NORMALISERS[stream]
    return (*normaliser.fields, *normaliser.derived)


def api_key(stream: Stream) -> dg.AssetKey:
    """Return the key of the external asset that stands for what the source offers."""
    return dg.AssetKey([stream.source, f"{stream.entity.name}_api"])


def api_assets() -> list[dg.AssetSpec]:
    """Return one external asset per stream: the records of its source, as the API gives them."""
    return [
        dg.AssetSpec(
            api_key(stream),
            group_name=stream.source,
            kinds={"http"},
            description=f"{stream.entity.name} as the API of {stream.source} gives them",
            metadata={"dagster/column_schema": source_schema(mapping_of(stream))},
        )
        for stream in STREAMS.values()
    ]


def column_schema(entity: Entity) -> dg.TableSchema:
    """Return name, type, whether it may be null, and description of each column of the table."""
    said = column_descriptions(entity)
    return dg.TableSchema(
        [
            dg.TableColumn(
                column.name,
                type=column.type.compile(_POSTGRESQL).lower(),
                description=said.get(column.name),
                constraints=dg.TableColumnConstraints(nullable=bool(column.nullable)),
            )
            for column in entity.table.columns
        ]
    )


def source_schema(mapping: Sequence[Field]) -> dg.TableSchema:
    """Return the fields that a mapping reads, each with the form of its value."""
    forms: dict[str, list[str]] = {}
    for field in mapping:
        for path in field.paths:
            forms.setdefault(path, []).append(field.form.value)
    return dg.TableSchema(
        [
            dg.TableColumn(path, type="json", description="; ".join(dict.fromkeys(found)))
            for path, found in forms.items()
        ]
    )


def column_lineage(mapping: Sequence[Field], source: dg.AssetKey) -> dg.TableColumnLineage:
    """Return from which fields of ``source`` each column comes (any of them may hold it).

    `attributes` has no line: it takes every field that no column took.
    """
    paths: dict[str, list[str]] = {}
    for field in mapping:
        paths.setdefault(field.column, []).extend(field.paths)
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(source, path) for path in dict.fromkeys(found)]
            for column, found in paths.items()
        }
    )


def origins(mapping: Sequence[Field]) -> dg.TableMetadataValue:
    """Return the lineage as a table: Dagster's own pages draw no lineage of columns.

    Here the fields of a column stand in the order in which they are looked for.
    """
    columns = [dg.TableColumn(name) for name in ("column", "from", "form")]
    return dg.MetadataValue.table(
        [
            dg.TableRecord({"column": f.column, "from": ", ".join(f.paths), "form": f.form.value})
            for f in mapping
        ],
        schema=dg.TableSchema(columns),
    )
