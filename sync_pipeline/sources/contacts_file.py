"""The registry file: contact ids of a CSV, and their credentials. Credentials in it stay in it.

`contact_id[,username,password]`, in this order; a header line is recognised by its first name.
Blanks around a cell are not part of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sync_pipeline.errors import SettingsError

HEADER = "contact_id"


@dataclass(frozen=True, slots=True)
class Credentials:
    """With what one contact logs in."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def read_contact_ids(path: Path) -> list[str]:
    """Return the ids in the first column, each once, in order.

    Raises SettingsError when the file cannot be read as UTF-8 text.
    """
    return list(dict.fromkeys(contact_id for contact_id, *_ in _lines(path)))


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
            for row in csv.reader(lines):
                cells = [cell.strip() for cell in row]
                if cells and cells[0] not in ("", HEADER):
                    yield cells
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise SettingsError(
            "CRMCOM_CONTACTS_FILE: not readable as a CSV in UTF-8 with contact ids in its "
            "first column"
        ) from exc
