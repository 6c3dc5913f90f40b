"""How long a list is, as its API says it."""

from __future__ import annotations

LONGEST_NUMBER = 15


def stated_total(total: object, *, cap: int | None = None) -> int | None:
    """Return a list's stated length, or None for what cannot be one (null, text, the cap).

    ``cap``: an API that counts no further than this says nothing by saying it.
    """
    if isinstance(total, str) and total.isascii() and total.isdecimal():
        total = int(total[:LONGEST_NUMBER])
    if isinstance(total, bool) or not isinstance(total, int) or total < 0 or total == cap:
        return None
    return total
