"""Sends webhooks to the receiver that is registered, once each, and writes down what came of it.

The registration is kept with the world's changes, so that a restarted sandbox goes on sending.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx

from .calls_out import CallOut, calls_after
from .chance import chance
from .changes import update
from .columns import BadChangeError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .keeper import Keeper
    from .rows import JsonObject, JsonValue

CAUSE = "webhook"
_SIDE_BY_SIDE = 50
_TIMEOUT_S = 15.0
_GOOD = range(200, 300)
_WORDS = ("url", "key", "rocs_key", "lost")


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where webhooks go; ``lost`` is the share that never arrives of what is sent by itself."""

    url: str
    key: str
    rocs_key: str
    lost: float = 0.0

    @classmethod
    def read(cls, asked: JsonValue) -> Receiver:
        """Read a registration; raises BadChangeError."""
        if not isinstance(asked, dict) or not {"url", "key"} <= asked.keys() <= {*_WORDS}:
            raise BadChangeError(f"a receiver is an object of {', '.join(_WORDS)}")
        lost = asked.get("lost", 0)
        if not isinstance(lost, int | float) or not 0 <= lost <= 1:
            raise BadChangeError("lost is a share")
        key = str(asked["key"])
        return cls(str(asked["url"]), key, str(asked.get("rocs_key", key)), float(lost))


class Sender:
    """The vendors' outgoing side."""

    def __init__(self, keeper: Keeper, folder: Path | None) -> None:
        """Go on with the registration that the folder holds."""
        self._keeper = keeper
        self._path = folder / "webhooks.json" if folder else None
        self.receiver = _kept(self._path)
        self._due: deque[CallOut] = deque()
        self._arrived = asyncio.Event()
        self._drawn = 0
        keeper.listener = self.note_change

    def register(self, receiver: Receiver | None) -> None:
        """Send to this one from now on, or to none."""
        self.receiver = receiver
        if self._path is None:
            return
        self._path.unlink(missing_ok=True)
        if receiver is not None:
            self._path.touch(mode=0o600)
            self._path.write_text(json.dumps(_as_json(receiver)), encoding="utf-8")

    def note_change(self, entry: JsonObject) -> None:
        """Have told what the vendor tells of a change; what is lost on the way is noted so."""
        if self.receiver is None:
            return
        for call in calls_after(entry):
            self._drawn += 1
            draw = chance(self._keeper.live.seed, "webhook", self._drawn)
            if draw.random() < self.receiver.lost:
                self._note(call, None, "lost")
            else:
                self._due.append(call)
        self._arrived.set()

    async def work(self) -> None:
        """Send what is due, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            calls = [self._due.popleft() for _ in range(len(self._due))]
            if self.receiver is not None:
                await self.send(calls)

    async def send(self, calls: Iterable[CallOut]) -> list[JsonObject]:
        """Send calls and wait for their answers; give their entries in the log."""
        receiver = self.receiver
        if receiver is None:
            raise BadChangeError("no receiver is registered: POST /_sandbox/webhooks")
        places = asyncio.Semaphore(_SIDE_BY_SIDE)
        limits = httpx.Limits(max_connections=_SIDE_BY_SIDE)
        async with httpx.AsyncClient(
            base_url=receiver.url, timeout=_TIMEOUT_S, limits=limits, trust_env=False
        ) as client:

            async def one(call: CallOut) -> JsonObject:
                async with places:
                    return await self._send(client, receiver, call)

            singles = [replace(call, times=1) for call in calls for _ in range(call.times)]
            return [*await asyncio.gather(*map(one, singles))]

    async def _send(
        self, client: httpx.AsyncClient, receiver: Receiver, call: CallOut
    ) -> JsonObject:
        known = receiver.rocs_key if call.source == "rocs" else receiver.key
        headers = {call.key_header: known if call.key is None else call.key}
        headers["Content-Type"] = "application/json"
        try:
            answer = await client.request(
                call.method, call.path, content=call.body, headers=headers
            )
        except httpx.HTTPError as error:
            return self._note(call, None, type(error).__name__)
        entry = self._note(call, answer.status_code, None)
        if call.then is not None and call.id is not None and answer.status_code in _GOOD:
            self._move_on(call.id, call.then)
        return entry

    def _move_on(self, tenant: str, status: int) -> None:
        """Put a tenant into the status that waits for the work to be reported."""
        try:
            change = update(
                self._keeper.live, ("rosaas", "tenants"), tenant, {"status_code": status}
            )
        except BadChangeError:
            # It is gone by now.
            return
        self._keeper.change(change, CAUSE)

    def _note(self, call: CallOut, status: int | None, fault: str | None) -> JsonObject:
        return self._keeper.note(
            None,
            CAUSE,
            sent_to=call.source,
            subject=call.id,
            method=call.method,
            path=call.path,
            fields=call.body.decode("utf-8", "backslashreplace"),
            status=status,
            fault=fault,
        )


def _kept(path: Path | None) -> Receiver | None:
    if path is None or not path.exists():
        return None
    return Receiver.read(json.loads(path.read_text(encoding="utf-8")))


def _as_json(receiver: Receiver) -> JsonObject:
    return {name: getattr(receiver, name) for name in _WORDS}
