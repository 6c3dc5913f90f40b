"""CRM.COM's Back-Office (v1): the list of contacts, for whoever holds the secret key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import access
from .crmcom_errors import bad_parameter, no_route, unauthorised
from .paging import BadQueryError, page_body, window
from .render_crmcom import contact_list_item
from .rendered import Rendered
from .wire import Reply

if TYPE_CHECKING:
    from .live import LiveWorld
    from .wire import Request

_KEPT = 1_000_000


class BackofficeApi:
    """Renders each item on first use and keeps the bytes."""

    def __init__(self, live: LiveWorld) -> None:
        self._contacts = live.contacts
        self._items = Rendered(live.contacts, contact_list_item, _KEPT)

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
        total = len(self._contacts)
        rows = self._items.window(asked.start, asked.stop)
        return Reply(200, page_body(rows, asked.page, total, has_more=asked.stop < total))
