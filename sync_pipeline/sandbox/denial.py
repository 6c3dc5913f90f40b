"""Which contacts of CRM.COM the service identity may not read: a share of all, or those named."""

from __future__ import annotations

from dataclasses import dataclass

from .chance import share_of


@dataclass(frozen=True, slots=True)
class Denial:
    """Nobody, unless told."""

    share: float = 0.0
    named: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> Denial:
        """Read `0.01` or `ID,ID`."""
        try:
            return cls(share=float(text))
        except ValueError:
            return cls(named=frozenset(filter(None, map(str.strip, text.split(",")))))

    def covers(self, contact_id: str) -> bool:
        """Whether the contact is denied; the same ones at each start."""
        if self.share and share_of("denied", contact_id) < self.share:
            return True
        return contact_id in self.named
