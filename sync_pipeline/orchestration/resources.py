"""What assets and schedules are given: settings and an engine on the warehouse."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg
from pydantic import PrivateAttr
from sqlalchemy import Engine

from sync_pipeline.operate.ready import make_ready
from sync_pipeline.settings import Settings


class Pipeline(dg.ConfigurableResource["Pipeline"]):
    """The warehouse and the sources, made ready when a run or a tick begins."""

    _settings: Settings = PrivateAttr()
    _engine: Engine = PrivateAttr()

    @contextmanager
    def yield_for_execution(
        self,
        context: dg.InitResourceContext,  # noqa: ARG002 -- Dagster's signature
    ) -> Generator["Pipeline", None, None]:
        """Bring up what is missing; give the connections back at the end."""
        ready = make_ready()
        with ready.engine() as engine:
            self._settings, self._engine = ready.settings, engine
            yield self

    @property
    def settings(self) -> Settings:
        """The settings, the sandbox's variables among them where it stands in."""
        return self._settings

    @property
    def engine(self) -> Engine:
        """The engine on the warehouse."""
        return self._engine
