"""Log in: what a login answers, and whose fault it is when it gives no token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from sync_pipeline.errors import (
    CredentialRefusedError,
    SettingsError,
    SourceError,
    WrongAnswerError,
)
from sync_pipeline.sources.calls import Call, Endpoint, Reply
from sync_pipeline.sources.json_bodies import scalar
from sync_pipeline.sources.tokens import Token, issued_token

EXPIRY_KEYS = ("exp", "expiration", "expiration_date", "expires_on")
LONGEST_LIFETIME = 9
"""Digits of a lifetime in seconds; more say nothing more."""


def token_in(body: Mapping[str, bytes], key: str, *, reply: Reply) -> Token | None:
    """Return the token that a login answered under ``key``, or None when it is not there."""
    text = scalar(body.get(key))
    if not isinstance(text, str) or not is_header_value(text):
        return None
    stated = [scalar(body.get(name)) for name in EXPIRY_KEYS]
    lifetime_s = scalar(body.get("expires_in"))
    if isinstance(lifetime_s, int | str) and str(lifetime_s).isdecimal():
        life = timedelta(seconds=int(str(lifetime_s)[:LONGEST_LIFETIME]))
        stated.append((reply.sent_at + life).timestamp())
    return issued_token(text, stated=stated, now=reply.sent_at)


def no_token(call: Call, endpoint: Endpoint) -> WrongAnswerError:
    """Return the error for a login that succeeds without a token."""
    detail = "a login answer with a token was due, and one without came"
    return WrongAnswerError(endpoint.api, call.template, detail=detail)


def refused(exc: SourceError, remedy: str) -> CredentialRefusedError:
    """Return the error for a login that the API refuses, with the variables to correct."""
    detail = f"{remedy} ({exc.detail})" if exc.detail else remedy
    if isinstance(exc, CredentialRefusedError):
        return replace(exc, detail=detail)
    return CredentialRefusedError(exc.api, exc.path, exc.status, exc.code, detail)


def header_secret(variable: str, value: str) -> str:
    """Return a secret that goes into a header; SettingsError when no header can carry it."""
    if not is_header_value(value):
        raise SettingsError(f"{variable}: is empty or has characters that a header cannot carry")
    return value


def is_header_value(text: str) -> bool:
    """Tell whether ``text`` may be sent as a header value."""
    return bool(text) and text.isascii() and text.isprintable() and text == text.strip()
