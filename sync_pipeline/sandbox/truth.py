"""The sandbox about itself (`/_sandbox/*`): its settings, its variables, and the world as it is.

These answers belong to no vendor; tests and the pipeline's own commands read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import access
from .rows import as_json_object
from .wire import Reply, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .rows import Communication, Contact, JsonObject, Tenant
    from .wire import Request
    from .world import World

VERSION = 1
_ROWS_PER_CHUNK = 200


class TruthApi:
    """Canonical rows, streamed so that a large world never becomes one string."""

    def __init__(self, world: World, address: str, latency_ms: float) -> None:
        """`address` is `http://HOST:PORT`, as clients reach it."""
        self._world = world
        self._address = address
        self._latency_ms = latency_ms

    def reply(self, request: Request) -> Reply:
        """Route one request; `request.segments` starts with `_sandbox`."""
        match request.segments[1:]:
            case ("info",):
                return Reply(200, encode(self._info()))
            case ("env",):
                return Reply(200, encode({**access.environment(self._address)}))
            case ("world", entity):
                rows = self._rows(entity)
                return Reply(404) if rows is None else Reply(200, chunks=_as_array(rows))
            case _:
                return Reply(404)

    def _info(self) -> JsonObject:
        return {
            "version": VERSION,
            "seed": self._world.seed,
            "contacts": self._world.contacts,
            "latency_ms": self._latency_ms,
            "address": self._address,
        }

    def _rows(self, entity: str) -> Iterable[Contact | Communication | Tenant] | None:
        match entity:
            case "contacts":
                return self._world.every_contact()
            case "communications":
                return self._world.every_communication()
            case "tenants":
                return self._world.tenants
            case _:
                return None


def _as_array(rows: Iterable[Contact | Communication | Tenant]) -> Iterator[bytes]:
    pending: list[bytes] = []
    opening = b"["
    for row in rows:
        pending.append(encode(as_json_object(row)))
        if len(pending) == _ROWS_PER_CHUNK:
            yield opening + b",\n".join(pending)
            opening, pending = b",\n", []
    if pending or opening == b"[":
        yield opening + b",\n".join(pending)
    yield b"]"
