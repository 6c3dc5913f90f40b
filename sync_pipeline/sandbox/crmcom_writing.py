"""CRM.COM's calls that write: who may, which record, and what the vendor answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from . import crmcom_writes as writes
from .changes import update
from .columns import BadChangeError
from .crmcom_errors import bad_parameter, forbidden, no_record, no_route, refusal, unauthorised
from .crmcom_login import is_forbidden, reader
from .paging import BadQueryError
from .rows import ApprovalRequest, Communication, Contact
from .versions import V1
from .wire import Reply, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from .denial import Denial
    from .live import LiveWorld
    from .rows import JsonObject
    from .versions import Version
    from .wire import Request

OfContact = TypeVar("OfContact", Contact, Communication, ApprovalRequest)


class CrmcomWriting:
    """Decides; what a reply says is to change is made by whoever asked."""

    def __init__(self, live: LiveWorld, denied: Denial) -> None:
        self._live = live
        self._denied = denied

    def reply(self, request: Request, version: Version) -> Reply:
        """Route one request that is no reading; its third segment is the first of the call."""
        match request.method, *request.segments[2:]:
            case "PUT", "contacts", contact_id:
                return self._contact(request, version, contact_id)
            case "PUT", "contacts", contact_id, "consents" if version is V1:
                return self._consent(request, contact_id)
            case "PUT", "communications", key, "actions":
                row = self._live.communications.find(key)
                fields = writes.communication_fields
                return self._act(request, version, "communication", row, fields)
            case "POST", "approval_requests", key, "actions":
                asked = self._live.approval_requests.find(key)
                return self._act(
                    request, version, "approval_request", asked, writes.approval_fields
                )
            case _, "communications" | "approval_requests", _, "actions":
                return refusal(405, "Method not allowed.", "METHODNOTALLOWEDEXCEPTION")
        return no_route()

    def _contact(self, request: Request, version: Version, contact_id: str) -> Reply:
        row = self._live.contacts.find(contact_id)
        form = version.header_forms["update"]
        return self._write(
            request, form, row, lambda body, row: writes.contact_fields(body, row, version)
        )

    def _consent(self, request: Request, contact_id: str) -> Reply:
        row = self._live.contacts.find(contact_id)

        def fields(body: JsonObject, _row: Contact) -> JsonObject:
            if not isinstance(body.get("consent_state"), str):
                raise BadQueryError(400, "consent_state", str(body.get("consent_state")))
            return {"consent_state": body["consent_state"]}

        told = writes.other_id(contact_id)
        return self._write(request, V1.header_forms["update"], row, fields, told=told)

    def _act(
        self,
        request: Request,
        version: Version,
        entity: str,
        row: OfContact | None,
        fields: Callable[[JsonObject, OfContact, Version], JsonObject],
    ) -> Reply:
        form = version.header_forms[f"{entity.partition('_')[0]}_action"]
        return self._write(request, form, row, lambda body, row: fields(body, row, version))

    def _write(
        self,
        request: Request,
        form: str,
        row: OfContact | None,
        fields: Callable[[JsonObject, OfContact], JsonObject],
        *,
        told: str | None = None,
    ) -> Reply:
        subject = reader(request, form)
        if subject is None:
            return unauthorised()
        key = request.segments[3]
        if row is None:
            return no_record(request.segments[2], key)
        if is_forbidden(self._denied, subject, row.contact_id):
            return forbidden()
        try:
            asked = fields(_body(request), row)
            change = update(self._live, ("crmcom", request.segments[2]), key, asked)
        except BadQueryError as error:
            return bad_parameter(error.status, error.name, error.value)
        except BadChangeError as error:
            return bad_parameter(400, "body", str(error))
        return Reply(200, encode({"id": told or key}), change=change)


def _body(request: Request) -> JsonObject:
    body = request.json_object()
    if body is None:
        raise BadQueryError(400, "body", "")
    return body
