"""The part of the world that ROCS knows: its contacts, their activity, lists and campaigns."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeGuard

from . import people, rocs_activity, rocs_campaigns, rocs_ids, rocs_people
from .ids import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rows import Communication, Contact

_RECENT = 1024
_NUMBER_IN_MAILBOX = re.compile(r"([0-9]+)@")


class RocsWorld:
    """Computes contacts and activity where they are asked for; only the few others are kept."""

    def __init__(self, seed: int, contacts: int) -> None:
        """`contacts` is how many there are in CRM.COM."""
        self.seed = seed
        self.count = rocs_ids.contact_count(contacts)
        self.activity_count = rocs_ids.first_activity(seed, self.count)
        self.contact_lists = rocs_campaigns.contact_lists(seed)
        self.campaigns = rocs_campaigns.campaigns(seed)
        self._contacts = contacts
        self._recent = lru_cache(maxsize=_RECENT)(self._compute_contact)

    def contact(self, index: int) -> Contact:
        """Make the contact at this place of the order of ids."""
        return self._recent(index)

    def activities(self, index: int) -> tuple[Communication, ...]:
        """All activity of the contact at this place, in the order of ids."""
        return rocs_activity.activities(self.seed, index, self.contact(index))

    def every_contact(self) -> Iterator[Contact]:
        """All contacts in the order of ids."""
        return map(self.contact, range(self.count))

    def every_activity(self) -> Iterator[Communication]:
        """All activity in the order of ids, which is contact by contact."""
        for index in range(self.count):
            yield from self.activities(index)

    def index_by_id(self, identifier: int) -> int | None:
        """Where the contact with this id stands; None for an unknown id."""
        index = rocs_ids.contact_index(self.seed, identifier)
        return index if index is not None and index < self.count else None

    def index_by_external_id(self, external_id: str) -> int | None:
        """Where the contact with this external id stands; None for an unknown one."""
        place = place_of(self.seed, people.KIND, external_id)
        candidates = (
            rocs_ids.index_of_twin(place[0]) if place else None,
            rocs_ids.index_of_unknown(external_id),
        )
        for index in candidates:
            if self._exists(index) and self.contact(index).external_id == external_id:
                return index
        return None

    def index_by_email(self, email: str) -> int | None:
        """Where the first contact with this e-mail address, in any case, stands."""
        wanted = email.strip().lower()
        # Every mailbox ends in the number of the contact, here or in CRM.COM, that had it first.
        found = _NUMBER_IN_MAILBOX.search(wanted)
        number = int(found[1]) if found else self.count
        for index in sorted({number, rocs_ids.index_of_twin(number)}):
            if self._exists(index) and self.contact(index).email == wanted:
                return index
        return None

    def index_by_mobile(self, number: str) -> int | None:
        """Where the first contact with this number, with or without spaces, stands."""
        return self._by_mobile.get(dialled(number))

    @cached_property
    def _by_mobile(self) -> dict[str, int]:
        """Made when first asked for: numbers do not tell whose they are."""
        found: dict[str, int] = {}
        for index, row in enumerate(map(self._compute_contact, range(self.count))):
            number = dialled(row.phone or str(row.attributes.get("phoneMobile", "")))
            if number:
                found.setdefault(number, index)
        return found

    def _exists(self, index: int | None) -> TypeGuard[int]:
        return index is not None and index < self.count

    def _compute_contact(self, index: int) -> Contact:
        return rocs_people.contact(self.seed, index, self._contacts)


def dialled(number: str) -> str:
    """Leave of a number what one dials."""
    return "".join(character for character in number if character in "+0123456789")
