"""A door in front of a server: what goes through it can be cut at a given moment."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_AT_ONCE = 65_536
# No word of farewell: whatever is under way is lost, and the other side gets a reset.
_RESET = struct.pack("ii", 1, 0)
ANY = 0


@dataclass(eq=False, slots=True)
class _Pair:
    """A connection from a client, and the one to the server that it goes on in."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    @property
    def client_port(self) -> int:
        return int(self.client.get_extra_info("peername")[1])

    def cut(self) -> None:
        for writer in (self.client, self.server):
            with contextlib.suppress(OSError):
                connection = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class Gate:
    """Passes connections on to ``target``, which may change; made by `open_gate`."""

    def __init__(self) -> None:
        self.target = ("127.0.0.1", 0)
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        # Of which client's connection the next answer is not let through; None: of none.
        self._awaited: int | None = None

    def cut(self) -> None:
        """Cut every connection that is open."""
        self._do(self._cut)

    def let_through(self) -> None:
        """Wait for no answer any more."""

        def forget() -> None:
            self._awaited = None

        self._do(forget)

    def cut_at_answer(self, client_port: int = ANY) -> None:
        """Cut every connection when the server next answers (to that client's connection)."""

        def wait() -> None:
            self._awaited = client_port

        self._do(wait)

    def run(self, is_open: threading.Event) -> None:
        """Serve in this thread until `close`."""
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._pass, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        is_open.set()
        self._loop.run_forever()
        server.close()
        self._cut()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    def close(self) -> None:
        """Let nothing through any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _do(self, act: Callable[[], None]) -> None:
        done = threading.Event()

        def do() -> None:
            act()
            done.set()

        self._loop.call_soon_threadsafe(do)
        done.wait()

    def _cut(self) -> None:
        self._awaited = None
        for pair in self._pairs:
            pair.cut()
        self._pairs.clear()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            from_server, to_server = await asyncio.open_connection(*self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, to_server)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._copy(reader, to_server))
                ways.create_task(self._copy(from_server, writer, of=pair))
        except* OSError:
            pair.cut()
        finally:
            self._pairs.discard(pair)

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, of: _Pair | None = None
    ) -> None:
        while data := await reader.read(_AT_ONCE):
            if of is not None and self._awaited in (ANY, of.client_port):
                self._cut()
                return
            writer.write(data)
            await writer.drain()
        writer.close()


@contextmanager
def open_gate() -> Iterator[Gate]:
    """Open a gate in a thread of its own."""
    gate, is_open = Gate(), threading.Event()
    thread = threading.Thread(target=gate.run, args=(is_open,), daemon=True)
    thread.start()
    is_open.wait()
    try:
        yield gate
    finally:
        gate.close()
        thread.join()
