"""CRM.COM's self-service API: logins, a contact, its communications and approval requests.

In the first version, which header carries the token differs by call, as in the vendor's own
samples; each call takes its one form and refuses the other two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from . import render_crmcom as render
from .crmcom_errors import bad_parameter, forbidden, no_record, no_route, unauthorised
from .crmcom_login import SERVICE, CrmcomLogin, reader
from .crmcom_query import read_approval_requests_query, read_communications_query
from .paging import BadQueryError, page_body
from .versions import VERSIONS
from .wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .crmcom_query import Asked
    from .rows import ApprovalRequest, Communication
    from .versions import Version
    from .wire import Request
    from .world import World

_KEPT = 32_768


@dataclass(frozen=True, slots=True)
class _Rendered:
    """One contact's communications, oldest first, and when each was created (epoch seconds)."""

    rows: Sequence[bytes]
    created: Sequence[int]


class CrmcomApi:
    """Renders a contact's rows on first use and keeps the bytes of those asked for last."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._login = CrmcomLogin(world)
        self._details = lru_cache(maxsize=_KEPT)(self._render_contact)
        self._lists = lru_cache(maxsize=_KEPT)(self._render_communications)
        self._approvals = lru_cache(maxsize=_KEPT)(self._find_approval_requests)
        self._parts: dict[str, Callable[[str, bytes, Version], bytes | None]] = {
            "contact": self._contact,
            "communications": self._communications,
            "approval_requests": self._approval_requests,
        }

    def reply(self, request: Request) -> Reply:
        """Route one request; its first two segments are the prefix, the second the version."""
        version = VERSIONS.get(request.segments[1])
        match request.method, *request.segments[2:]:
            case "POST", "contacts", "authenticate" if version:
                return self._login.authenticate(request, version)
            case "POST", "contacts", "refresh" if version:
                return self._login.refresh(request, version)
            case "GET", "contacts", contact_id if version:
                return self._of_contact(request, version, contact_id, "contact")
            case "GET", "contacts", contact_id, part if version and part in self._parts:
                return self._of_contact(request, version, contact_id, part)
            case "GET", "communications", communication_id if version:
                return self._communication(request, version, communication_id)
        return no_route()

    def _of_contact(self, request: Request, version: Version, contact_id: str, part: str) -> Reply:
        subject = reader(request, version.header_forms[part])
        if subject is None:
            return unauthorised()
        if subject not in (SERVICE, contact_id):
            return forbidden()
        try:
            body = self._parts[part](contact_id, request.query_string, version)
        except BadQueryError as error:
            return bad_parameter(error.status, error.name, error.value)
        return no_record("contact", contact_id) if body is None else Reply(200, body)

    def _contact(self, contact_id: str, _query_string: bytes, version: Version) -> bytes | None:
        return self._details(contact_id, version.name)

    def _communications(
        self, contact_id: str, query_string: bytes, version: Version
    ) -> bytes | None:
        asked = read_communications_query(
            query_string, filters_by_creation=version.filters_by_creation
        )
        if asked.is_by_value:
            index = self._world.contact_index(contact_id)
            if index is None:
                return None
            rows = filter(asked.is_communication_wanted, self._world.communications(index))
            found: _Rendered | None = _rendered(tuple(rows), version)
        else:
            found = self._lists(contact_id, version.name)
        if found is None:
            return None
        first = bisect_left(found.created, asked.created_from)
        last = bisect_right(found.created, asked.created_to)
        whole = first == 0 and last == len(found.rows)
        return _page(found.rows if whole else found.rows[first:last], asked, contact_id)

    def _approval_requests(
        self, contact_id: str, query_string: bytes, version: Version
    ) -> bytes | None:
        asked = read_approval_requests_query(query_string)
        all_rows = self._approvals(contact_id)
        if all_rows is None:
            return None
        rows = filter(asked.is_approval_request_wanted, all_rows)
        return _page([render.approval_request(row, version) for row in rows], asked, contact_id)

    def _communication(self, request: Request, version: Version, communication_id: str) -> Reply:
        subject = reader(request, version.header_forms["communication"])
        if subject is None:
            return unauthorised()
        place = self._world.communication_place(communication_id)
        if place is None:
            return no_record("communication", communication_id)
        index, ordinal = place
        row = self._world.communications(index)[ordinal]
        if subject not in (SERVICE, row.contact_id):
            return forbidden()
        return Reply(200, render.communication_detail(row, version))

    def _render_contact(self, contact_id: str, version: str) -> bytes | None:
        index = self._world.contact_index(contact_id)
        if index is None:
            return None
        contact = self._world.contact(index)
        return render.contact_detail(self._world.seed, contact, VERSIONS[version])

    def _find_approval_requests(self, contact_id: str) -> tuple[ApprovalRequest, ...] | None:
        index = self._world.contact_index(contact_id)
        return None if index is None else self._world.approval_requests(index)

    def _render_communications(self, contact_id: str, version: str) -> _Rendered | None:
        index = self._world.contact_index(contact_id)
        if index is None:
            return None
        return _rendered(self._world.communications(index), VERSIONS[version])


def _rendered(rows: Sequence[Communication], version: Version) -> _Rendered:
    return _Rendered(
        tuple(render.communication_list_item(row, version) for row in rows),
        tuple(render.epoch(row.source_created_at) or 0 for row in rows),
    )


def _page(rows: Sequence[bytes], asked: Asked, contact_id: str) -> bytes:
    page = asked.page
    if not rows and _has_null_content(contact_id):
        return page_body(rows, page.page, 0).replace(b"[]", b"null", 1)
    if asked.is_oldest_first:
        chosen = rows[page.start : page.stop]
    else:
        newest_first = slice(max(len(rows) - page.stop, 0), max(len(rows) - page.start, 0))
        chosen = rows[newest_first][::-1]
    return page_body(chosen, page.page, len(rows))


def _has_null_content(contact_id: str) -> bool:
    """Whether this contact's empty list is null rather than an empty array."""
    return contact_id[-1] in "02468aceACE"
