"""Messages to the people who look after the pipeline, by way of whatever ALERT_URLS names."""

from __future__ import annotations

import logging

from pydantic import SecretStr


def send_alert(urls: SecretStr, *, title: str, body: str) -> str | None:
    """Send one message to every service of ``urls``; return what went wrong, in words.

    The addresses hold credentials and are never part of those words.
    """
    from apprise import Apprise, NotifyFormat  # noqa: PLC0415 -- loads all of its services: a second

    # Its own log quotes an address that it does not know.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    services = Apprise()
    are_known = services.add(urls.get_secret_value())
    if not services.notify(title=title, body=body, body_format=NotifyFormat.TEXT):
        return f"not every service of ALERT_URLS took the message ({len(services)} were tried)"
    if not are_known:
        return "ALERT_URLS names a service that is not known; the others took the message"
    return None
