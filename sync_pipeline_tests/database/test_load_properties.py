"""Any story of readings, against a model of the table and its history that fits on a page."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from sync_pipeline.entities import CRMCOM_CONTACTS
from sync_pipeline.normalise.contacts import normalise_contacts
from sync_pipeline.warehouse.load import Loaded, load
from sync_pipeline.warehouse.progress import Proof, ScopeProgress, record_progress
from sync_pipeline_tests.database.readings import at, contact, load_contacts, named

KEYS, SCOPES, HOURS = "abc", "st", st.integers(0, 6)


@dataclass(frozen=True)
class Reading:
    """The rows of one batch (key → first name), read at one time under one scope."""

    scope: str
    hours: int
    names: dict[str, str]
    is_proven: bool


@dataclass
class Model:
    """What must be stored, worked out one row at a time."""

    current: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    history: set[tuple[str, str, datetime, datetime]] = field(default_factory=set)
    proven: dict[str, datetime] = field(default_factory=dict)

    def take(self, reading: Reading) -> Loaded:
        verdicts = [self._take(reading, key, name) for key, name in reading.names.items()]
        if reading.is_proven:
            known = self.proven.get(reading.scope, at(-1))
            self.proven[reading.scope] = max(known, at(reading.hours))
        return Loaded(*map(verdicts.count, ("inserted", "updated", "unchanged", "outdated")))

    def _take(self, reading: Reading, key: str, name: str) -> str:
        read_at = at(reading.hours)
        if self.proven.get(reading.scope, read_at) > read_at:
            return "outdated"
        if key not in self.current:
            self.current[key] = name, read_at
            return "inserted"
        stored, since = self.current[key]
        if since >= read_at:
            return "outdated"
        if stored == name:
            return "unchanged"
        self.history.add((key, stored, since, read_at))
        self.current[key] = name, read_at
        return "updated"


STORIES = st.lists(
    st.builds(
        Reading,
        scope=st.sampled_from(SCOPES),
        hours=HOURS,
        names=st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["Ann", "Bea"]), min_size=1),
        is_proven=st.booleans(),
    ),
    max_size=8,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


def test_any_story_ends_in_the_tables_that_the_model_says(engine: Engine) -> None:
    @settings(max_examples=40)
    @given(STORIES)
    def tell(story: list[Reading]) -> None:
        model = Model()
        with engine.connect() as connection, connection.begin() as transaction:
            for reading in story:
                assert _load(connection, reading) == model.take(reading)
            assert _current(connection) == model.current
            assert _history(connection) == model.history
            assert _gaps(connection) == 0
            transaction.rollback()

    tell()


def test_any_json_object_comes_back_from_attributes(engine: Engine) -> None:
    @settings(max_examples=40)
    @given(st.dictionaries(TEXT.map("x{}".format), JSON, max_size=5))
    def keep(members: dict[str, object]) -> None:
        with engine.connect() as connection, connection.begin() as transaction:
            load_contacts(connection, [contact("a", json.dumps(members), hours=1)])
            query = text("SELECT attributes::text FROM warehouse.contacts")
            stored = connection.execute(query).scalar_one()
            assert _exact(stored) == _exact(json.dumps(members))
            transaction.rollback()

    keep()


def test_whatever_a_record_holds_it_is_a_row_or_set_apart_but_stops_no_load(
    engine: Engine,
) -> None:
    pieces = st.sampled_from(
        [r"\u0000", r"\ud83d", r"\ude00", r"\\", r"\"", "é", "1e9999", "-0", "9" * 400, "x"]
    )
    values = st.lists(pieces, max_size=4).map(lambda parts: f'"{"".join(parts)}"') | pieces

    @settings(max_examples=100)
    @given(st.lists(values, min_size=1, max_size=3))
    def read(found: list[str]) -> None:
        names = ("first_name", "new", "email_opt_out")
        members = ",".join(f'"{n}": {v}' for n, v in zip(names, found, strict=False))
        with engine.connect() as connection, connection.begin() as transaction:
            readings = [contact("odd", f"{{{members}}}", hours=1), named("even", "Ann", hours=1)]
            normalised = normalise_contacts(readings)
            loaded = load(connection, CRMCOM_CONTACTS, normalised.frame, run_id="run")
            assert loaded.inserted + len(normalised.rejects) == len(readings)
            transaction.rollback()

    read()


def _load(connection: Connection, reading: Reading) -> Loaded:
    records = [
        named(key, name, hours=reading.hours, scope=reading.scope)
        for key, name in reading.names.items()
    ]
    loaded = load_contacts(connection, records)
    if reading.is_proven:
        read_at = at(reading.hours)
        progress = ScopeProgress(reading.scope, Proof.SINGLE_RESPONSE, None, read_at, read_at)
        record_progress(connection, CRMCOM_CONTACTS, [progress])
    return loaded


def _current(connection: Connection) -> dict[str, tuple[str, datetime]]:
    query = text("SELECT contact_id, first_name, observed_at FROM warehouse.contacts")
    return {row.contact_id: (row.first_name, row.observed_at) for row in connection.execute(query)}


def _history(connection: Connection) -> set[tuple[object, ...]]:
    columns = "contact_id, first_name, valid_from, valid_to"
    query = text(f"SELECT {columns} FROM warehouse.contacts_history")
    return {tuple(row) for row in connection.execute(query)}


def _gaps(connection: Connection) -> int:
    """Count the versions that do not begin where the one before them ends."""
    query = """
        SELECT count(*) FROM (
            SELECT
                valid_from,
                lag(valid_to) OVER versions AS ended_at,
                lag(valid_from) OVER versions AS began_at
            FROM warehouse.contacts_versions
            WINDOW versions AS (PARTITION BY contact_id ORDER BY valid_from)
        ) AS v
        WHERE began_at IS NOT NULL AND ended_at IS DISTINCT FROM valid_from
    """
    return int(connection.execute(text(query)).scalar_one())


def _exact(written: str) -> object:
    decoded: object = json.loads(written, parse_int=Decimal, parse_float=Decimal)
    return decoded
