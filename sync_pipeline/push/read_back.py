"""What a push has read, loaded as any targeted pull loads it: in runs of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine

from sync_pipeline.entities import Stream
from sync_pipeline.pull.batch import Loader
from sync_pipeline.pull.carry_out import traffic_of
from sync_pipeline.pull.normalising import batch_of
from sync_pipeline.push.records import Read
from sync_pipeline.sources.answers import Meter
from sync_pipeline.warehouse import locks, runs
from sync_pipeline.warehouse.engine import in_words, transaction
from sync_pipeline.warehouse.runs import RunKey, Traffic

CAUSE = "push"


@dataclass(slots=True)
class ReadBacks:
    """Loads readings over one session; a run is begun for each stream that has any."""

    engine: Engine
    connection: Connection
    run_id: str
    _loaders: dict[Stream, Loader] = field(default_factory=dict)

    def load(self, reads: Sequence[Read]) -> None:
        """Commit the readings; raises WarehouseError."""
        by_stream: dict[Stream, list[Read]] = {}
        for read in reads:
            by_stream.setdefault(read[0].stream, []).append(read)
        for stream, some in by_stream.items():
            batch = batch_of(stream, [reading for _, reading in some])
            self._loader(stream).load_batch(batch, Traffic())

    def finish(self, meter: Meter, *, error: str | None = None) -> None:
        """Close the runs, as failed by ``error``; the requests of all are told with the first."""
        traffic = traffic_of(meter)
        for loader in self._loaders.values():
            with transaction(self.engine) as connection:
                runs.finish_run(
                    connection, loader.run, traffic, is_complete=error is None, error=error
                )
            traffic = Traffic()

    def _loader(self, stream: Stream) -> Loader:
        if stream not in self._loaders:
            key = RunKey(self.run_id, stream)
            locks.hold_run(self.connection, self.run_id, stream)
            self.connection.commit()
            with transaction(self.engine) as connection:
                runs.begin_run(connection, key, cause=CAUSE)
            self._loaders[stream] = Loader(self.connection, key)
        return self._loaders[stream]


@contextmanager
def read_backs_opened(engine: Engine, run_id: str) -> Iterator[ReadBacks]:
    """Yield what loads readings; at the end its session goes, and the locks of its runs."""
    with in_words(), engine.connect() as connection:
        connection.detach()
        yield ReadBacks(engine, connection, run_id)
