"""A CRM.COM v2 of contacts that costs next to nothing and takes updates; in a process of its own.

`python -m sync_pipeline_tests.benchmarks.push_server --contacts 10000 --latency-ms 20`
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import cast

from httptools import HttpRequestParser

from sync_pipeline_tests.benchmarks.apis import serve

PREFIX = "/self-service/v2"
_LOGIN = json.dumps({"access_token": "benchmark-token"}).encode()


def contact_ids(contacts: int) -> list[str]:
    """Return the ids of the contacts that the server knows."""
    return [f"{number:032X}" for number in range(contacts)]


class _Connection(asyncio.Protocol):
    """Answers one request at a time, as HTTP clients that do not pipeline send them."""

    def __init__(self, contacts: dict[str, dict[str, object]], latency_s: float) -> None:
        self._contacts = contacts
        self._latency_s = latency_s
        self._parser = HttpRequestParser(self)
        self._path, self._body = "", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have this interface without being of this class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body = self._answer(self._parser.get_method())
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self._path, self._body = "", b""
        answer = head.encode() + b"\r\n\r\n" + body
        asyncio.get_running_loop().call_later(self._latency_s, self._transport.write, answer)

    def _answer(self, method: bytes) -> bytes:
        if method == b"POST":
            return _LOGIN
        contact = self._contacts[self._path.rpartition("/")[2]]
        if method == b"PUT":
            contact |= json.loads(self._body)
            return json.dumps({"id": contact["id"]}).encode()
        return json.dumps(contact).encode()


def _contact(key: str) -> dict[str, object]:
    name = {"first_name": "Before", "last_name": "Name", "email": f"{key[-6:]}@example.org"}
    return {"id": key, "code": key[-6:], "type": "PERSON", "language_code": "EN", **name}


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    options = parser.parse_args()
    known = {key: _contact(key) for key in contact_ids(options.contacts)}
    serve(lambda: _Connection(known, options.latency_ms / 1000))


if __name__ == "__main__":
    main()
