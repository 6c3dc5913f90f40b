"""CRM.COM's Back-Office (v1): the list of contacts, for whoever holds the secret key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import access
from .crmcom_errors import bad_parameter, no_route, unauthorised
from .paging import BadQueryError, page_body, window
from .render_crmcom import contact_list_item
from .wire import Reply

if TYPE_CHECKING:
    from .wire import Request
    from .world import World


class BackofficeApi:
    """Renders each item on first use and keeps the bytes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._items: dict[int, bytes] = {}

    def reply(self, request: Request) -> Reply:
        """Route one request; its first two segments are the prefix."""
        if request.method != "GET" or request.segments[2:] != ("contacts",):
            return no_route()
        if request.header(b"api_key") != access.CRMCOM_SECRET_KEY:
            return unauthorised()
        try:
            asked = window(request.query())
        except BadQueryError as error:
            return bad_parameter(error.status, error.name, error.value)
        total = self._world.contacts
        rows = [self._item(index) for index in range(asked.start, min(asked.stop, total))]
        return Reply(200, page_body(rows, asked.page, total, has_more=asked.stop < total))

    def _item(self, index: int) -> bytes:
        item = self._items.get(index)
        if item is None:
            item = self._items[index] = contact_list_item(self._world.contact(index))
        return item
