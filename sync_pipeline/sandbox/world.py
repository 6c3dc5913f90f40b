"""The world: one pure function of (seed, contacts), in canonical form, standing still."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from . import approvals, messages, people
from .estate import tenants
from .ids import opaque_id, place_of
from .rocs_world import RocsWorld
from .rosaas_offers import plans, specifications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rows import ApprovalRequest, Communication, Contact

_RECENT = 256
_RECENT_CONTACTS = 4096


class World:
    """Computes rows where they are asked for; only the few of RoSaaS are all kept."""

    def __init__(self, seed: int, contacts: int) -> None:
        """`contacts` is how many contacts there are in CRM.COM."""
        self.seed = seed
        self.contacts = contacts
        self.tenants = tenants(seed, contacts)
        self.plans = plans(seed)
        self.specifications = specifications(seed)
        self.rocs = RocsWorld(seed, contacts)
        # Single communications are asked for one by one, and computed contact by contact.
        self._recent = lru_cache(maxsize=_RECENT)(self._compute_communications)
        self._recent_contacts = lru_cache(maxsize=_RECENT_CONTACTS)(self._compute_contact)

    def contact(self, index: int) -> Contact:
        """Make the contact at this place of the creation order."""
        return self._recent_contacts(index)

    def _compute_contact(self, index: int) -> Contact:
        return people.contact(self.seed, index)

    def contact_id(self, index: int) -> str:
        """Tell the id of the contact at this place without making the contact."""
        return opaque_id(self.seed, people.KIND, index)

    def communications(self, index: int) -> tuple[Communication, ...]:
        """All communications of the contact at this place, oldest first."""
        return self._recent(index)

    def _compute_communications(self, index: int) -> tuple[Communication, ...]:
        return messages.communications(self.seed, index, self.contact(index))

    def approval_requests(self, index: int) -> tuple[ApprovalRequest, ...]:
        """All approval requests of the contact at this place, oldest first."""
        return approvals.approval_requests(self.seed, index, self.contact_id(index))

    def contact_index(self, contact_id: str) -> int | None:
        """Where the contact with this id stands; None for an unknown id."""
        place = place_of(self.seed, people.KIND, contact_id)
        return place[0] if place and place[0] < self.contacts and place[1] == 0 else None

    def communication_place(self, communication_id: str) -> tuple[int, int] | None:
        """(contact's place, place among its communications); None for an unknown id."""
        place = place_of(self.seed, messages.KIND, communication_id)
        if place is None or place[0] >= self.contacts:
            return None
        return place if place[1] < len(self.communications(place[0])) else None

    def every_contact(self) -> Iterator[Contact]:
        """All contacts in order of creation."""
        return map(self.contact, range(self.contacts))
