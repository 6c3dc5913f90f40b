"""CRM.COM's page/size paging: what a request asks for and how a page is put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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


class BadQueryError(ValueError):
    """A known parameter with a value that it cannot have; carries both, and the status."""

    def __init__(self, status: int, name: str, value: str) -> None:
        super().__init__(status, name, value)
        self.status = status
        self.name = name
        self.value = value


def window(query: dict[str, str]) -> Window:
    """Read which page a request asks for; raises BadQueryError."""
    size = _positive(query, "size", DEFAULT_SIZE)
    return Window(_positive(query, "page", 1), min(size, LARGEST_SIZE))


def _positive(query: dict[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and int(text)):
        raise BadQueryError(400, name, text)
    return int(text)


def page_body(
    rows: Sequence[bytes], page: int, total: int, *, has_more: bool | None = None
) -> bytes:
    """`content` and `paging`; its `size` is the number of rows that came, as the vendor has it."""
    counted = b"%d" % total if total <= LARGEST_TOTAL else b"null"
    paging = b'{"page":%d,"size":%d,"total":%b' % (page, len(rows), counted)
    if has_more is not None:
        paging += b',"has_more":true' if has_more else b',"has_more":false'
    return b'{"content":[' + b",".join(rows) + b'],"paging":' + paging + b"}}"
