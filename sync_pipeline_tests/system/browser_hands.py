"""A Chromium that is told what to do on a page, where looking at it (`browser`) is not enough."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from sync_pipeline_tests.system.browser import find_browser
from sync_pipeline_tests.system.installation import awaited

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1600,1200")
BUTTON = """(() => {
    const found = [...document.querySelectorAll('button')]
        .find(button => button.innerText.trim().startsWith(%s) && !button.disabled);
    if (found) found.click();
    return Boolean(found);
})()"""
# Beside the fields that filter what a page shows.
FIELD = """(() => {
    const found = [...document.querySelectorAll('input[type=text]')]
        .find(input => !input.placeholder.startsWith('Filter'));
    if (found) { found.focus(); found.select(); }
    return Boolean(found);
})()"""


class Tab:
    """One page, and hands on it."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)

    def has_pressed(self, words: str) -> bool:
        """Press the button that begins with these words; tell whether there was one."""
        return bool(self._ask(BUTTON % json.dumps(words)))

    def press(self, words: str) -> None:
        """Press it as soon as it is there."""
        awaited(lambda: self.has_pressed(words), f"the page has a button {words!r}", timeout_s=60)

    def write(self, words: str) -> None:
        """Write into the page's field, in place of what is there, and press Enter."""
        awaited(lambda: self._ask(FIELD), "the page has a field", timeout_s=60)
        self._call("Input.insertText", text=words)
        for kind in ("keyDown", "keyUp"):
            key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
            self._call("Input.dispatchKeyEvent", type=kind, **key)

    def text(self) -> str:
        return str(self._ask("document.body ? document.body.innerText : ''"))

    def take_picture(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))

    def _ask(self, expression: str) -> object:
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    def _call(self, method: str, **parameters: object) -> Any:  # noqa: ANN401 -- whatever it answers
        number = next(self._numbers)
        call = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(call))
        while True:
            answer = json.loads(self._socket.recv(timeout=60))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]


@contextmanager
def open_tab() -> Iterator[Tab]:
    """Start a browser of its own with one empty page."""
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                find_browser(),
                *FLAGS,
                f"--user-data-dir={profile}",
                "--remote-debugging-port=0",
                "about:blank",
            ],
            # Nothing is reached but this machine, whatever proxy the developer has set.
            env=os.environ | {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with connect(_address(Path(profile)), max_size=None, proxy=None) as socket:
                yield Tab(socket)
        finally:
            process.kill()
            process.wait()


def _address(profile: Path) -> str:
    said = profile / "DevToolsActivePort"

    def port() -> str | None:
        lines = said.read_text().splitlines() if said.exists() else []
        return lines[0] if len(lines) > 1 else None

    at = f"http://127.0.0.1:{awaited(port, 'the browser says its port', timeout_s=60)}"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        tabs = httpx.get(f"{at}/json/list", trust_env=False).json()
        pages = [tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"]
        if pages:
            return str(pages[0])
        time.sleep(0.05)
    raise AssertionError("the browser has no page")
