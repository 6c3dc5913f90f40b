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
from itertools import count

LIFETIME_S = 3600
_numbers = count(1)


def issue_token(key: str, subject: str) -> tuple[str, int]:
    """(token, its expiry in epoch seconds)."""
    expires = int(time.time()) + LIFETIME_S
    head = _segment({"alg": "HS512"})
    # No two are alike, so that one login can end and the next one, in the same second, not.
    claims = _segment({"sub": subject, "exp": expires, "jti": next(_numbers)})
    return f"{head}.{claims}.{_signature(key, f'{head}.{claims}')}", expires


def is_valid_token(key: str, token: str) -> bool:
    """Whether the token was signed with the key and has not expired."""
    return token_subject(key, token) is not None


def token_subject(key: str, token: str) -> str | None:
    """Whose token this is; None for one that was not signed with the key or has expired."""
    subject, expires = _claims_if_signed(key, token)
    return subject if time.time() < expires else None


@lru_cache(maxsize=4096)
def _claims_if_signed(key: str, token: str) -> tuple[str, float]:
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(_signature(key, signed).encode(), signature.encode()):
        return "", 0.0
    segment = signed.partition(".")[2]
    claims = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return str(claims["sub"]), float(claims["exp"])


def _segment(value: dict[str, str | int]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _signature(key: str, signed: str) -> str:
    return _base64(hmac.digest(key.encode(), signed.encode(), "sha512"))


def _base64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
