"""What tests and people do with a sandbox over HTTP: change it, read its log, set its faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .calls_out import call_asked
from .columns import BadChangeError
from .fault_plan import FaultPlan
from .sender import Receiver
from .wire import Reply, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from .answering import Answering
    from .keeper import Keeper
    from .rows import JsonObject, JsonValue
    from .sender import Sender
    from .truth import TruthApi
    from .wire import Request

_MOST_AT_ONCE = 10_000


class ControlApi:
    """`/_sandbox/{changes,log,faults,traffic,webhooks}`; every other path is the truth's."""

    def __init__(
        self, keeper: Keeper, truth: TruthApi, answering: Answering, sender: Sender
    ) -> None:
        faults, traffic = answering.faults, answering.traffic
        self._keeper = keeper
        self._sender = sender
        self._truth = truth
        self._faults = faults
        self._traffic = traffic
        self._calls: dict[tuple[str, ...], Callable[[Request], Reply]] = {
            ("POST", "changes"): self._change,
            ("GET", "log"): self._log,
            ("GET", "faults"): lambda _: self._tell_faults(),
            ("POST", "faults"): self._set_faults,
            ("GET", "traffic"): lambda _: Reply(200, encode(traffic.as_json())),
            ("DELETE", "traffic"): lambda _: self._forget_traffic(),
            ("POST", "webhooks"): self._register,
            ("DELETE", "webhooks"): lambda _: self._withdraw(),
        }

    async def reply(self, request: Request) -> Reply:
        """Route one request; `request.segments` starts with `_sandbox`."""
        if (request.method, *request.segments[1:]) == ("POST", "webhooks", "send"):
            return await self._send(request)
        call = self._calls.get((request.method, *request.segments[1:]))
        if call is not None:
            return call(request)
        return self._truth.reply(request) if request.method == "GET" else Reply(405)

    def _change(self, request: Request) -> Reply:
        try:
            asked: JsonValue = json.loads(request.body)
        except ValueError:
            return _refused("the body is not JSON", [])
        if isinstance(asked, dict) and [*asked] == ["random"]:
            return self._change_at_random(asked["random"])
        if not isinstance(asked, list):
            return _refused('the body is a list of changes, or {"random": N}', [])
        applied: list[JsonValue] = []
        for one in asked:
            try:
                applied.append(self._keeper.change_as_asked(one))
            except BadChangeError as error:
                return _refused(str(error), applied)
        return Reply(200, encode({"applied": applied}))

    def _register(self, request: Request) -> Reply:
        try:
            self._sender.register(Receiver.read(request.json_object()))
        except BadChangeError as error:
            return _refused(str(error), [])
        return Reply(204)

    def _withdraw(self) -> Reply:
        self._sender.register(None)
        return Reply(204)

    async def _send(self, request: Request) -> Reply:
        try:
            asked: JsonValue = json.loads(request.body)
            calls = [call_asked(one) for one in asked] if isinstance(asked, list) else []
            entries: list[JsonValue] = [*await self._sender.send(calls)]
        except ValueError:
            return _refused("the body is not JSON", [])
        except BadChangeError as error:
            return _refused(str(error), [])
        return Reply(200, encode({"sent": entries}))

    def _change_at_random(self, count: JsonValue) -> Reply:
        if not isinstance(count, int) or not 0 <= count <= _MOST_AT_ONCE:
            return _refused(f"random is a number up to {_MOST_AT_ONCE}", [])
        made = [self._keeper.change_at_random() for _ in range(count)]
        return Reply(200, encode({"applied": [entry for entry in made if entry]}))

    def _log(self, request: Request) -> Reply:
        query = request.query()
        after, cause = query.get("after") or "0", query.get("cause")
        if not after.isdigit():
            return _refused("after is a sequence number", [])
        entries = self._keeper.journal.after(int(after))
        return Reply(200, encode([one for one in entries if cause in (None, one["cause"])]))

    def _forget_traffic(self) -> Reply:
        self._traffic.forget()
        return Reply(204)

    def _tell_faults(self) -> Reply:
        told: JsonObject = {
            "shares": {**self._faults.plan.shares},
            "counts": {**self._faults.counts},
        }
        return Reply(200, encode(told))

    def _set_faults(self, request: Request) -> Reply:
        try:
            self._faults.plan = FaultPlan.read(request.body.decode())
        except ValueError as error:
            return _refused(str(error), [])
        return self._tell_faults()


def _refused(error: str, applied: list[JsonValue]) -> Reply:
    """Say what is wrong, and what was applied before it was met."""
    return Reply(400, encode({"error": error, "applied": applied}))
