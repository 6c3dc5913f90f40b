"""Dagster with an instance of the test's own, over a real warehouse and scripted vendors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import make_url

from sync_pipeline.settings import known_variables
from sync_pipeline_tests.pull_vendors import Vendors, serving_vendors


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Yield an instance of the test's own; a tick is given only one that lies on disk."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def instance_on_postgres(tmp_path: Path, warehouse_url: str) -> Iterator[dg.DagsterInstance]:
    """Yield an instance whose storage is the one of the product."""
    url = make_url(warehouse_url).set(drivername="postgresql+psycopg2")
    written = url.render_as_string(hide_password=False)
    storage = {
        "module": "sync_pipeline.orchestration.storage",
        "class": "PooledPostgresStorage",
        "config": {"postgres_url": written},
    }
    overrides = {"storage": {"custom": storage}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:
        yield instance


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Take away what the developer has set, and the `.env` of the working folder."""
    ours = known_variables()
    for name in list(os.environ):
        if name.removesuffix("_FILE") in ours or name.startswith("DAGSTER_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.fixture
def vendors(
    bare_environment: pytest.MonkeyPatch, warehouse_url: str, tmp_path: Path
) -> Iterator[Vendors]:
    """Serve vendors at which the environment points; the warehouse is new."""
    with serving_vendors() as vendors:
        variables = {
            "SYNC_HOME": str(tmp_path / "home"),
            "WAREHOUSE_URL": warehouse_url,
            "CRMCOM_BASE_URL": f"{vendors.server.url}/self-service/v1",
            "CRMCOM_API_KEY": "the-api-key",
            "CRMCOM_USERNAME": "service@example.com",
            "CRMCOM_PASSWORD": "the-password",
            "CRMCOM_BACKOFFICE_URL": f"{vendors.server.url}/backoffice/v1",
            "CRMCOM_SECRET_KEY": "the-secret-key",
            "ROCS_BASE_URL": f"{vendors.server.url}/rocs",
            "ROCS_TOKEN_URL": f"{vendors.server.url}/rocs-login/oauth2/token",
            "ROCS_CLIENT_ID": "client",
            "ROCS_CLIENT_SECRET": "the-client-secret",
            "ROCS_RESOURCE": "https://rocs.example",
            "ROCS_ACTIVITY_PATH": "/activities",
            "ROCS_LISTS_PATH": "/lists",
            "ROCS_CAMPAIGNS_PATH": "/campaigns",
            "ROSAAS_BASE_URL": vendors.server.url,
            "ROSAAS_CLIENT_ID": "client",
            "ROSAAS_CLIENT_SECRET": "the-client-secret",
        }
        for name, value in variables.items():
            bare_environment.setenv(name, value)
        yield vendors
