"""Whether a request carries a key: pure, and as fast for a wrong key as for a right one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from hmac import compare_digest

# The vendor's guide says Authorization, its samples api-key, its event webhooks apiKey.
_HEADERS = frozenset({b"api-key", b"apikey", b"authorization"})
_BEARER = b"bearer "
# More than one header of each is no honest request.
_MOST_VALUES = 6


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of which any one opens; several are in use while they are rotated."""

    digests: tuple[bytes, ...] = field(repr=False)

    @classmethod
    def read(cls, listed: str) -> Keys:
        """Return the keys of a list with commas."""
        keys = [key.strip() for key in listed.split(",")]
        return cls(tuple(_digest(key.encode()) for key in keys if key))

    def admit(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Tell whether one of the headers holds a key; their names are in lower case."""
        given = [value for name, value in headers if name in _HEADERS][:_MOST_VALUES]
        is_known = False
        for value in given:
            digest = _digest(_bare(value))
            for known in self.digests:
                # Digests are of one length, and all are compared: the time tells nothing.
                is_known |= compare_digest(digest, known)
        return is_known


def _bare(value: bytes) -> bytes:
    value = value.strip()
    is_bearer = value[: len(_BEARER)].lower() == _BEARER
    return value[len(_BEARER) :].strip() if is_bearer else value


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
