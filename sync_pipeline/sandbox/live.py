"""The world as it is now: the pure one and every change since, by source and entity.

The one place that applies a change. What may change and what a change comes to is decided in
`changes`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

from . import approvals, rocs_ids
from .children import Children
from .columns import row_of, with_columns
from .ids import place_of
from .listing import Base, Listing, R
from .rows import ENTITIES, Row, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from .changes import Change
    from .rows import Communication
    from .world import World

Name: TypeAlias = tuple[str, str]
_PLACES = 65_536
_FIRST_ACTIVITY = rocs_ids.activity_id(0)


class Table(Protocol):
    """What a list, or the lists under all contacts, let a change do."""

    def find(self, key: str) -> Row | None:
        """Find the row with this id."""

    def sample(self, draw: Random) -> Row | None:
        """Draw a row; None where the draw meets none."""

    def siblings(self, row: Row) -> int:
        """How many rows the list holds that this one is of."""

    def insert(self, row: Row, at: int | None = None) -> None:
        """Add a row."""

    def replace(self, row: Row) -> None:
        """Put the row in the place of the one with its id."""

    def remove(self, key: str) -> None:
        """Take the row with this id out."""


class LiveWorld:
    """Lists of every source; nothing of it is the pipeline's."""

    def __init__(self, pure: World) -> None:
        """Start as the pure world."""
        self.pure = pure
        self.seed = pure.seed
        rocs = pure.rocs
        place_of_contact = lru_cache(maxsize=_PLACES)(pure.contact_index)
        self.contacts = Listing(Base(pure.contacts, pure.contact, place_of_contact))
        self.communications = Children(self.contacts, pure.communications, pure.communication_place)
        self.approval_requests = Children(
            self.contacts,
            lru_cache(maxsize=_PLACES)(pure.approval_requests),
            self._approval_place,
        )
        self.rocs_contacts = Listing(Base(rocs.count, rocs.contact, _rocs_place(pure)))
        self.activity = Listing(Base(rocs.activity_count, *_activity(pure)))
        self.contact_lists = _whole(rocs.contact_lists)
        self.campaigns = _whole(rocs.campaigns)
        self.tenants = _whole(pure.tenants)
        self.plans = _whole(pure.plans)
        self.specifications = _whole(pure.specifications)

    def tables(self) -> dict[Name, Table]:
        """Every list, or set of lists, by source and entity."""
        tables = {
            ("crmcom", "contacts"): self.contacts,
            ("crmcom", "communications"): self.communications,
            ("crmcom", "approval_requests"): self.approval_requests,
            ("rocs", "contacts"): self.rocs_contacts,
            ("rocs", "communications"): self.activity,
            ("rocs", "contact_lists"): self.contact_lists,
            ("rocs", "campaigns"): self.campaigns,
            ("rosaas", "tenants"): self.tenants,
            ("rosaas", "plans"): self.plans,
            ("rosaas", "specifications"): self.specifications,
        }
        # Each takes rows of its own class alone, and is given no others.
        return cast("dict[Name, Table]", tables)

    def apply(self, change: Change) -> None:
        """Make the change, which was decided on this world as it is."""
        table = self.tables()[change.source, change.entity]
        if change.action == "insert":
            table.insert(row_of(ENTITIES[change.entity], change.after or {}), change.place)
        elif change.action == "delete":
            table.remove(change.id)
        elif change.after and (row := table.find(change.id)) is not None:
            table.replace(with_columns(row, change.after))

    def copy(self) -> LiveWorld:
        """Give the world as it is now, for a reader that takes its time."""
        twin = LiveWorld(self.pure)
        twin.contacts = self.contacts.copy()
        twin.communications = self.communications.copy(twin.contacts)
        twin.approval_requests = self.approval_requests.copy(twin.contacts)
        twin.rocs_contacts = self.rocs_contacts.copy()
        twin.activity = self.activity.copy()
        twin.contact_lists = self.contact_lists.copy()
        twin.campaigns = self.campaigns.copy()
        twin.tenants = self.tenants.copy()
        twin.plans = self.plans.copy()
        twin.specifications = self.specifications.copy()
        return twin

    def _approval_place(self, key: str) -> tuple[int, int] | None:
        place = place_of(self.seed, approvals.KIND, key)
        if place is None or place[0] >= self.pure.contacts:
            return None
        return place if place[1] < len(self.pure.approval_requests(place[0])) else None


def _rocs_place(pure: World) -> Callable[[str], int | None]:
    def place(key: str) -> int | None:
        return pure.rocs.index_by_id(int(key)) if key.isascii() and key.isdigit() else None

    return place


def _activity(
    pure: World,
) -> tuple[Callable[[int], Communication], Callable[[str], int | None]]:
    # A contact's are made together, and mostly asked for one after the other.
    of_contact = lru_cache(maxsize=16)(pure.rocs.activities)

    def row(position: int) -> Communication:
        index, ordinal = rocs_ids.activity_place(pure.seed, position)
        return of_contact(index)[ordinal]

    def place(key: str) -> int | None:
        position = int(key) - _FIRST_ACTIVITY if key.isascii() and key.isdigit() else -1
        return position if 0 <= position < pure.rocs.activity_count else None

    return row, place


def _whole(rows: Sequence[R]) -> Listing[R]:
    places = {key_of(row): place for place, row in enumerate(rows)}
    return Listing(Base(len(rows), rows.__getitem__, places.get))
