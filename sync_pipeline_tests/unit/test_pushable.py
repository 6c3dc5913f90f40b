"""What may be asked for is what can be written, in every version of an API."""

from __future__ import annotations

import re

import pytest

from sync_pipeline.entities import STREAMS
from sync_pipeline.mapping import crmcom
from sync_pipeline.mapping.pushable import ANY_KEY, PUSHABLE
from sync_pipeline.mapping.writes import CUSTOM, WRITABLE, form_of


def test_every_field_that_may_be_asked_for_can_be_written_and_no_other() -> None:
    asked: dict[str, set[str]] = {}
    for one in PUSHABLE:
        asked.setdefault(str(one.stream), set()).add(one.field)
    written = {stream: set(fields) for stream, fields in WRITABLE.items()}
    written["crmcom/contacts"].add(f"{CUSTOM.removesuffix('.')}{ANY_KEY}")
    assert asked == written


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_version_may_be_asked_for_what_it_can_write(version: str) -> None:
    offered = {
        one.field
        for one in PUSHABLE
        if str(one.stream) == "crmcom/contacts" and version in (one.api_versions or (version,))
    }
    assert offered == {*crmcom.CONTACT_WRITES[version], f"{CUSTOM.removesuffix('.')}{ANY_KEY}"}


def test_every_field_has_a_form_and_a_pattern_that_compiles() -> None:
    for one in PUSHABLE:
        assert str(one.stream) in STREAMS
        assert form_of(str(one.stream), one.field.replace(ANY_KEY, ".key")) is not None
        re.compile(one.value.pattern or "")
