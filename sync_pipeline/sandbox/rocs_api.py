"""ROCS's protocol: contacts by list and lookup, dynamic fields, activity, lists, campaigns.

The vendor publishes the lookups alone; the rest is one plausible server of what it only names.
Whatever it dislikes is a 500 with text, as the vendor's page has it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from . import render_rocs, rocs_ids
from .changes import deletion, inserted, replaced
from .columns import BadChangeError
from .rendered import Rendered
from .rendered_activity import RenderedActivity
from .rocs_login import is_authorised
from .rocs_lookups import LOOKUPS, RocsLookups
from .rocs_writes import contact_sent
from .wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence, Sized

    from .live import LiveWorld
    from .rows import Contact
    from .wire import Request

_DEFAULT_SIZE = 100
_LARGEST_SIZE = 1_000
CONTACTS = ("CustomerAPI", "v1", "Contacts")
DYNAMIC_FIELDS = ("CustomerAPI", "v1", "DynamicFields")
_RENDERED = 32_768
_LONGEST_NUMBER = 18
FAILED = Reply(500, b"An error has occurred.", b"text/plain; charset=utf-8")
_NULL = Reply(200, b"null")


class Pages(Protocol):
    """Rows of a list as bytes."""

    def window(self, start: int, stop: int) -> Sequence[bytes]:
        """Render the rows from `start` up to `stop` in the list's order."""


class RocsApi:
    """Renders contacts and activity when they are first asked for and keeps many of them."""

    def __init__(self, live: LiveWorld) -> None:
        self._live = live
        self._contacts = live.rocs_contacts
        self._lookups = RocsLookups(live)
        seed = live.seed
        self._items = Rendered(live.rocs_contacts, partial(render_rocs.contact, seed), _RENDERED)
        activity = RenderedActivity(live, _RENDERED)
        lists = Rendered(live.contact_lists, partial(render_rocs.contact_list, seed), _RENDERED)
        campaigns = Rendered(live.campaigns, partial(render_rocs.campaign, seed), _RENDERED)
        self._calls: dict[tuple[str, ...], Callable[[dict[str, str]], Reply]] = {
            CONTACTS: self._contacts_asked,
            DYNAMIC_FIELDS: self._dynamic_fields,
            ("CommunicationAPI", "v1", "Activities"): partial(_page, live.activity, activity),
            ("ListAPI", "v1", "Lists"): partial(_page, live.contact_lists, lists),
            ("CampaignAPI", "v1", "Campaigns"): partial(_page, live.campaigns, campaigns),
        }
        self._writes: dict[tuple[str, tuple[str, ...]], Callable[[Request], Reply]] = {
            ("POST", CONTACTS): self._create,
            ("PUT", CONTACTS): self._update,
            ("DELETE", CONTACTS): self._delete,
            ("PUT", DYNAMIC_FIELDS): self._replace_dynamic_fields,
        }

    def reply(self, request: Request) -> Reply:
        """Route one request; `request.segments` starts with `rocs`."""
        if not is_authorised(request):
            return Reply(401)
        if request.method != "GET":
            return self._write(request)
        answer = self._calls.get(request.segments[1:])
        return answer(request.query()) if answer else Reply(404)

    def _contacts_asked(self, query: dict[str, str]) -> Reply:
        by = [name for name in LOOKUPS if name in query]
        if not by:
            return _page(self._contacts, self._items, query)
        value = query[by[0]].strip()
        if len(by) > 1 or not value or (by == ["id"] and not is_whole(value)):
            return FAILED
        place = self._lookups.place(by[0], value)
        if place is None:
            return _NULL if by[0] in ("email", "mobile") else Reply(404)
        return Reply(200, self._items.at(place))

    def _write(self, request: Request) -> Reply:
        answer = self._writes.get((request.method, request.segments[1:]))
        if answer is None:
            return Reply(405)
        try:
            return answer(request)
        except BadChangeError:
            return FAILED

    def _create(self, request: Request) -> Reply:
        item = request.json_object()
        if item is None or "id" in item:
            return FAILED
        key = rocs_ids.contact_id(self._live.seed, self._contacts.next_place)
        row = contact_sent(item, str(key), None)
        change = inserted(self._live, row)
        return Reply(200, render_rocs.contact(self._live.seed, row), change=change)

    def _update(self, request: Request) -> Reply:
        item = request.json_object()
        if item is None or type(item.get("id")) is not int:
            return FAILED
        old = self._contacts.find(str(item["id"]))
        if old is None:
            return Reply(404)
        row = contact_sent(item, old.contact_id, old)
        body = render_rocs.contact(self._live.seed, row)
        return Reply(200, body, change=replaced(old, row))

    def _delete(self, request: Request) -> Reply:
        key = request.query().get("id", "")
        if not is_whole(key):
            return FAILED
        if self._contacts.find(key) is None:
            return Reply(404)
        return Reply(200, change=deletion(self._live, ("rocs", "contacts"), key))

    def _dynamic_fields(self, query: dict[str, str]) -> Reply:
        row = self._named(query)
        return row if isinstance(row, Reply) else Reply(200, render_rocs.dynamic_fields(row))

    def _replace_dynamic_fields(self, request: Request) -> Reply:
        row, fields = self._named(request.query()), request.json_object()
        if isinstance(row, Reply):
            return row
        if fields is None:
            return FAILED
        new = replace(row, attributes=row.attributes | {"dynamic_fields": fields})
        return Reply(200, render_rocs.dynamic_fields(new), change=replaced(row, new))

    def _named(self, query: dict[str, str]) -> Contact | Reply:
        """Find the contact that a call for its dynamic fields names."""
        identifier = query.get("id", "")
        if not is_whole(identifier):
            return FAILED
        return self._contacts.find(str(int(identifier))) or Reply(404)


def is_whole(text: str) -> bool:
    """Whether the text is a number that an id, a page or a size can be."""
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def _window(query: dict[str, str], total: int) -> range | None:
    """Read which rows a request asks for; None when it asks for none that can be."""
    page, size = query.get("page") or "1", query.get("pageSize") or str(_DEFAULT_SIZE)
    if not (is_whole(page) and is_whole(size) and int(page) and int(size)):
        return None
    length = min(int(size), _LARGEST_SIZE)
    start = (int(page) - 1) * length
    return range(total)[start : start + length]


def _page(listing: Sized, rendered: Pages, query: dict[str, str]) -> Reply:
    total = len(listing)
    window = _window(query, total)
    if window is None:
        return FAILED
    items = rendered.window(window.start, window.stop)
    return Reply(200, b'{"items":[' + b",".join(items) + b'],"totalCount":%d}' % total)
