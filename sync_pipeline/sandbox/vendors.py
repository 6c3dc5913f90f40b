"""Every vendor's servers side by side: finds the one that a request is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .backoffice_api import BackofficeApi
from .crmcom_api import CrmcomApi
from .rocs_api import RocsApi
from .rocs_login import token_reply
from .rosaas_api import AUTH, RosaasApi

if TYPE_CHECKING:
    from .denial import Denial
    from .live import LiveWorld
    from .wire import Reply, Request


class Vendors:
    """Answers and decides writes; what a reply says is to change is made by whoever asked."""

    def __init__(self, live: LiveWorld, denied: Denial) -> None:
        self._crmcom = CrmcomApi(live, denied)
        self._backoffice = BackofficeApi(live)
        self._rocs = RocsApi(live)
        self._rosaas = RosaasApi(live)

    def reply(self, request: Request) -> Reply:
        """Route one request by its first segments."""
        match request.segments:
            case ("self-service", _, *_):
                return self._crmcom.reply(request)
            case ("backoffice", "v1", *_):
                return self._backoffice.reply(request)
            case ("rocs-login", *_):
                return token_reply(request)
            case ("rocs", *_):
                return self._rocs.reply(request)
        return self._rosaas.reply(request)


def is_write(request: Request) -> bool:
    """Whether the request asks for a change, rather than for rows or a login."""
    if request.method in ("GET", "HEAD"):
        return False
    match request.segments:
        case ("rocs-login", *_) | ("self-service", _, "contacts", "authenticate" | "refresh"):
            return False
    return request.segments != AUTH
