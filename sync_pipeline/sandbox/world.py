"""The world: one pure function of (seed, contacts), in canonical form, standing still."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from . import messages, people
from .estate import tenants
from .ids import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rows import Communication, Contact

_RECENT = 64


class World:
    """Computes rows where they are asked for; only tenants are all kept."""

    def __init__(self, seed: int, contacts: int) -> None:
        """`contacts` is how many contacts there are."""
        self.seed = seed
        self.contacts = contacts
        self.tenants = tenants(seed, contacts)
        # Single communications are asked for one by one, and computed contact by contact.
        self._recent = lru_cache(maxsize=_RECENT)(self._compute_communications)

    def contact(self, index: int) -> Contact:
        """Make the contact at this place of the creation order."""
        return people.contact(self.seed, index)

    def communications(self, index: int) -> tuple[Communication, ...]:
        """All communications of the contact at this place, oldest first."""
        return self._recent(index)

    def _compute_communications(self, index: int) -> tuple[Communication, ...]:
        return messages.communications(self.seed, index, self.contact(index))

    def contact_index(self, contact_id: str) -> int | None:
        """Where the contact with this id stands; None for an unknown id."""
        place = place_of(self.seed, people.KIND, contact_id)
        return place[0] if place and place[0] < self.contacts and place[1] == 0 else None

    def communication_place(self, communication_id: str) -> tuple[int, int] | None:
        """(contact's place, place among its communications); None for an unknown id."""
        place = place_of(self.seed, messages.KIND, communication_id)
        if place is None or place[0] >= self.contacts:
            return None
        return place if place[1] < messages.communication_count(self.seed, place[0]) else None

    def every_contact(self) -> Iterator[Contact]:
        """All contacts in order of creation."""
        return map(self.contact, range(self.contacts))

    def every_communication(self) -> Iterator[Communication]:
        """All communications, contact by contact, each contact's oldest first."""
        for index in range(self.contacts):
            yield from self.communications(index)
