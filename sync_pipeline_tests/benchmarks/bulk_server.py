"""A ROCS that costs next to nothing: flat contacts of about 1 kB, rendered before it listens.

The list in two states, each below a path of its own: as it is at first, and with one contact in
twenty changed. `python -m sync_pipeline_tests.benchmarks.bulk_server --rows 200000`
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
from typing import cast
from urllib.parse import parse_qs, urlsplit

from httptools import HttpRequestParser

from sync_pipeline_tests.benchmarks.apis import serve

PAGE_ROWS = 500
CHANGED_ONE_IN = 20
TOP_LEVEL_KEYS = 33
_SEED = 1
_TOKEN = {"token_type": "Bearer", "access_token": "benchmark", "expires_in": "86400"}
_FIRST_NAMES = ("Ann", "Løvik", "Bea", "Zoë", "Cid", "Ole")
# Nine of ten are E.164 already.
_MOBILES = (
    *("+3579912{:04d}", "+479123{:04d}", "+491511234{:04d}", "+44740012{:04d}") * 9,
    *("+357 99 12 {:04d}", "99 12 {:04d}", "0047 912 3 {:04d}", "none"),
)


def contact(number: int, *, revision: int) -> bytes:
    """Return a contact as ROCS sends it: what is empty is left out, dates lack an offset."""
    chance = random.Random(_SEED * 1_000_003 + number)  # noqa: S311 -- data, no secret
    digits = chance.randrange(10_000)
    fields: dict[str, object] = {
        "id": number,
        "contactStatus": "ACTIVE",
        "contactType": chance.choice(("CUSTOMER", "PROSPECT")),
        "dob": f"19{chance.randrange(40, 99)}-0{chance.randrange(1, 10)}-15T00:00:00",
        "email": f"Person.{number}@example.com",
        "externalId": str(10**9 + number),
        "firstname": chance.choice(_FIRST_NAMES),
        "gender": chance.choice("MF"),
        "lastname": f"Name{number}",
        "organizationId": chance.randrange(500),
        "phoneMobile": chance.choice(_MOBILES).format(digits),
        "sourceType": "Api",
        "revision": revision,
    }
    for further in range(TOP_LEVEL_KEYS - len(fields)):
        value: object = f"value {chance.getrandbits(80):020x} of it"
        fields[f"customField{further:02d}"] = value if further % 3 else chance.randrange(10**9)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def pages(rows: int, *, is_changed: bool) -> list[bytes]:
    """Return the answer to each page of the list."""
    bodies = []
    for start in range(1, rows + 1, PAGE_ROWS):
        numbers = range(start, min(start + PAGE_ROWS, rows + 1))
        items = [contact(n, revision=is_changed and n % CHANGED_ONE_IN == 0) for n in numbers]
        total = b'],"totalCount":%d}' % rows
        bodies.append(_http(b'{"items":[' + b",".join(items) + total))
    return bodies


def _http(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


class _Connection(asyncio.Protocol):
    """Answers one request at a time."""

    def __init__(self, states: dict[str, list[bytes]]) -> None:
        self._states = states
        self._parser = HttpRequestParser(self)
        self._url = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have this interface without being of this class.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url = url.decode()

    def on_message_complete(self) -> None:
        self._transport.write(self._answer())

    def _answer(self) -> bytes:
        url = urlsplit(self._url)
        if "oauth2" in url.path:
            return _http(json.dumps(_TOKEN).encode())
        found = self._states[url.path.split("/")[1]]
        page = int(parse_qs(url.query)["page"][0])
        return found[page - 1] if page <= len(found) else _http(b'{"items":[],"totalCount":0}')


def main() -> None:
    """Render and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    states = {
        "initial": pages(rows, is_changed=False),
        "changed": pages(rows, is_changed=True),
    }
    serve(lambda: _Connection(states))


if __name__ == "__main__":
    main()
