"""What Dagster shows of columns: types and descriptions of the database, lineage of the mapping."""

from __future__ import annotations

import dagster as dg
import pytest
from sqlalchemy import Engine, inspect

from sync_pipeline.entities import ENTITIES, STREAMS
from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.orchestration.build import build_definitions
from sync_pipeline.orchestration.columns import (
    api_key,
    column_lineage,
    column_schema,
    origins,
    source_schema,
)
from sync_pipeline.settings import read_settings

MAPPING = (
    Field("contact_id", Form.TEXT, ("id",)),
    Field("email", Form.LOWER, ("email_address", "email")),
    Field("gender", Form.KEYWORD, ("demographics.gender",)),
    Field("status_code", Form.INTEGER, ("status",)),
    Field("status", Form.KEYWORD, ("status",)),
    # As another version of the API calls it.
    Field("email", Form.LOWER, ("email", "mail")),
)
API = dg.AssetKey(["crmcom", "contacts_api"])


def test_a_column_comes_from_every_field_that_may_hold_it() -> None:
    assert column_lineage(MAPPING, API).deps_by_column == {
        "contact_id": [dg.TableColumnDep(API, "id")],
        "email": [dg.TableColumnDep(API, name) for name in ("email", "email_address", "mail")],
        "gender": [dg.TableColumnDep(API, "demographics.gender")],
        "status_code": [dg.TableColumnDep(API, "status")],
        "status": [dg.TableColumnDep(API, "status")],
    }


def test_the_fields_of_a_source_are_shown_once_with_the_forms_of_their_values() -> None:
    lower, word = "text, trimmed, in lower case", "value of an open enumeration"
    assert [(c.name, c.type, c.description) for c in source_schema(MAPPING).columns] == [
        ("id", "json", "text, trimmed"),
        ("email_address", "json", lower),
        ("email", "json", lower),
        ("demographics.gender", "json", word),
        ("status", "json", f"whole number, also as text; {word}"),
        ("mail", "json", lower),
    ]


def test_the_lineage_is_a_table_as_well_with_the_likeliest_field_first() -> None:
    shown = [dict(record.data) for record in origins(MAPPING).records]
    assert shown[1] == {
        "column": "email",
        "from": "email_address, email",
        "form": "text, trimmed, in lower case",
    }
    assert [row["column"] for row in shown] == [field.column for field in MAPPING]


@pytest.mark.parametrize("name", ENTITIES)
def test_the_schema_is_that_of_the_database_with_its_descriptions(
    engine: Engine, name: str
) -> None:
    shown = {
        c.name: (c.type, c.constraints.nullable, c.description)
        for c in column_schema(ENTITIES[name]).columns
    }
    assert shown == {
        c["name"]: (c["type"].compile(engine.dialect).lower(), c["nullable"], c["comment"])
        for c in inspect(engine).get_columns(name, schema="warehouse")
    }


@pytest.mark.parametrize("name", STREAMS)
def test_an_asset_shows_its_schema_and_where_its_columns_come_from(name: str) -> None:
    stream = STREAMS[name]
    graph = build_definitions(read_settings({})).resolve_asset_graph()
    metadata = graph.get(dg.AssetKey(name.split("/"))).metadata
    assert metadata["dagster/column_schema"] == column_schema(stream.entity)
    lineage = metadata["dagster/column_lineage"].deps_by_column
    assert stream.entity.key in lineage
    assert set(lineage) <= set(stream.entity.columns)
    offered = {c.name for c in graph.get(api_key(stream)).metadata["dagster/column_schema"].columns}
    assert {dep.column_name for deps in lineage.values() for dep in deps} == offered
    assert {dep.asset_key for deps in lineage.values() for dep in deps} == {api_key(stream)}
