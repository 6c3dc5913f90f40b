"""Logins that have one role of the warehouse only, for people and programs that query it.

Their passwords are made here and kept in SYNC_HOME, for its owner alone.
"""

from __future__ import annotations

import hashlib
import secrets
import socket

from sqlalchemy import make_url

from sync_pipeline.operate.disk import writing
from sync_pipeline.operate.home import Home
from sync_pipeline.operate.postgres.places import read, write_private
from sync_pipeline.warehouse.engine import engine_on
from sync_pipeline.warehouse.roles import Login, set_login


def login_url(home: Home, warehouse_url: str, role: str) -> str:
    """Return a DSN of the warehouse for a login that has only ``role``, made if need be.

    Raises WarehouseError where the server does not let us make logins.
    """
    home.make()
    with home.exclusive("logins"), engine_on(warehouse_url) as engine:
        login = Login(_name(home, role), _password(home, role), role)
        set_login(engine, login)
    url = make_url(warehouse_url).set(username=login.name, password=login.password)
    return url.render_as_string(hide_password=False)


def _name(home: Home, role: str) -> str:
    # Logins are the server's, and another SYNC_HOME's has another password.
    place = f"{socket.gethostname()} {home.root}"
    return f"{role}_{hashlib.sha256(place.encode()).hexdigest()[:8]}"


def _password(home: Home, role: str) -> str:
    path = home.root / "logins" / role
    known = read(path)
    if known is not None:
        return known
    made = secrets.token_urlsafe(32)
    with writing(path):
        path.parent.mkdir(exist_ok=True)
        write_private(path, made)
    return made
