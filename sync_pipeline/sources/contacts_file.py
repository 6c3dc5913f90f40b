"""The registry file: contact ids of a CSV, and their credentials. Credentials in it stay in it.

`contact_id[,username,password]`, in this order; a header line is recognised by its first name.
Blanks around a cell are not part of it. A file that is written otherwise is refused as a whole:
read wrongly, its passwords would go out as contact ids.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sync_pipeline.errors import SettingsError

HEADER = "contact_id"
_OTHER_HEADERS = {"id", "contact", "contactid", "contact id", "contact-id"}
# What stands in a file with other separators, unclosed quotes or columns in another order.
_NO_ID = re.compile(r"[\s;,|\"'@]")


@dataclass(frozen=True, slots=True)
class Credentials:
    """With what one contact logs in."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def read_contact_ids(path: Path) -> Iterator[str]:
    """Yield the ids in the first column, in order; one may come again. None of them is kept.

    Raises SettingsError when the file cannot be read as UTF-8 text.
    """
    return (contact_id for contact_id, *_ in _lines(path))


def read_credentials(path: Path) -> dict[str, Credentials]:
    """Return the credentials by contact id; a contact without both of them is left out.

    Raises SettingsError when the file cannot be read as UTF-8 text, or holds no credentials.
    """
    found: dict[str, Credentials] = {}
    for contact_id, *rest in _lines(path):
        username, password = (*rest, "", "")[:2]
        if username and password:
            found.setdefault(contact_id, Credentials(username, password))
    if not found:
        raise SettingsError(
            "CRMCOM_CONTACTS_FILE: no line has a username and a password in its second and "
            "third column; CRMCOM_AUTH=per_contact asks for them"
        )
    return found


def _lines(path: Path) -> Iterator[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.reader(lines, strict=True)
            for row in rows:
                cells = [cell.strip() for cell in row]
                if cells and cells[0] not in ("", HEADER):
                    yield _checked(cells, rows.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise SettingsError(
            "CRMCOM_CONTACTS_FILE: not readable as a CSV in UTF-8 with contact ids in its "
            "first column"
        ) from exc


def _checked(cells: list[str], line: int) -> list[str]:
    is_header = line == 1 and cells[0].lower() in _OTHER_HEADERS
    if is_header or _NO_ID.search(cells[0]):
        # Nothing of the line is shown: it may hold a password.
        raise SettingsError(
            f"CRMCOM_CONTACTS_FILE: line {line} does not begin with a contact id and a comma; "
            "the file should be contact_id[,username,password]"
        )
    return cells
