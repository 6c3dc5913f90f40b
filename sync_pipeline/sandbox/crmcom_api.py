"""CRM.COM's self-service API: logins, a contact, its communications and approval requests.

In the first version, which header carries the token differs by call, as in the vendor's own
samples; each call takes its one form and refuses the other two.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from . import render_crmcom as render
from .crmcom_errors import bad_parameter, forbidden, no_record, no_route, unauthorised
from .crmcom_login import CrmcomLogin, is_forbidden, reader
from .crmcom_query import read_approval_requests_query, read_communications_query
from .crmcom_writing import CrmcomWriting
from .paging import BadQueryError, page_body
from .rendered import Rendered
from .versions import VERSIONS
from .wire import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .crmcom_query import Asked
    from .denial import Denial
    from .live import LiveWorld
    from .rows import Communication, Contact
    from .versions import Version
    from .wire import Request

_KEPT = 32_768


@dataclass(frozen=True, slots=True)
class _Rendered:
    """One contact's communications, oldest first, and when each was created (epoch seconds)."""

    rows: Sequence[bytes]
    created: Sequence[int]


class CrmcomApi:
    """Renders a contact's rows on first use and keeps the bytes of those asked for last."""

    def __init__(self, live: LiveWorld, denied: Denial) -> None:
        self._live = live
        self._denied = denied
        self._writing = CrmcomWriting(live, denied)
        self._login = CrmcomLogin(live)
        self._details = {
            version.name: Rendered(live.contacts, partial(_contact_detail, live, version), _KEPT)
            for version in VERSIONS.values()
        }
        # By place, version and revision: a list that changed is another one.
        self._lists = lru_cache(maxsize=_KEPT)(self._render_communications)
        self._parts: dict[str, Callable[[int, Request, Version], bytes]] = {
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
        return self._writing.reply(request, version) if version else no_route()

    def _of_contact(self, request: Request, version: Version, contact_id: str, part: str) -> Reply:
        subject = reader(request, version.header_forms[part])
        if subject is None:
            return unauthorised()
        if is_forbidden(self._denied, subject, contact_id):
            return forbidden()
        place = self._live.contacts.place(contact_id)
        if place is None:
            return no_record("contact", contact_id)
        try:
            return Reply(200, self._parts[part](place, request, version))
        except BadQueryError as error:
            return bad_parameter(error.status, error.name, error.value)

    def _contact(self, place: int, _request: Request, version: Version) -> bytes:
        return self._details[version.name].at(place)

    def _communications(self, place: int, request: Request, version: Version) -> bytes:
        asked = read_communications_query(
            request.query_string, filters_by_creation=version.filters_by_creation
        )
        lists = self._live.communications
        if asked.is_by_value:
            found = _rendered(
                tuple(filter(asked.is_communication_wanted, lists.rows(place))), version
            )
        else:
            found = self._lists(place, version.name, lists.revision(place))
        first = bisect_left(found.created, asked.created_from)
        last = bisect_right(found.created, asked.created_to)
        whole = first == 0 and last == len(found.rows)
        return _page(found.rows if whole else found.rows[first:last], asked, request.segments[3])

    def _approval_requests(self, place: int, request: Request, version: Version) -> bytes:
        asked = read_approval_requests_query(request.query_string)
        rows = filter(asked.is_approval_request_wanted, self._live.approval_requests.rows(place))
        shown = [render.approval_request(row, version) for row in rows]
        return _page(shown, asked, request.segments[3])

    def _communication(self, request: Request, version: Version, communication_id: str) -> Reply:
        subject = reader(request, version.header_forms["communication"])
        if subject is None:
            return unauthorised()
        row = self._live.communications.find(communication_id)
        if row is None:
            return no_record("communication", communication_id)
        if is_forbidden(self._denied, subject, row.contact_id):
            return forbidden()
        return Reply(200, render.communication_detail(row, version))

    def _render_communications(self, place: int, version: str, _revision: int) -> _Rendered:
        return _rendered(self._live.communications.rows(place), VERSIONS[version])


def _contact_detail(live: LiveWorld, version: Version, row: Contact) -> bytes:
    return render.contact_detail(live.seed, row, version)


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
