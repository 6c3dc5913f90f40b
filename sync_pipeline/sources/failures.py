"""Turn what kept a request from its answer into the error that says what the caller may do.

What httpx raises is classified once, here; an answer that is no success is for `refusals`.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx

from sync_pipeline.errors import RequestRefusedError, TransientSourceError, WrongAnswerError
from sync_pipeline.sources.budget import HeldBackError
from sync_pipeline.sources.calls import Call, Endpoint
from sync_pipeline.sources.connections import CONNECT_S
from sync_pipeline.sources.deadline import LateError

_UNSENT = (
    HeldBackError,
    LateError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ConnectError,
    httpx.ProxyError,
)


@contextmanager
def failures_in_words(call: Call, endpoint: Endpoint) -> Iterator[None]:
    """Raise a SourceError for what a request failed by."""
    api, path = endpoint.api, call.template
    try:
        yield
    except (httpx.LocalProtocolError, UnicodeEncodeError):
        # Its text repeats the header, which may be a credential.
        detail = "the request cannot be sent: a value has characters that HTTP does not allow"
        raise RequestRefusedError(api, path, detail=detail) from None
    except httpx.DecodingError as exc:
        detail = "came packed otherwise than its Content-Encoding says"
        raise WrongAnswerError(api, path, detail=detail) from exc
    except (HeldBackError, TimeoutError, httpx.TransportError) as exc:
        raise TransientSourceError(
            api,
            path,
            detail=_words(exc, endpoint),
            retry_after_s=exc.left_s if isinstance(exc, HeldBackError) else None,
            is_unsent=isinstance(exc, _UNSENT),
        ) from exc


def _words(exc: HeldBackError | TimeoutError | httpx.TransportError, endpoint: Endpoint) -> str:
    match exc:
        case HeldBackError() | LateError():
            return str(exc)
        case httpx.TimeoutException():
            return _timed_out(exc, endpoint)
        case httpx.ConnectError():
            return _unreachable(exc, endpoint)
        case httpx.ProxyError():
            return "the proxy does not let it through"
        case TimeoutError():
            return f"timed out: the answer was not complete after {endpoint.whole_s:g} s"
        case _:
            return "the connection broke before the answer was complete"


def _timed_out(exc: httpx.TimeoutException, endpoint: Endpoint) -> str:
    where = _address(endpoint)
    if isinstance(exc, httpx.ConnectTimeout):
        wait_s = min(endpoint.timeout_s, CONNECT_S)
        return f"{where} timed out: no connection after {wait_s:g} s; check {endpoint.variable}"
    if isinstance(exc, httpx.PoolTimeout):
        return f"timed out: no free connection after {endpoint.timeout_s:g} s"
    return f"{where} timed out: nothing came for {endpoint.timeout_s:g} s"


def _unreachable(exc: httpx.ConnectError, endpoint: Endpoint) -> str:
    where, variable = _address(endpoint), endpoint.variable
    causes = tuple(_causes(exc))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return f"{where} shows a TLS certificate that this machine does not trust; check {variable}"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"no TLS connection with {where}; check {variable}"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"the host name of {where} cannot be resolved (DNS); check {variable}"
    return f"{where} is unreachable; check {variable}"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    yield exc
    if isinstance(exc, BaseExceptionGroup):
        for inner in exc.exceptions:
            yield from _causes(inner)
    nearer = exc.__cause__ or exc.__context__
    if nearer is not None:
        yield from _causes(nearer)


def _address(endpoint: Endpoint) -> str:
    parts = urlsplit(endpoint.base_url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
