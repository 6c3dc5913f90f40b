"""An API as a push sees it: read a record, say which calls bring values about, send one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from sync_pipeline.pull.reading import Reading
from sync_pipeline.pull.work import Context
from sync_pipeline.push.records import Current, Target
from sync_pipeline.push.values import Values
from sync_pipeline.sources.calls import Call
from sync_pipeline.sources.written import Written


@dataclass(frozen=True, slots=True)
class Write:
    """A call, and the values that it is to bring about."""

    call: Call
    wanted: Values


class PushApi(Protocol):
    """One source, as far as it can be written to."""

    def unreadable(self, fields: Collection[str]) -> frozenset[str]:
        """Return those of some fields that no answer tells."""

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        """Read the record and the ``fields``; raises the SourceError that keeps it from that."""

    def writes(self, target: Target, wanted: Values, current: Current) -> list[Write]:
        """Return the calls that bring ``wanted`` about, in order; raises UnwritableError."""

    async def write(self, target: Target, call: Call) -> Written:
        """Send a call once; raises the SourceError that says what came of it."""
