"""The sandbox about itself (`/_sandbox/*`): its settings, its variables, and the world as it is.

These answers belong to no vendor; tests and the pipeline's own commands read them.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from . import access
from .rows import as_json_object
from .versions import VERSIONS, as_read
from .wire import Reply, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .listing import Listing
    from .live import LiveWorld
    from .rows import Contact, JsonObject, Row
    from .versions import OfCrmcom, Version
    from .wire import Request

VERSION = 1
_ROWS_PER_CHUNK = 200
_CSV = b"text/csv; charset=utf-8"


class TruthApi:
    """Canonical rows, streamed so that a large world never becomes one string."""

    def __init__(
        self, live: LiveWorld, address: str, latency_ms: float, crmcom_version: str
    ) -> None:
        """`address` is `http://HOST:PORT`, as clients reach it."""
        self._live = live
        self._address = address
        self._environment = access.environment(address, crmcom_version)
        self._latency_ms = latency_ms

    def reply(self, request: Request) -> Reply:
        """Route one request; `request.segments` starts with `_sandbox`."""
        match request.segments[1:]:
            case ("info",):
                return Reply(200, encode(self._info()))
            case ("env",):
                return Reply(200, encode({**self._environment}))
            case ("contacts.csv",):
                return Reply(200, content_type=_CSV, chunks=self._credentials())
            case ("world", entity):
                version = VERSIONS.get(request.query().get("version", access.CRMCOM_VERSION))
                rows = self._rows(entity, version) if version else None
                return Reply(404) if rows is None else Reply(200, chunks=_as_array(rows))
            case _:
                return Reply(404)

    def _info(self) -> JsonObject:
        return {
            "version": VERSION,
            "seed": self._live.seed,
            "contacts": self._live.pure.contacts,
            "latency_ms": self._latency_ms,
            "address": self._address,
        }

    def _credentials(self) -> Iterator[bytes]:
        """Each contact's own login, as CSV; neither ids nor words need quotes."""
        yield b"contact_id,username,password\r\n"
        contacts = self._live.contacts.copy()
        for first in range(0, len(contacts), _ROWS_PER_CHUNK):
            places = contacts.places(first, first + _ROWS_PER_CHUNK)
            ids = (_id_at(self._live, contacts, place) for place in places)
            yield b"".join(map(_credentials_line, ids))

    def _rows(self, entity: str, version: Version) -> Iterable[Row] | None:
        # As it is now: it may change while a long answer is under way.
        live = self._live.copy()
        rows: dict[str, Callable[[], Iterable[Row]]] = {
            "contacts": lambda: chain(
                _read(live.contacts.rows(), version), live.rocs_contacts.rows()
            ),
            "communications": lambda: chain(
                _read(live.communications.every_row(), version), live.activity.rows()
            ),
            "approval_requests": lambda: _read(live.approval_requests.every_row(), version),
            "tenants": live.tenants.rows,
            "plans": live.plans.rows,
            "specifications": live.specifications.rows,
            "contact_lists": live.contact_lists.rows,
            "campaigns": live.campaigns.rows,
        }
        found = rows.get(entity)
        return found() if found else None


def _id_at(live: LiveWorld, contacts: Listing[Contact], place: int) -> str:
    """Tell the id without making a contact that did not change."""
    changed = contacts.changed.get(place)
    return live.pure.contact_id(place) if changed is None else changed.contact_id


def _read(rows: Iterable[OfCrmcom], version: Version) -> Iterator[OfCrmcom]:
    return (as_read(row, version) for row in rows)


def _credentials_line(contact_id: str) -> bytes:
    username = access.CRMCOM_CONTACT_USERNAME.format(contact_id=contact_id)
    return f"{contact_id},{username},{access.CRMCOM_CONTACT_PASSWORD}\r\n".encode()


def _as_array(rows: Iterable[Row]) -> Iterator[bytes]:
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
