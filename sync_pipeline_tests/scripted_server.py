"""A real HTTP server on loopback whose answers are scripted, for tests of anything that reads.

Each (method, path) has a list of answers, given in order (the last one again and again), or a
function of the request. The path is as sent, still percent-encoded, without its query. A request
that nothing was scripted for is answered 501, so that a test fails in words.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qsl

Break = Literal["before the answer", "in the body"]


@dataclass(frozen=True, slots=True)
class Scripted:
    """One answer; `breaks` cuts the connection, `delay_s` waits first."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0
    breaks: Break | None = None

    @classmethod
    def json(cls, value: object, status: int = 200, **headers: str) -> Self:
        """Answer ``value`` as JSON; a header's underscores become hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json"} | named)


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


Respond = Callable[[Received], Scripted]


class ScriptedServer:
    """Serves in a thread of its own between `with` and the end of the block."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str], list[Scripted]] = {}
        self._functions: dict[tuple[str, str], Respond] = {}
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def script(self, method: str, path: str, *answers: Scripted) -> None:
        """Answer in this order, the last one again and again; replaces an earlier script."""
        with self._lock:
            self._functions.pop((method, path), None)
            self._answers[method, path] = list(answers)

    def respond(self, method: str, path: str, function: Respond) -> None:
        """Answer what ``function`` makes of each request; it runs in the server's threads."""
        with self._lock:
            self._functions[method, path] = function

    def count(self, method: str, path: str) -> int:
        """How many such requests came."""
        return len(self.of(method, path))

    def of(self, method: str, path: str) -> list[Received]:
        """Such requests in the order in which they came."""
        with self._lock:
            return [r for r in self.received if (r.method, r.path) == (method, path)]

    def answer_to(self, request: Received) -> Scripted:
        """Record ``request`` and return the answer that is due."""
        key = (request.method, request.path)
        with self._lock:
            self.received.append(request)
            function = self._functions.get(key)
            answers = self._answers.get(key, [Scripted(501, b"nothing is scripted for this")])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer = function(request) if function else answer
        if answer.delay_s:
            self._closing.wait(answer.delay_s)
        return answer

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away in the middle is part of the tests."""


def _handler(script: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            received = Received(
                method=self.command,
                path=path,
                query=dict(parse_qsl(query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            self.send(script.answer_to(received))

        def send(self, answer: Scripted) -> None:
            self.close_connection = answer.breaks is not None
            if answer.breaks == "before the answer":
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            cut = answer.breaks == "in the body"
            self.send_header("Content-Length", str(len(answer.body) + cut))
            self.end_headers()
            self.wfile.write(answer.body)
            self.wfile.flush()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name
            """Say nothing: the tests read `received`."""

    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler
