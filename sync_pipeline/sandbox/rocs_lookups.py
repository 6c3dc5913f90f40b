"""ROCS's single lookups of a contact, in a world that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rocs_world import dialled

if TYPE_CHECKING:
    from .live import LiveWorld
    from .rows import Contact

LOOKUPS = ("id", "email", "externalId", "mobile")


class RocsLookups:
    """Finds by one identifier; of several that have it, the one that came first."""

    def __init__(self, live: LiveWorld) -> None:
        self._contacts = live.rocs_contacts
        self._pure = live.pure.rocs

    def place(self, by: str, value: str) -> int | None:
        """Where the contact stands; `value` is a number where `by` is `id`."""
        if by == "id":
            return self._contacts.place(str(int(value)))
        wanted = _compared(by, value)
        changed = self._contacts.changed
        found = [place for place in changed if _identifier(by, changed[place]) == wanted]
        pure = self._pure_place(by, value)
        if pure is not None and pure not in changed and self._contacts.has(pure):
            found.append(pure)
        return min(found, default=None)

    def _pure_place(self, by: str, value: str) -> int | None:
        match by:
            case "externalId":
                return self._pure.index_by_external_id(value)
            case "email":
                return self._pure.index_by_email(value)
            case _:
                return self._pure.index_by_mobile(value)


def _compared(by: str, value: str) -> str:
    match by:
        case "email":
            return value.strip().lower()
        case "mobile":
            return dialled(value)
    return value


def _identifier(by: str, row: Contact) -> str | None:
    match by:
        case "email":
            return row.email
        case "mobile":
            return dialled(row.phone or str(row.attributes.get("phoneMobile", ""))) or None
    return row.external_id
