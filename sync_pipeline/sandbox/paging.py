"""CRM.COM's page/size paging: what a request asks for and how a page is put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .wire import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rows import JsonObject

DEFAULT_SIZE = 10
LARGEST_SIZE = 100
# Beyond this many the vendor does not count.
LARGEST_TOTAL = 10_000


@dataclass(frozen=True, slots=True)
class Window:
    """One page of a list: pages count from 1; `size` is already cut to the largest allowed."""

    page: int
    size: int

    @property
    def start(self) -> int:
        """Place of the page's first row."""
        return (self.page - 1) * self.size

    @property
    def stop(self) -> int:
        """Place after the page's last row, when the page is full."""
        return self.page * self.size


class BadWindowError(ValueError):
    """A page or size that is no positive number; carries its name and value."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(name, value)
        self.name = name
        self.value = value


def window(query: dict[str, str]) -> Window:
    """Read which page a request asks for; raises BadWindowError."""
    size = _positive(query, "size", DEFAULT_SIZE)
    return Window(_positive(query, "page", 1), min(size, LARGEST_SIZE))


def _positive(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text)):
        raise BadWindowError(name, text)
    return int(text)


def page_body(rows: Sequence[bytes], page: int, total: int, **more: bool) -> bytes:
    """`content` and `paging`; its `size` is the number of rows that came, as the vendor has it."""
    paging: JsonObject = {
        "page": page,
        "size": len(rows),
        "total": total if total <= LARGEST_TOTAL else None,
        **more,
    }
    return b'{"content":[' + b",".join(rows) + b'],"paging":' + encode(paging) + b"}"
