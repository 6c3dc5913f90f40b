"""CRM.COM self-service v1: authentication, one contact, its communications, one communication.

Which header carries the token differs by call, as in the vendor's own samples; each call takes
its one form and refuses the other two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import render_crmcom as render
from .crmcom_errors import bad_parameter, no_record, no_route, unauthorised
from .crmcom_login import authenticate, is_valid_user_token
from .paging import BadWindowError, page_body, window
from .wire import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rows import Communication
    from .wire import Request
    from .world import World

_ENUMERATIONS = {
    "order": ("ASC", "DESC"),
    "sort": ("CREATED_DATE", "UPDATED_DATE", "NAME", "POSTED_DATE"),
    "channel": ("EMAIL", "SMS", "INAPP", "DEVICE"),
}
_FILTERS = ("channel", "viewed", "archived")


class CrmcomApi:
    """Renders a contact's rows on first use and keeps the bytes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._details: dict[str, bytes] = {}
        self._lists: dict[str, tuple[bytes, ...]] = {}

    def reply(self, request: Request) -> Reply:
        """Route one request; its first two segments are the prefix."""
        match request.method, *request.segments[2:]:
            case "POST", "contacts", "authenticate":
                return authenticate(request)
            case "GET", "contacts", contact_id:
                return self._contact(request, contact_id)
            case "GET", "contacts", contact_id, "communications":
                return self._communications(request, contact_id)
            case "GET", "communications", communication_id:
                return self._communication(request, communication_id)
            case _:
                return no_route()

    def _contact(self, request: Request, contact_id: str) -> Reply:
        scheme, _, token = (request.header(b"authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not is_valid_user_token(token):
            return unauthorised()
        body = self._details.get(contact_id)
        if body is None:
            index = self._world.contact_index(contact_id)
            if index is None:
                return no_record("contact", contact_id)
            body = render.contact_detail(self._world.seed, self._world.contact(index))
            self._details[contact_id] = body
        return Reply(200, body)

    def _communications(self, request: Request, contact_id: str) -> Reply:
        if not is_valid_user_token(request.header(b"authorization")):
            return unauthorised()
        query = request.query()
        for name, allowed in _ENUMERATIONS.items():
            if query.get(name, allowed[0]) not in allowed:
                return bad_parameter(404, name, query[name])
        try:
            asked = window(query)
        except BadWindowError as error:
            return bad_parameter(400, error.name, error.value)
        rows = self._rows(contact_id, query)
        if rows is None:
            return no_record("contact", contact_id)
        if not rows and _has_null_content(contact_id):
            return Reply(200, page_body(rows, asked.page, 0).replace(b"[]", b"null", 1))
        if query.get("order") == "ASC":
            page = rows[asked.start : asked.stop]
        else:
            newest_first = slice(max(len(rows) - asked.stop, 0), max(len(rows) - asked.start, 0))
            page = rows[newest_first][::-1]
        return Reply(200, page_body(page, asked.page, len(rows)))

    def _rows(self, contact_id: str, query: dict[str, str]) -> Sequence[bytes] | None:
        """Find the contact's rendered rows, oldest first; None for an unknown contact."""
        is_filtered = any(name in query for name in _FILTERS)
        if not is_filtered and contact_id in self._lists:
            return self._lists[contact_id]
        index = self._world.contact_index(contact_id)
        if index is None:
            return None
        wanted = [row for row in self._world.communications(index) if _is_wanted(row, query)]
        rows = tuple(map(render.communication_list_item, wanted))
        if not is_filtered:
            self._lists[contact_id] = rows
        return rows

    def _communication(self, request: Request, communication_id: str) -> Reply:
        if not is_valid_user_token(request.header(b"auth_token")):
            return unauthorised()
        place = self._world.communication_place(communication_id)
        if place is None:
            return no_record("communication", communication_id)
        index, ordinal = place
        row = self._world.communications(index)[ordinal]
        return Reply(200, render.communication_detail(row, self._world.contact(index)))


def _is_wanted(row: Communication, query: dict[str, str]) -> bool:
    """Only TRUE filters by a flag; anything else asks for all."""
    if "channel" in query and row.channel != query["channel"]:
        return False
    if query.get("viewed", "").upper() == "TRUE" and not row.is_viewed:
        return False
    return row.is_archived or query.get("archived", "").upper() != "TRUE"


def _has_null_content(contact_id: str) -> bool:
    """Whether this contact's empty list is null rather than an empty array."""
    return contact_id[-1] in "02468aceACE"
