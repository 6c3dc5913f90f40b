"""Which faults the vendors' answers have, how often, and for which request: by seed.

A request's fault follows from the seed, its path and query, and how often it came before: so a
run can be repeated, in whatever order its requests arrive.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .chance import share_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .wire import Request

# What may happen to any request (of a write: before it is applied).
ANY = ("429", "503", "500", "html", "html200", "slow", "cut", "token", "timeout")
# To a page of a list alone.
PAGES = ("short", "repeated", "empty", "total")
# To a write alone; but for the first it is applied at once.
WRITES = ("late", "applied_500", "applied_timeout", "applied_empty", "applied_id")
# A write that one of these befalls is applied all the same.
APPLIED = (*WRITES[1:], "slow", "cut", "token")
KINDS = (*ANY, *PAGES, *WRITES)
# Not a kind: how much later a late write is applied.
LATE_S = "late_s"
_LONGEST_S = 3600
# What one number is shared out among: nothing that lasts, and nothing of writes.
_SHARED = (*ANY[:-1], *PAGES)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """The share of requests that each kind befalls; none unless told."""

    shares: Mapping[str, float] = field(default_factory=dict)
    late_s: float = 5.0

    @classmethod
    def read(cls, text: str) -> FaultPlan:
        """Read `0.02` (over all kinds) or `429=0.01,cut=0.005`; raises ValueError.

        `late=0.1,late_s=2` says as well how many seconds later a late write is applied.
        """
        if "=" not in text:
            share = _number(text, "share") / len(_SHARED)
            return cls(dict.fromkeys(_SHARED, share) if share else {})
        shares: dict[str, float] = {}
        late_s = cls().late_s
        for part in text.split(","):
            kind, _, share_text = part.strip().partition("=")
            if kind == LATE_S:
                late_s = _number(share_text, "number of seconds", most=_LONGEST_S)
                continue
            if kind not in KINDS:
                raise ValueError(f"{kind!r} is no fault; there are {', '.join(KINDS)}")
            shares[kind] = _number(share_text, "share")
        if sum(shares.values()) > 1:
            raise ValueError("the shares of all faults together are more than 1")
        return cls(shares, late_s)


def _number(text: str, what: str, *, most: int = 1) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise ValueError(f"{text!r} is no {what} from 0 to {most}")
    return number


class Faults:
    """Picks, counts, and remembers which logins were ended."""

    def __init__(self, seed: int, plan: FaultPlan) -> None:
        self._seed = seed
        self.plan = plan
        self._asked = Counter[tuple[str, tuple[str, ...], bytes]]()
        self.counts = Counter[str]()
        self._ended: set[str] = set()

    def pick(self, request: Request, *, is_write: bool) -> str | None:
        """Tell which fault befalls this request; those that cannot befall it do not."""
        if not self.plan.shares:
            return None
        place = (request.method, request.segments, request.query_string)
        self._asked[place] += 1
        asked = self._asked[place]
        left = share_of(self._seed, "fault", *map(str, place), asked)
        for kind, share in self.plan.shares.items():
            left -= share
            if left < 0:
                applies = not (kind in WRITES and not is_write) and not (kind in PAGES and is_write)
                self.counts[kind] += applies
                return kind if applies else None
        return None

    def end_login(self, request: Request) -> None:
        """Let no request pass any more that carries this one's token."""
        self._ended.update(filter(None, _tokens(request)))

    def is_ended(self, request: Request) -> bool:
        """Whether the request carries a token of an ended login."""
        return bool(self._ended) and any(token in self._ended for token in _tokens(request))


def _tokens(request: Request) -> tuple[str | None, ...]:
    value = request.header(b"authorization")
    bare = value.rpartition(" ")[2] if value else None
    return bare, request.header(b"auth_token")
