"""The world: one pure function of (seed, contacts), in canonical form, standing still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .estate import tenants

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .rows import Communication, Contact


class World:
    """Computes rows where they are asked for; only tenants are kept."""

    def __init__(self, seed: int, contacts: int) -> None:
        """`contacts` is how many contacts there are."""
        self.seed = seed
        self.contacts = contacts
        self.tenants = tenants(seed, contacts)

    def every_contact(self) -> Iterator[Contact]:
        """All contacts in order of creation."""
        yield from ()

    def every_communication(self) -> Iterator[Communication]:
        """All communications, contact by contact."""
        yield from ()
