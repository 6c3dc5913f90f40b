"""What hangs under the contacts of CRM.COM: one list for each, kept only where it changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from .listing import Base, Listing
from .rows import ApprovalRequest, Communication, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

    from .rows import Contact

Child = TypeVar("Child", Communication, ApprovalRequest)


class Children(Generic[Child]):
    """Rows by contact and by id; a contact is told by its place among the contacts."""

    def __init__(
        self,
        contacts: Listing[Contact],
        of_contact: Callable[[int], tuple[Child, ...]],
        place: Callable[[str], tuple[int, int] | None],
    ) -> None:
        """`of_contact` and `place` (contact's place, place among its rows) are the pure world's."""
        self._contacts = contacts
        self._born = contacts.next_place
        self._of_contact: Callable[[int], tuple[Child, ...]] = of_contact
        self._place = place
        self._lists: dict[int, Listing[Child]] = {}
        # The contact's place of each inserted row.
        self._owners: dict[str, int] = {}

    def revision(self, contact: int) -> int:
        """Grows with each change to the list of this contact; 0 while there was none."""
        found = self._lists.get(contact)
        return 0 if found is None else found.revision

    def rows(self, contact: int) -> tuple[Child, ...]:
        """All rows of the contact at this place, in the order of its list."""
        found = self._lists.get(contact)
        return self._pure(contact) if found is None else tuple(found.rows())

    def next_ordinal(self, contact: int) -> int:
        """Tell the place that the next row of this contact gets."""
        found = self._lists.get(contact)
        return len(self._pure(contact)) if found is None else found.next_place

    def find(self, key: str) -> Child | None:
        """Find the row with this id; None for a deleted one, or one of a deleted contact."""
        place = self._place(key) if key not in self._owners else None
        owner = self._owners.get(key, place[0] if place else -1)
        if not self._contacts.has(owner):
            return None
        if (found := self._lists.get(owner)) is not None:
            return found.find(key)
        return self._pure(owner)[place[1]] if place else None

    def sample(self, draw: Random) -> Child | None:
        """Draw one row of a contact that is drawn; None where that one has none."""
        if not len(self._contacts):
            return None
        at = draw.randrange(len(self._contacts))
        rows = self.rows(self._contacts.places(at, at + 1)[0])
        return draw.choice(rows) if rows else None

    def siblings(self, row: Child) -> int:
        """How many rows the list holds that this one is of."""
        contact = self._contacts.place(row.contact_id)
        return 0 if contact is None else len(self.rows(contact))

    def insert(self, row: Child, at: int | None = None) -> None:
        """Add a row to the list of its contact, which must be there."""
        contact = self._contacts.place(row.contact_id)
        if contact is None:
            raise KeyError(key_of(row))
        self._owners[key_of(row)] = contact
        self._own(contact).insert(row, at)

    def replace(self, row: Child) -> None:
        """Put the row in the place of the one with its id, which must be there."""
        self._standing(key_of(row)).replace(row)

    def remove(self, key: str) -> None:
        """Take the row with this id, which must be there, out of its list."""
        self._standing(key).remove(key)

    def every_row(self) -> Iterator[Child]:
        """All rows, contact by contact."""
        for contact in self._contacts.places(0, len(self._contacts)):
            yield from self.rows(contact)

    def copy(self, contacts: Listing[Contact]) -> Children[Child]:
        """Give all lists as they are now, under these contacts."""
        twin = Children(contacts, self._of_contact, self._place)
        twin._born = self._born
        twin._owners = dict(self._owners)
        twin._lists = {contact: listing.copy() for contact, listing in self._lists.items()}
        return twin

    def _pure(self, contact: int) -> tuple[Child, ...]:
        # A contact that was inserted begins without any.
        return self._of_contact(contact) if contact < self._born else ()

    def _owner(self, key: str) -> int | None:
        owner = self._owners.get(key)
        if owner is None and (place := self._place(key)) is not None:
            owner = place[0]
        return owner if owner is not None and self._contacts.has(owner) else None

    def _own(self, contact: int) -> Listing[Child]:
        found = self._lists.get(contact)
        if found is None:
            rows = self._pure(contact)
            places = {key_of(row): place for place, row in enumerate(rows)}
            base = Base(len(rows), rows.__getitem__, places.get)
            found = self._lists[contact] = Listing(base)
        return found

    def _standing(self, key: str) -> Listing[Child]:
        owner = self._owner(key)
        if owner is None:
            raise KeyError(key)
        return self._own(owner)
