"""What makes a normaliser another one, and which mappings it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from sync_pipeline.entities import CONTACTS
from sync_pipeline.mapping import rosaas
from sync_pipeline.mapping.fields import Field, Form
from sync_pipeline.normalise.normaliser import Normaliser
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.normalise.tenants import normalise_tenants

NAMES = rosaas.STATUS_NAMES
KEY = Field("contact_id", Form.TEXT, ("id",))
PHONE = Field("phone", Form.PHONE, ("phone.number",))
PHONE_COUNTRY = Field("phone_country", Form.COUNTRY, ("phone.country_code",))


def respelled(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Return the fields, the last with a word that it did not know."""
    return (*fields[:-1], replace(fields[-1], keywords={"WORD": "word"}))


CHANGES: dict[str, Callable[[Normaliser], Normaliser]] = {
    "a word of a field": lambda n: replace(n, fields=respelled(n.fields)),
    "one field less": lambda n: replace(n, fields=n.fields[:-1]),
    "a word of a derived field": lambda n: replace(n, derived=respelled(n.derived)),
    "a word of a table": lambda n: replace(n, tables=({**NAMES, 14: "Failed"}, *n.tables[1:])),
    "the scope's column": lambda n: replace(n, scope_column="tenant_id"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_mapping_is_another_version(change: Callable[[Normaliser], Normaliser]) -> None:
    same = replace(normalise_tenants)
    assert same.version == normalise_tenants.version
    assert change(same).version != normalise_tenants.version


def test_what_derives_columns_says_by_which_tables() -> None:
    deriving = [n for n in NORMALISERS.values() if n.derive is not None]
    assert deriving
    assert all(n.derived and n.tables for n in deriving)
    assert [n for n in NORMALISERS.values() if n.derive is None and (n.derived or n.tables)] == []
    assert normalise_tenants.tables == (NAMES, rosaas.STATUS_CODES, rosaas.RUNNING)


def test_no_two_streams_have_one_version() -> None:
    assert len({n.version for n in NORMALISERS.values()}) == len(NORMALISERS)


def test_a_path_has_two_names_at_most() -> None:
    with pytest.raises(ValueError, match=r"a\.b\.c: a path has two names at most"):
        Field("code", Form.TEXT, ("code", "a.b.c"))


def test_a_key_is_a_member_of_the_record() -> None:
    key = replace(KEY, paths=("id", "contact.id"))
    with pytest.raises(ValueError, match="the key of contacts is to be a member of the record"):
        Normaliser(CONTACTS, (key,))


def test_a_phone_number_is_read_after_its_country() -> None:
    Normaliser(CONTACTS, (KEY, PHONE_COUNTRY, PHONE))
    Normaliser(CONTACTS, (KEY, PHONE))
    with pytest.raises(ValueError, match="put phone_country first"):
        Normaliser(CONTACTS, (KEY, PHONE, PHONE_COUNTRY))
