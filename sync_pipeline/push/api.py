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


class Creator(Protocol):
    """Creates records of one stream, to which the API gives their ids."""

    @property
    def key(self) -> str:
        """The field by whose value a record is found that was created already."""

    async def find(self, value: str) -> str | None:
        """Return the id of the record with this value of the key; None where there is none."""

    def creation(self, wanted: Values) -> Write:
        """Return the call that creates a record of these values; raises UnwritableError."""

    def id_in(self, answer: Written) -> str | None:
        """Return the id of the record that was created; None where the answer does not tell."""


class PushApi(Protocol):
    """One source, as far as it can be written to."""

    @property
    def perhaps_done(self) -> Collection[str]:
        """The codes of refusals that an earlier sending of the same may have brought about."""

    @property
    def creator(self) -> Creator | None:
        """What creates records; None where they come into being elsewhere alone."""

    def unreadable(self, fields: Collection[str]) -> frozenset[str]:
        """Return those of some fields that no answer tells."""

    async def read(self, context: Context, target: Target, fields: Collection[str]) -> Reading:
        """Read the record and the ``fields``; raises the SourceError that keeps it from that."""

    def writes(self, target: Target, wanted: Values, current: Current) -> list[Write]:
        """Return the calls that bring ``wanted`` about, in order; raises UnwritableError."""

    async def write(self, target: Target, call: Call) -> Written:
        """Send a call once; raises the SourceError that says what came of it."""
