"""What a line of a mapping is: a column, the form of its value, and where the source keeps it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum


class Form(Enum):
    """How a source writes a value; each has one decoder."""

    TEXT = "text, trimmed"
    VERBATIM = "text, as it came"
    LOWER = "text, trimmed, in lower case"
    PHONE = "phone number, read with the country beside it"
    LANGUAGE = "language code of two or three letters"
    COUNTRY = "country code of two or three letters"
    ID = "id as text or number; 0 is none"
    KEYWORD = "value of an open enumeration"
    BOOLEAN = "boolean, also as text or number"
    INTEGER = "whole number, also as text"
    EPOCH = "seconds or milliseconds since 1970"
    INSTANT = "ISO 8601 instant, UTC unless it says otherwise"
    DAY_OF_INSTANT = "ISO 8601 instant of which the date counts"
    DAY_PARTS = "object of year, month and day"
    JSON = "any JSON, kept as it is"
    JSON_TEXT = "JSON inside a string"


@dataclass(frozen=True, slots=True)
class Field:
    """One column and the names that sources have for it, the likeliest first.

    A path ``a.b`` is the member ``b`` of the object ``a``; none goes deeper. ``keywords`` maps
    spellings in upper case to the canonical word of an enumeration.
    """

    column: str
    form: Form
    paths: tuple[str, ...]
    keywords: dict[str, str] | None = None

    def __post_init__(self) -> None:
        for path in self.paths:
            if path.count(".") > 1:
                raise ValueError(f"{path}: a path has two names at most")


def same_words(*words: str) -> dict[str, str]:
    """Return the keywords of an enumeration whose spellings are the canonical ones."""
    return {word: word for word in words}


def writable(
    fields: Iterable[Field], columns: Iterable[str], *, spelling: int = 0
) -> dict[str, Field]:
    """Return by column the fields that may be written, each with the one name that is sent.

    ``spelling`` is the place of that name among those that are read, where there are several.
    """
    known = {field.column: field for field in fields}
    return {
        column: replace(known[column], paths=(known[column].paths[spelling],)) for column in columns
    }
