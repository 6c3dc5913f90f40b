"""Ids that look random and still tell where their record is.

An id hides the record's position under a mask derived from the rest of the id, so the world
needs no index of its communications and starts at once whatever its size.
"""

from __future__ import annotations

from hashlib import blake2b

_HALF = 8
_WHOLE = 32


def _digest(*parts: str | int, tail: bytes = b"") -> bytes:
    text = "/".join(map(str, parts)).encode()
    return blake2b(text + b"/" + tail if tail else text, digest_size=_HALF).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(_HALF, "big")


def opaque_id(seed: int, kind: str, index: int, ordinal: int = 0) -> str:
    """Half of them 32 upper-case hex digits, half dashed GUIDs, as the vendor mixes both."""
    tail = _digest(seed, kind, index, ordinal)
    place = index.to_bytes(4, "big") + ordinal.to_bytes(4, "big")
    digits = (_xor(place, _digest(seed, kind, tail=tail)) + tail).hex()
    return digits.upper() if tail[0] % 2 else dashed(digits)


def place_of(seed: int, kind: str, identifier: str) -> tuple[int, int] | None:
    """(index, ordinal) of an id made by `opaque_id`; None for any other text."""
    digits = identifier.replace("-", "")
    if len(digits) != _WHOLE:
        return None
    try:
        raw = bytes.fromhex(digits)
    except ValueError:
        return None
    tail = raw[_HALF:]
    place = _xor(raw[:_HALF], _digest(seed, kind, tail=tail))
    index, ordinal = int.from_bytes(place[:4], "big"), int.from_bytes(place[4:], "big")
    return (index, ordinal) if opaque_id(seed, kind, index, ordinal) == identifier else None


def guid(*place: str | int) -> str:
    """Make a dashed GUID that is the same for the same place."""
    return dashed((_digest(*place, "a") + _digest(*place, "b")).hex())


def dashed(digits: str) -> str:
    """32 hex digits in the 8-4-4-4-12 form."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
