"""A CRM.COM that costs next to nothing, in a process of its own: what is measured is its client.

Answers the login, each contact's one-page list of 0 to 5 communications (the sandbox's rows) and
the detail of each of them, rendered before the first request and sent after the latency.
`python -m sync_pipeline_tests.benchmarks.fan_out_server --contacts 20000 --latency-ms 20`
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterator
from typing import cast

from httptools import HttpRequestParser

from sync_pipeline.sandbox import render_crmcom
from sync_pipeline.sandbox.paging import page_body
from sync_pipeline.sandbox.world import World
from sync_pipeline_tests.benchmarks.apis import serve

PREFIX = "/self-service/v1"
MOST_CHILDREN = 5
_SEED = 1
# Rows of so many contacts are rendered; further contacts have the same texts under other ids.
_RENDERED = 1_000
_LOGIN = json.dumps({"access_token": "benchmark-token"}).encode()


def contact_ids(contacts: int) -> list[str]:
    """Return the ids of the contacts that the server knows."""
    return [f"{number:032X}" for number in range(contacts)]


def answers(contacts: int) -> dict[bytes, bytes]:
    """Return the whole HTTP answer to each path."""
    world = World(_SEED, _RENDERED)
    texts = [list(_children(world, index)) for index in range(min(contacts, _RENDERED))]
    found = {f"{PREFIX}/contacts/authenticate".encode(): _http(_LOGIN)}
    for number, contact_id in enumerate(contact_ids(contacts)):
        rows: list[bytes] = []
        for ordinal, (row, detail) in enumerate(texts[number % _RENDERED]):
            row_id = f"{number:026X}{ordinal:06X}"
            rows.append(_renamed(row, row_id, contact_id))
            found[f"{PREFIX}/communications/{row_id}".encode()] = _http(detail)
        path = f"{PREFIX}/contacts/{contact_id}/communications"
        found[path.encode()] = _http(page_body(rows, 1, len(rows)))
    return found


def _children(world: World, index: int) -> Iterator[tuple[bytes, bytes]]:
    for row in world.communications(index)[: index % (MOST_CHILDREN + 1)]:
        listed = render_crmcom.communication_list_item(row)
        yield listed, render_crmcom.communication_detail(row)


def _renamed(row: bytes, row_id: str, contact_id: str) -> bytes:
    fields = json.loads(row) | {"id": row_id, "contact_id": contact_id}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    """Answers one request at a time, as HTTP clients that do not pipeline send them."""

    def __init__(self, known: dict[bytes, bytes], latency_s: float) -> None:
        self._known = known
        self._latency_s = latency_s
        self._parser = HttpRequestParser(self)
        self._path = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have this interface without being of this class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url.partition(b"?")[0]

    def on_message_complete(self) -> None:
        answer = self._known.get(self._path, b"HTTP/1.1 501 No\r\nContent-Length: 0\r\n\r\n")
        loop = asyncio.get_running_loop()
        loop.call_later(self._latency_s, self._transport.write, answer)


def main() -> None:
    """Render and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    known = answers(options.contacts)
    latency_s = options.latency_ms / 1000
    serve(lambda: _Connection(known, latency_s), port=options.port)


if __name__ == "__main__":
    main()
