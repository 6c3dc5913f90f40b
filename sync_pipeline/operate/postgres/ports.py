"""Which TCP port of the loopback the server gets."""

from __future__ import annotations

import random
import socket
from typing import Final

HOST: Final = "127.0.0.1"
PORT_ATTEMPTS: Final = 20
# Below the range from which systems take the ports of outgoing connections, so that the remembered
# port is not occupied by one of them at the next start.
PORTS: Final = range(20_000, 30_000)


def ports_to_try(remembered: int | None) -> list[int]:
    """Return the remembered port, then others in no order, so that two homes rarely collide."""
    others = random.sample(PORTS, PORT_ATTEMPTS)
    return others if remembered is None else [remembered, *others]


def is_free(port: int) -> bool:
    """Whether a server could listen there now, by PostgreSQL's own way of binding."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
