"""What a write says: the wanted values in an API's own names and forms, merged with what it has.

Values are canonical (`values`). What nobody asked for is sent along only where leaving it out
might remove it, and only as documented (contract 3.6 and 1.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import msgspec
import phonenumbers

from sync_pipeline.mapping import crmcom, rocs
from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.mapping.writes import CUSTOM, DYNAMIC, INTERESTS
from sync_pipeline.normalise import codes
from sync_pipeline.normalise.contacts import channel_of, is_global
from sync_pipeline.push.values import Json, UnwritableError, Values

_LINE = "MOBILE"
_ENCODER = msgspec.json.Encoder()
Members = Mapping[str, Json]


def contact_of_crmcom(wanted: Values, current: Values, raw: Members, *, version: str) -> bytes:
    """Return the body of PUT `/contacts/{id}` that brings about ``wanted``."""
    fields = crmcom.CONTACT_WRITES[version]
    body: dict[str, Json] = {}
    nested: dict[str, Json] = {}
    for name, value in wanted.items():
        if name.startswith(CUSTOM):
            continue
        if name not in fields:
            raise UnwritableError(f"CRM.COM {version} takes no {name}")
        parent, _, member = fields[name].paths[0].rpartition(".")
        if name == "phone":
            body[crmcom.PHONE] = _telephone(value, raw.get(crmcom.PHONE))
        elif parent == crmcom.DEMOGRAPHICS:
            nested[name] = value
        elif parent:
            raise UnwritableError(f"{name}: how CRM.COM takes {parent} is not known")
        else:
            body[member] = _spelled(fields[name], value, version)
    if nested:
        body[crmcom.DEMOGRAPHICS] = _demographics(nested, current, raw, version)
    if custom := {n.removeprefix(CUSTOM): v for n, v in wanted.items() if n.startswith(CUSTOM)}:
        body[crmcom.CUSTOM_FIELDS] = _custom_fields(custom, raw.get(crmcom.CUSTOM_FIELDS))
    return _ENCODER.encode(body)


def communication_of_crmcom(wanted: Values, current: Values) -> bytes:
    """Return the body that marks a communication: both marks, as v2 asks for both."""
    if None in wanted.values():
        raise UnwritableError("a communication is marked as viewed or archived, or is not")
    marks = crmcom.COMMUNICATION_WRITES.items()
    held = {name: bool(current.get(name)) for name in crmcom.COMMUNICATION_WRITES} | dict(wanted)
    return _ENCODER.encode({member: held[name] for name, member in marks})


def approval_of_crmcom(wanted: Values) -> bytes:
    """Return the body that decides an approval request."""
    action = crmcom.APPROVAL_WRITES.get(str(wanted.get("state")))
    if action is None:
        raise UnwritableError("an approval request becomes APPROVED or REJECTED")
    return _ENCODER.encode({"action": action})


def contact_of_rocs(wanted: Values, raw: Members) -> bytes:
    """Return the contact as it is to be, as a whole: an update may replace it."""
    body = dict(raw)
    for name, value in wanted.items():
        if name == INTERESTS:
            body[rocs.INTERESTS] = [] if value is None else value
            continue
        if channel := rocs.OPT_OUT_WRITES.get(name):
            if value is None:
                raise UnwritableError(f"{name} of ROCS is true or false")
            permissions = body.get(rocs.PERMISSIONS)
            body[rocs.PERMISSIONS] = _permissions(permissions, channel, raw, is_out=bool(value))
            continue
        member = rocs.CONTACT_WRITES[name].paths[0]
        body.pop(member, None)
        if value is not None:
            body[member] = _spelled_by_rocs(rocs.CONTACT_WRITES[name], value)
    return _ENCODER.encode(body)


def dynamic_of_rocs(wanted: Values, there: Members) -> bytes:
    """Return all of a contact's dynamic fields: nobody knows whether those sent replace them."""
    return _ENCODER.encode({**there, **{n.removeprefix(DYNAMIC): v for n, v in wanted.items()}})


def any_json(value: Json) -> bytes:
    """Return the body that is the value itself."""
    return _ENCODER.encode(value)


def _spelled(field: Field, value: Json, version: str) -> Json:
    if value is None:
        return None
    if field.form is Form.BOOLEAN and version == "v1":
        # Its samples have them as text (contract 3.6).
        return "true" if value else "false"
    if field.form is Form.LANGUAGE:
        return codes.three_letters(str(value)) if version == "v1" else str(value).upper()
    return value


def _demographics(nested: Values, current: Values, raw: Members, version: str) -> Json:
    """Return the whole object: what is wanted, and what is there and can be said."""
    held = raw.get(crmcom.DEMOGRAPHICS)
    there = held if isinstance(held, dict) else {}
    body = {
        name: there[name]
        for name, members in crmcom.DEMOGRAPHICS_KEPT[version].items()
        if _is_whole(there.get(name), members)
    }
    for name, field in crmcom.CONTACT_WRITES[version].items():
        parent, _, member = field.paths[0].rpartition(".")
        if parent != crmcom.DEMOGRAPHICS:
            continue
        value = nested[name] if name in nested else _sendable(name, current.get(name))
        if name in nested or value is not None:
            body[member] = _parts(str(value)) if name == "birth_on" and value else value
    return body


def _sendable(name: str, value: Json) -> Json:
    # An unknown word is kept as it came, and the API might refuse it.
    return None if name == "gender" and value not in crmcom.GENDERS.values() else value


def _is_whole(value: Json, members: frozenset[str]) -> bool:
    if not members:
        return value not in (None, "")
    return isinstance(value, dict) and members <= {name for name, one in value.items() if one}


def _parts(day: str) -> Json:
    year, month, day_of_month = map(int, day.split("-"))
    return {"year": year, "month": month, "day": day_of_month}


def _telephone(number: Json, there: Json) -> Json:
    if number is None:
        return None
    country = _country(str(number))
    kind = there.get("type") if isinstance(there, dict) else None
    return {"type": kind or _LINE, "country_code": country, "number": number}


def _country(number: str) -> str:
    region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    country = codes.country_alpha3(region) if region else None
    if country is None:
        raise UnwritableError("phone: of no country, and CRM.COM asks for one")
    return country


def _custom_fields(custom: Values, there: Json) -> Json:
    """Return the whole array: nobody knows whether one that is sent replaces it."""
    pairs = [pair for pair in there if isinstance(pair, dict)] if isinstance(there, list) else []
    kept: list[Json] = [
        {"key": pair["key"], "value": pair["value"]}
        for pair in pairs
        if {"key", "value"} <= pair.keys() and pair["key"] not in custom
    ]
    added: list[Json] = [
        {"key": key, "value": value} for key, value in custom.items() if value is not None
    ]
    return [*kept, *added]


def _spelled_by_rocs(field: Field, value: Json) -> Json:
    if field.form is Form.KEYWORD:
        letter = rocs.GENDERS_WRITTEN.get(str(value))
        if letter is None:
            raise UnwritableError(f"gender of ROCS is one of {', '.join(rocs.GENDERS_WRITTEN)}")
        return letter
    return f"{value}T00:00:00" if field.form is Form.DAY_OF_INSTANT else value


def _permissions(there: Json, channel: str, raw: Members, *, is_out: bool) -> Json:
    rows = [dict(one) for one in there if isinstance(one, dict)] if isinstance(there, list) else []
    ours = [row for row in rows if is_global(row) and channel_of(row) == channel]
    for row in ours:
        row["optin"] = not is_out
    if not ours:
        new: dict[str, Json] = {"channelType": channel, "optin": not is_out}
        new |= cast("dict[str, Json]", rocs.NEW_PERMISSION)
        rows.append(new | ({"contactId": raw["id"]} if "id" in raw else {}))
    return cast("Json", rows)
