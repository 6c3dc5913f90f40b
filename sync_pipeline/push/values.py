"""Values of fields in canonical form, as JSON: those that a request asks for, those of a record.

Only canonical values are compared, so that a spelling is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeAlias, cast

import msgspec
import pandas as pd

from sync_pipeline.entities import Entity, Stream
from sync_pipeline.errors import SyncError
from sync_pipeline.mapping import crmcom, rocs, rosaas
from sync_pipeline.mapping.fields import Form
from sync_pipeline.mapping.writes import CUSTOM, DYNAMIC, INTERESTS, WRITABLE, form_of
from sync_pipeline.normalise import codes, phones, scalars

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Values: TypeAlias = Mapping[str, Json]

_WORDS: dict[tuple[str, str], dict[str, str]] = {
    ("crmcom/contacts", "gender"): crmcom.GENDERS,
    ("rocs/contacts", "gender"): crmcom.GENDERS,
    ("crmcom/approval_requests", "state"): crmcom.APPROVAL_STATES,
    ("rosaas/tenants", "status"): {name.upper(): name for name in rosaas.STATUS_NAMES.values()},
}


class UnwritableError(SyncError):
    """Ask for something else: this API does not take the value, or has no such field."""


def canonical_values(
    stream: Stream, asked: Mapping[str, object], *, country: str | None = None
) -> Values:
    """Return what is asked for as the warehouse would show it; raises UnwritableError.

    ``country`` is where a phone number without its country is dialled.
    """
    return {name: _canonical(str(stream), name, value, country) for name, value in asked.items()}


def comparable(
    stream: Stream, known: Mapping[str, object], *, country: str | None = None
) -> Values:
    """Return the same of values that are only compared: what cannot be read stays as it is."""
    found: dict[str, Json] = {}
    for name, value in known.items():
        try:
            found[name] = _canonical(str(stream), name, value, country)
        except UnwritableError:
            found[name] = cast("Json", value)
    return found


def values_of_rows(stream: Stream, frame: pd.DataFrame) -> dict[str, Values]:
    """Return by key the pushable values of the rows of a frame that `normalise` made."""
    entity = stream.entity
    names = [name for name in WRITABLE[str(stream)] if name in entity.columns]
    extra = ["phone_country"] if "phone_country" in entity.columns else []
    columns = {name: _listed(entity, frame, name) for name in [*names, *extra, "attributes"]}
    keys: Sequence[str] = frame[entity.key].tolist()
    return {
        key: {name: columns[name][row] for name in [*names, *extra]}
        | _in_attributes(columns["attributes"][row])
        for row, key in enumerate(keys)
    }


def _canonical(stream: str, name: str, value: object, country: str | None) -> Json:
    form = form_of(stream, name)
    if form is None:
        raise UnwritableError(f"{name} of {stream} cannot be written")
    if form is Form.JSON:
        return _unless_empty(cast("Json", value))
    if value is None or value == "":
        return None
    read = _read(form, value, _WORDS.get((stream, name), {}), country)
    if read is None:
        raise UnwritableError(f"{name}: not a value that can be written ({form.value})")
    return read


def _read(form: Form, value: object, words: Mapping[str, str], country: str | None) -> Json:
    if form is Form.BOOLEAN:
        return scalars.boolean(value)
    text = scalars.trimmed(value)
    if text is None or form is Form.TEXT:
        return text
    if form is Form.PHONE:
        return phones.e164(text, country)
    return words.get(text.upper()) if form is Form.KEYWORD else _OF_TEXT[form](text)


def _day(text: str) -> str | None:
    day = scalars.day_of_instant(text)
    return None if day is None else day.isoformat()


_OF_TEXT: dict[Form, Callable[[str], str | None]] = {
    Form.LOWER: str.lower,
    Form.LANGUAGE: codes.language,
    Form.DAY_PARTS: _day,
    Form.DAY_OF_INSTANT: _day,
}


def _listed(entity: Entity, frame: pd.DataFrame, name: str) -> list[Json]:
    values = frame[name].array.__arrow_array__().to_pylist()
    if name in entity.json_columns:
        return [None if value is None else msgspec.json.decode(value) for value in values]
    return [value.isoformat() if isinstance(value, date) else value for value in values]


def _in_attributes(attributes: Json) -> dict[str, Json]:
    """Return the fields without a column; each source has its own."""
    if not isinstance(attributes, dict):
        return {}
    custom, dynamic = attributes.get(crmcom.CUSTOM_FIELDS), attributes.get(rocs.DYNAMIC_FIELDS)
    pairs = custom if isinstance(custom, list) else []
    found: dict[str, Json] = {
        f"{CUSTOM}{pair['key']}": scalars.trimmed(pair.get("value"))
        for pair in pairs
        if isinstance(pair, dict) and isinstance(pair.get("key"), str)
    }
    if isinstance(dynamic, dict):
        found |= {f"{DYNAMIC}{key}": _unless_empty(value) for key, value in dynamic.items()}
    if rocs.INTERESTS in attributes:
        found[INTERESTS] = _unless_empty(attributes[rocs.INTERESTS])
    return found


def _unless_empty(value: Json) -> Json:
    # An API may leave out an array without items.
    return None if value == [] else value
