"""Checks of one source: settings, network, one real request with a login, contact ids."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from sync_pipeline.entities import STREAMS
from sync_pipeline.errors import (
    AccessDeniedError,
    RecordNotFoundError,
    SettingsError,
    SourceError,
    SyncError,
)
from sync_pipeline.operate.doctor.findings import Finding, failed, ok, warning
from sync_pipeline.pull.interrupts import run_interruptibly
from sync_pipeline.settings import (
    CrmcomSettings,
    RocsSettings,
    RosaasSettings,
    Settings,
    SourceSettings,
    is_loopback,
)
from sync_pipeline.sources.contacts_file import read_contact_ids
from sync_pipeline.sources.crmcom import CrmcomApi, open_crmcom
from sync_pipeline.sources.retry import RetryBounds
from sync_pipeline.sources.rocs import open_rocs
from sync_pipeline.sources.rosaas import open_rosaas

CONNECT_S = 10.0
SOURCES = sorted({stream.source for stream in STREAMS.values()})
# A person waits for the answer: one try tells as much as five.
_ONCE = RetryBounds(attempts=1)
_NOBODY = "00000000-0000-0000-0000-000000000000"


def check_source(settings: Settings, source: str) -> Iterator[Finding]:
    """Yield the findings about a source, the cheap ones first; what follows a failure is left."""
    own = settings.of_source(source)
    variable = f"{source.upper()}_BASE_URL"
    if own is None:
        found = f"off: {variable} is not set"
        yield (
            ok(source, found)
            if settings.is_any_source_on
            else ok(source, f"{found}; with no source on, the sandbox stands in")
        )
        return
    yield ok(source, f"on: {own.base_url}; {politeness(own)}")
    if isinstance(own, CrmcomSettings):
        yield contact_ids_finding(own)
    for name, url in addresses(own, source):
        reached = reachability(name, url)
        yield reached
        if reached.state == "failed":
            return
    yield login_finding(own, source)


def politeness(own: SourceSettings) -> str:
    """Say how politely the source is read."""
    return (
        f"{own.requests_per_second:g} requests/s, {own.max_in_flight} in flight, pages of "
        f"{own.page_size}, {own.timeout_s:g} s, every {own.interval_minutes} min"
    )


def addresses(own: SourceSettings, source: str) -> list[tuple[str, str]]:
    """Return each address of the source, by the variable that holds it."""
    found = [(f"{source.upper()}_BASE_URL", own.base_url)]
    if isinstance(own, CrmcomSettings) and own.backoffice_url:
        found.append(("CRMCOM_BACKOFFICE_URL", own.backoffice_url))
    if isinstance(own, RocsSettings):
        found.append(("ROCS_TOKEN_URL", own.token_url))
    return found


def reachability(variable: str, url: str) -> Finding:
    """Resolve the name, connect, and shake hands where the address is https."""
    check = f"{variable.lower()} reachable"
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme in getproxies() and not is_loopback(url):
        return ok(check, f"{host}:{port} by way of a proxy (the login shows whether it is)")
    try:
        with socket.create_connection((host, port), CONNECT_S) as plain:
            if parts.scheme == "https":
                with httpx.create_ssl_context().wrap_socket(plain, server_hostname=host):
                    return ok(check, f"{host}:{port}, trusted TLS")
            return ok(check, f"{host}:{port}")
    except OSError as exc:
        found, remedy = unreachable(exc)
        return failed(check, f"{host}:{port}: {found}", f"check {variable}; {remedy}")


def unreachable(exc: OSError) -> tuple[str, str]:
    """Return what is wrong with the network, and what to do about it."""
    if isinstance(exc, socket.gaierror):
        return "the host name cannot be resolved (DNS)", "or this machine's DNS"
    if isinstance(exc, ssl.SSLCertVerificationError):
        remedy = "or name the certificate authority in SSL_CERT_FILE"
        return "its TLS certificate is not trusted here", remedy
    if isinstance(exc, ssl.SSLError):
        return "no TLS connection", "or the port"
    if isinstance(exc, TimeoutError):
        return f"no connection after {CONNECT_S:g} s", "or the firewall"
    return f"no connection ({exc.strerror or 'refused'})", "or whether the service runs"


def contact_ids_finding(own: CrmcomSettings) -> Finding:
    """Say where contact ids come from, and whether the file holds any."""
    check = "crmcom contact ids"
    if own.contact_ids != "registry":
        return ok(check, f"from {own.contact_ids} (CRMCOM_CONTACT_IDS)")
    if own.contacts_file is None:
        remedy = "set CRMCOM_CONTACTS_FILE, or CRMCOM_BACKOFFICE_URL and CRMCOM_SECRET_KEY"
        return warning(check, "only those that the registry already holds", remedy)
    try:
        count = len(set(read_contact_ids(own.contacts_file)))
    except SettingsError as exc:
        return failed(check, str(exc), "save the file as CSV in UTF-8")
    if count == 0:
        return failed(check, "CRMCOM_CONTACTS_FILE holds no id", "put ids in its first column")
    return ok(check, f"{count:,} from CRMCOM_CONTACTS_FILE")


def login_finding(own: SourceSettings, source: str) -> Finding:
    """Make one real request, with the login that a pull would use."""
    check = f"{source} login"
    try:
        run_interruptibly(_ask(own))
    except SyncError as exc:
        return failed(check, str(exc), f"correct the {source.upper()}_ variable that is named")
    return ok(check, "works: one request was answered")


async def _ask(own: SourceSettings) -> None:
    match own:
        case CrmcomSettings():
            async with open_crmcom(own, bounds=_ONCE) as crmcom:
                await _ask_crmcom(own, crmcom)
        case RocsSettings():
            async with open_rocs(own, bounds=_ONCE) as rocs:
                if own.contacts_mode == "list":
                    await rocs.contacts_page(1)
                else:
                    await rocs.find_contact("id", "0")
        case RosaasSettings():
            async with open_rosaas(own, bounds=_ONCE) as rosaas:
                await rosaas.tenants()
        case _:
            raise SourceError("this source", "", detail="no request is known for it")


async def _ask_crmcom(own: CrmcomSettings, api: CrmcomApi) -> None:
    contact_id = _NOBODY
    if own.contact_ids == "backoffice":
        await api.contact_list_page(1)
    elif own.contacts_file is not None:
        contact_id = next(read_contact_ids(own.contacts_file), _NOBODY)
    try:
        await api.contact(contact_id)
    except (RecordNotFoundError, AccessDeniedError):
        return  # whoever is told so is logged in
