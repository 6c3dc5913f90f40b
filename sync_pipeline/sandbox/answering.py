"""From a request to what is sent: faults, writes made and noted, latency; then counted."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from .broken_replies import page_before, refusal, spoilt_page
from .fault_plan import APPLIED, WRITES, Faults
from .traffic import Traffic
from .vendors import Vendors, is_write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .keeper import Keeper
    from .options import Options
    from .rows import JsonValue
    from .wire import Reply, Request

SLOW_S = 2.0


class Answering:
    """The vendors' side of the sandbox."""

    def __init__(self, keeper: Keeper, options: Options) -> None:
        self._keeper = keeper
        self._vendors = Vendors(keeper.live, options.denied)
        self._latency_s = options.latency_ms / 1000
        self.faults = Faults(keeper.live.seed, options.faults)
        self.traffic = Traffic()

    async def answer(
        self, request: Request, gone: Callable[[], Awaitable[None]]
    ) -> tuple[Reply | None, bool]:
        """Give the reply and whether it is cut off in the middle; None for none at all.

        `gone` ends when the client hangs up, which is what a request without an answer waits for.
        """
        counts = self.traffic.of(request)
        counts.begin()
        status = 0
        try:
            fault = self.faults.pick(request, is_write=is_write(request))
            reply = self._faulty(request, fault) if fault else self._plain(request)
            if fault in ("timeout", "applied_timeout"):
                await gone()
                return None, False
            if fault == "slow":
                await asyncio.sleep(SLOW_S)
            if self._latency_s:
                await asyncio.sleep(self._latency_s)
            status = reply.status
            return reply, fault == "cut"
        finally:
            counts.end(status)

    def _plain(self, request: Request, fault: str | None = None) -> Reply:
        """Answer and, of a write, make it."""
        reply = self._vendors.reply(self._as_admitted(request))
        if is_write(request):
            self._note(request, reply, reply.status, fault, is_made=True)
        return reply

    def _faulty(self, request: Request, fault: str) -> Reply:
        if fault == "token":
            self.faults.end_login(request)
        if fault == "repeated":
            return self._plain(page_before(request))
        told = refusal(fault, is_dated=len(request.segments[-1]) % 2 == 0)
        if not is_write(request):
            return told or spoilt_page(fault, self._plain(request))
        reply = self._vendors.reply(self._as_admitted(request))
        if reply.change is None and fault in WRITES:
            # The vendor refuses it, so there is nothing that could be applied late or unseen.
            told = None
        elif fault == "late":
            asyncio.get_running_loop().call_later(
                self.faults.plan.late_s, self._plain, request, fault
            )
        sent = told or reply
        self._note(request, reply, sent.status, fault, is_made=fault in APPLIED)
        return sent

    def _as_admitted(self, request: Request) -> Request:
        """Take the token from a request whose login was ended: the vendor then says the rest."""
        return replace(request, headers=()) if self.faults.is_ended(request) else request

    def _note(
        self, request: Request, reply: Reply, status: int, fault: str | None, *, is_made: bool
    ) -> None:
        sent: dict[str, JsonValue] = {
            "method": request.method,
            "path": "/" + "/".join(request.segments),
            "fields": _decoded(request.body),
            "status": status,
            "fault": fault,
        }
        if reply.change is not None and is_made:
            self._keeper.change(reply.change, "api", **sent)
        else:
            self._keeper.note(reply.change, "api", **sent)


def _decoded(body: bytes) -> JsonValue:
    try:
        value: JsonValue = json.loads(body)
    except ValueError:
        return body.decode("utf-8", "backslashreplace")
    return value
