"""What is sent to write a contact: the whole body, in the names of each version."""

from __future__ import annotations

import json

import pytest

from sync_pipeline.entities import STREAMS
from sync_pipeline.mapping import crmcom
from sync_pipeline.mapping.fields import Form
from sync_pipeline.mapping.writes import WRITABLE
from sync_pipeline.push.bodies import contact_of_crmcom
from sync_pipeline.push.values import Json, UnwritableError, Values, canonical_values

HELD: Values = {
    "first_name": "Åse",
    "phone": "+4791234567",
    "gender": "FEMALE",
    "birth_on": "1979-02-28",
    "email": "ase@example.org",
}
RAW: dict[str, Json] = {
    "id": "c-1",
    "first_name": "Åse",
    "phone": {"type": "LANDLINE", "country_code": "NOR", "number": "+4791234567"},
    "demographics": {
        "gender": "FEMALE",
        "name_day": {"month": 5, "day": 2},
        "date_of_birth": {"year": 1979, "month": 2, "day": 28},
        "passport": {"number": "X1", "issuing_country_code": "NOR", "expiration_date": 1},
    },
    "custom_fields": [{"key": "size", "value": "40"}, {"key": "shop", "value": "Oslo"}],
}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_beside_a_birthday_only_what_demographics_hold_is_sent_along(version: str) -> None:
    body = contact_of_crmcom({"birth_on": "1980-01-31"}, HELD, RAW, version=version)

    kept = RAW["demographics"]
    assert isinstance(kept, dict)
    passport = {"passport": kept["passport"]} if version == "v2" else {}
    assert json.loads(body) == {
        "demographics": {
            "gender": "FEMALE",
            "date_of_birth": {"year": 1980, "month": 1, "day": 31},
            **passport,
        }
    }


def test_a_number_keeps_the_kind_of_its_line_and_a_custom_field_its_neighbours() -> None:
    wanted: Values = {"phone": "+491512765432", "attributes.custom_fields.size": "41"}

    body = contact_of_crmcom(wanted, HELD, RAW, version="v2")

    assert json.loads(body) == {
        "phone": {"type": "LANDLINE", "country_code": "DEU", "number": "+491512765432"},
        "custom_fields": [{"key": "shop", "value": "Oslo"}, {"key": "size", "value": "41"}],
    }


def test_plain_fields_are_sent_alone_and_spelled_as_the_version_does() -> None:
    wanted: Values = {"first_name": "Ida", "language": "de", "email_opt_out": True}

    bodies = [json.loads(contact_of_crmcom(wanted, HELD, RAW, version=v)) for v in ("v1", "v2")]

    v1, v2 = (
        {name: field.paths[0] for name, field in crmcom.CONTACT_WRITES[v].items()}
        for v in ("v1", "v2")
    )
    assert bodies == [
        {v1["first_name"]: "Ida", v1["language"]: "DEU", v1["email_opt_out"]: "true"},
        {v2["first_name"]: "Ida", v2["language"]: "DE", v2["email_opt_out"]: True},
    ]


@pytest.mark.parametrize(
    ("stream", "name"),
    [
        (stream, name)
        for stream, fields in WRITABLE.items()
        for name, form in fields.items()
        if form not in {Form.TEXT, Form.LOWER, Form.JSON}
    ],
)
def test_a_field_that_takes_not_every_text_refuses_one_in_words(stream: str, name: str) -> None:
    with pytest.raises(UnwritableError, match=f"^{name}: not a value that can be written"):
        canonical_values(STREAMS[stream], {name: "?"})
