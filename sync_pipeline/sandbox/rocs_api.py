"""ROCS's protocol: contacts by list and lookup, dynamic fields, activity, lists, campaigns.

The vendor publishes the lookups alone; the rest is one plausible server of what it only names.
Whatever it dislikes is a 500 with text, as the vendor's page has it.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from . import render_rocs, rocs_ids
from .rocs_login import is_authorised
from .wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .rocs_world import RocsWorld
    from .wire import Request

_DEFAULT_SIZE = 100
_LARGEST_SIZE = 1_000
_LOOKUPS = ("id", "email", "externalId", "mobile")
_RENDERED = 32_768
_LONGEST_NUMBER = 18
_FAILED = Reply(500, b"An error has occurred.", b"text/plain; charset=utf-8")
_NULL = Reply(200, b"null")


class RocsApi:
    """Renders contacts and activity when they are first asked for and keeps many of them."""

    def __init__(self, world: RocsWorld) -> None:
        """Render the few lists and campaigns."""
        self._world = world
        self._contact = lru_cache(maxsize=_RENDERED)(self._render_contact)
        self._activities = lru_cache(maxsize=_RENDERED)(self._render_activities)
        seed = world.seed
        lists = [render_rocs.contact_list(seed, row) for row in world.contact_lists]
        campaigns = [render_rocs.campaign(seed, row) for row in world.campaigns]
        self._calls: dict[tuple[str, ...], Callable[[dict[str, str]], Reply]] = {
            ("CustomerAPI", "v1", "Contacts"): self._contacts,
            ("CustomerAPI", "v1", "DynamicFields"): self._dynamic_fields,
            ("CommunicationAPI", "v1", "Activities"): self._activity_page,
            ("ListAPI", "v1", "Lists"): partial(_page_of, lists),
            ("CampaignAPI", "v1", "Campaigns"): partial(_page_of, campaigns),
        }

    def reply(self, request: Request) -> Reply:
        """Route one request; `request.segments` starts with `rocs`."""
        if not is_authorised(request):
            return Reply(401)
        if request.method != "GET":
            return Reply(405)
        answer = self._calls.get(request.segments[1:])
        return answer(request.query()) if answer else Reply(404)

    def _contacts(self, query: dict[str, str]) -> Reply:
        by = [name for name in _LOOKUPS if name in query]
        if not by:
            window = _window(query, self._world.count)
            return (
                _FAILED if window is None else _page(self._contact_items(window), self._world.count)
            )
        value = query[by[0]].strip()
        if len(by) > 1 or not value or (by == ["id"] and not _is_whole(value)):
            return _FAILED
        index = self._index(by[0], value)
        if index is None:
            return _NULL if by[0] in ("email", "mobile") else Reply(404)
        return Reply(200, self._contact(index))

    def _index(self, by: str, value: str) -> int | None:
        match by:
            case "id":
                return self._world.index_by_id(int(value))
            case "externalId":
                return self._world.index_by_external_id(value)
            case "email":
                return self._world.index_by_email(value)
            case _:
                return self._world.index_by_mobile(value)

    def _dynamic_fields(self, query: dict[str, str]) -> Reply:
        identifier = query.get("id", "")
        if not _is_whole(identifier):
            return _FAILED
        index = self._world.index_by_id(int(identifier))
        if index is None:
            return Reply(404)
        return Reply(200, render_rocs.dynamic_fields(self._world.contact(index)))

    def _activity_page(self, query: dict[str, str]) -> Reply:
        total = self._world.activity_count
        window = _window(query, total)
        return _FAILED if window is None else _page(self._activity_items(window), total)

    def _contact_items(self, window: range) -> list[bytes]:
        return [self._contact(index) for index in window]

    def _activity_items(self, window: range) -> list[bytes]:
        if not window:
            return []
        index, before = rocs_ids.activity_place(self._world.seed, window.start)
        items: list[bytes] = []
        while len(items) < before + len(window):
            items += self._activities(index)
            index += 1
        return items[before : before + len(window)]

    def _render_contact(self, index: int) -> bytes:
        return render_rocs.contact(self._world.seed, self._world.contact(index))

    def _render_activities(self, index: int) -> tuple[bytes, ...]:
        return render_rocs.activities(self._world.seed, self._world.activities(index))


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER


def _window(query: dict[str, str], total: int) -> range | None:
    """Read which rows a request asks for; None when it asks for none that can be."""
    page, size = query.get("page") or "1", query.get("pageSize") or str(_DEFAULT_SIZE)
    if not (_is_whole(page) and _is_whole(size) and int(page) and int(size)):
        return None
    length = min(int(size), _LARGEST_SIZE)
    start = (int(page) - 1) * length
    return range(total)[start : start + length]


def _page_of(rows: Sequence[bytes], query: dict[str, str]) -> Reply:
    window = _window(query, len(rows))
    return _FAILED if window is None else _page([rows[place] for place in window], len(rows))


def _page(items: Sequence[bytes], total: int) -> Reply:
    return Reply(200, b'{"items":[' + b",".join(items) + b'],"totalCount":%d}' % total)
