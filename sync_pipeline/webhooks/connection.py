"""One connection of the receiver: what the HTTP server itself leaves unbounded is bounded here."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD_BYTES = 64 * 1024
# A head may come whole in one go: it is parsed, and measured, by pieces of this size.
_PIECE_BYTES = 1024
HEAD_TIMEOUT_S = 10.0
BODY_TIMEOUT_S = 20.0


class BoundedConnection(HttpToolsProtocol):
    """Ends a connection whose request line and headers, or whose body, are endless or too slow."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its own is typed
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._expect(HEAD_TIMEOUT_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._expect(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless the head of the request becomes too long."""
        for start in range(0, len(data), _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            if self._is_in_head:
                self._head_bytes += len(piece)
            super().data_received(piece)
            if self._is_in_head and self._head_bytes > LONGEST_HEAD_BYTES:
                self._refuse(b"431 Request Header Fields Too Large")
            if self.transport.is_closing():
                return

    def on_message_begin(self) -> None:
        """Begin to wait for the rest of the head."""
        super().on_message_begin()
        self._is_in_head = True
        self._expect(HEAD_TIMEOUT_S)

    def on_headers_complete(self) -> None:
        """Begin to wait for the body."""
        self._is_in_head, self._head_bytes = False, 0
        self._expect(BODY_TIMEOUT_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for nothing: the answer, and then the next request, have bounds of their own."""
        self._expect(None)
        self._is_in_head = True
        super().on_message_complete()

    def _expect(self, within_s: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if within_s is not None:
            self._deadline = self.loop.call_later(within_s, self._give_up)

    def _give_up(self) -> None:
        self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            head = b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(head)
        self.transport.close()
