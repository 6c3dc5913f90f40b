"""Bearer tokens of the sandbox: JWTs (HS512) with `sub` and `exp`, checked without a store.

The signing keys are fixed words, so a token outlives a restart of the process; nothing else
than this sandbox accepts them.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

LIFETIME_S = 3600


def issue_token(key: str, subject: str) -> tuple[str, int]:
    """(token, its expiry in epoch seconds)."""
    expires = int(time.time()) + LIFETIME_S
    head = _segment({"alg": "HS512"})
    claims = _segment({"sub": subject, "exp": expires})
    return f"{head}.{claims}.{_signature(key, f'{head}.{claims}')}", expires


def is_valid_token(key: str, token: str) -> bool:
    """Whether the token was signed with the key and has not expired."""
    return time.time() < _expiry_if_signed(key, token)


@lru_cache(maxsize=256)
def _expiry_if_signed(key: str, token: str) -> float:
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(key, signed).encode(), signature.encode()):
        return 0.0
    claims = signed.partition(".")[2]
    return float(json.loads(urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["exp"])


def _segment(value: dict[str, str | int]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _signature(key: str, signed: str) -> str:
    return _base64(hmac.digest(key.encode(), signed.encode(), "sha512"))


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
