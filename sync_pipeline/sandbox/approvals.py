"""Approval requests in canonical form: what waits for a contact's yes or no."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chance import chance, happens
from .ids import guid, opaque_id
from .rows import ApprovalRequest

if TYPE_CHECKING:
    from random import Random

    from .rows import JsonObject

KIND = "approval-request"
# The last is of no version that is documented for this API.
_STATES = ("PENDING",) * 18 + ("APPROVED",) * 20 + ("REJECTED",) * 10 + ("CANCELLED",)
# What is asked about, and how a reference to it begins.
_ENTITIES = (
    ("ORDERS", "ORD-"),
    ("ORDERS", "ORD-"),
    ("SERVICE_REQUESTS", "SR"),
    ("REWARD_OFFERS", "Δώρο "),
    ("ORGANISATIONS", "0"),
)
_COMMENTS = ("", None, "Approved by phone", "Όχι τώρα, ευχαριστώ 🙏", "line one\nline two ")


def approval_requests(seed: int, index: int, contact_id: str) -> tuple[ApprovalRequest, ...]:
    """All of one contact's, none to three, in order of creation."""
    draw = chance(seed, KIND, index)
    count = draw.choice((0, 0, 0, 1, 1, 2, 3))
    return tuple(approval_request(draw, seed, (index, place), contact_id) for place in range(count))


def approval_request(
    draw: Random, seed: int, place: tuple[int, int], contact_id: str
) -> ApprovalRequest:
    """Make the one at a place: the contact's, and its own among the contact's."""
    entity_type, prefix = draw.choice(_ENTITIES)
    attributes: JsonObject = {"comments": draw.choice(_COMMENTS)}
    if happens(draw, 0.6):
        stage = guid(seed, "stage", entity_type, draw.randrange(4))
        attributes["entity"] = {"stage_id": draw.choice((stage, stage, stage, None))}
    return ApprovalRequest(
        source="crmcom",
        approval_request_id=opaque_id(seed, KIND, *place),
        contact_id=contact_id,
        state=draw.choice(_STATES),
        entity_type=entity_type,
        entity_id=guid(seed, "approval-entity", *place),
        entity_reference=f"{prefix}{draw.randrange(10**6):06d}" if happens(draw, 0.9) else None,
        attributes=attributes,
    )
