"""CRM.COM's writes as calls (contract 3.3, rows 2, 20 and 24): which path takes which body.

Bodies are made by `push`; a call is sent by `CrmcomApi.write`.
"""

from __future__ import annotations

from dataclasses import replace

from sync_pipeline.sources.calls import Call

ACTIONS = "/actions"


def update_contact(contact_id: str, body: bytes) -> Call:
    """Return the call that updates a contact."""
    return Call("PUT", "/contacts/{id}", ids=(contact_id,), payload=body)


def mark_communication(communication_id: str, body: bytes) -> Call:
    """Return the call that marks a communication as viewed or archived."""
    return Call("PUT", "/communications/{id}/actions", ids=(communication_id,), payload=body)


def decide_approval_request(approval_request_id: str, body: bytes) -> Call:
    """Return the call that accepts or rejects an approval request."""
    template = "/approval_requests/{id}/actions"
    return Call("POST", template, ids=(approval_request_id,), payload=body)


def with_other_verb(call: Call) -> Call | None:
    """Return an action by the verb that its sibling has, None for what is no action.

    The reference has PUT for one and POST for the other, where it may have meant the same.
    """
    if not call.template.endswith(ACTIONS):
        return None
    return replace(call, method="POST" if call.method == "PUT" else "PUT")
