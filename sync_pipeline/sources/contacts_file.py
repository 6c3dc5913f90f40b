"""The registry file: contact ids of a CSV. Credentials in it stay in it."""

from __future__ import annotations

import csv
from pathlib import Path

from sync_pipeline.errors import SettingsError

HEADER = "contact_id"


def read_contact_ids(path: Path) -> list[str]:
    """Return the ids in the first column (a header line is recognised), each once, in order.

    Raises SettingsError when the file cannot be read as UTF-8 text.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            first_cells = [row[0].strip() for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise SettingsError(
            "CRMCOM_CONTACTS_FILE: not readable as a CSV in UTF-8 with contact ids in its "
            "first column"
        ) from exc
    return list(dict.fromkeys(cell for cell in first_cells if cell and cell != HEADER))
