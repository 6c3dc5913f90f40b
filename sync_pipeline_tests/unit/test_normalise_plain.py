"""Records that are opened all at once come to what each comes to by itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_pipeline import entities
from sync_pipeline.entities import Stream
from sync_pipeline.normalise.frame import Normalised
from sync_pipeline.normalise.streams import NORMALISERS
from sync_pipeline.records import Drift, Record
from sync_pipeline.warehouse.hashes import content_hashes

MANY = 60
"""As many plain records are enough to be opened all at once."""
NAMES = (
    *("contactType", "contactStatus", "firstname", "email", "phoneMobile", "gender", "dob"),
    *("externalId", "organizationId", "contactPermissions", "zip", "Zip", "zïp", "a b", "", "é€"),
    *("name", "status", "state", "statistics", "sent", "opened", "startDate", "created", "{", "["),
)
SCALARS = [
    *("null", "true", "false", "0", "-0", "7", "-1.50", "1e3", "1E-7", "12345678901234567890"),
    *("0.10", "1e400", "1e99999", "9" * 99, "9" * 400),
]
TEXTS = [
    *("", " ", "x", " padded\u3000", "\u00a0", "null", "true", "0", "\u0130stanbul", "ΟΔΟΣ", "ǅ"),
    *("M", "female", "ACTIVE", "Person@Example.COM", "+35799123456", "99 12 34 56", "none", "a,b"),
    *("1980-02-29T00:00:00", "1981-02-29T00:00:00", "0001-01-01T00:00:00", "1980-05-01"),
    *("1980-02-29T10:00:00", "1980-02-29T00:00:00Z", "2026-01-02T03:04:05.678Z", "1e5", ":", "{}"),
    *('"', "\\", "\n", "\x00", "\x7f", "😀", "[1]", '","b":"', "avatar_url"),
]
VALUE = st.one_of(
    st.sampled_from(SCALARS),
    st.sampled_from(TEXTS).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.text(max_size=5).map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(
        ['"\\u0041"', '"\\ud83d"', "{}", '{"a":1}', "[]", '["x"]', '[{"channelType":1}]']
    ),
)
BLANK = st.sampled_from(["", "", "", "", " ", "\n"])


@st.composite
def objects(draw: st.DrawFn, key: str) -> bytes:
    """Draw an object with mapped and other members, mostly without blanks."""
    drawn = draw(st.lists(st.tuples(st.sampled_from(NAMES), VALUE, BLANK), max_size=6))
    members = [f'"id":{key}', *(f'"{name}":{gap}{value}{gap}' for name, value, gap in drawn)]
    text = "{" + ",".join(draw(st.permutations(members))) + "}"
    return text.encode("utf-8", "surrogatepass")


DAMAGED = st.sampled_from(
    [
        *(b"", b"null", b"[]", b'"x"', b"{}", b"{", b'{"id":1', b'{"id":1}}', b'{"id":1},{"id":2}'),
        *(b'{"id":01}', b'{"id":"\xff"}', b' {"id":1}', b'{"id":1}\n', b'{"id":1,}', b'{"id":nul}'),
    ]
)


def record(number: int, raw: bytes, *, form: str = "listed") -> Record:
    """Return a record that was asked for as ``number``."""
    texts = {"listed": b"", "detail": b"", "recalled": b""} | {form: raw}
    observed_at = datetime(2026, 1, 2, 3, 4, 5, number, tzinfo=UTC)
    return Record(
        str(number),
        f"scope {number}",
        texts["listed"],
        texts["detail"],
        b"h%d" % number,
        observed_at,
        texts["recalled"],
    )


def one_by_one(stream: Stream, records: Sequence[Record]) -> Normalised:
    """Normalise in pieces that are too small to be opened all at once."""
    parts = [NORMALISERS[stream](records[n : n + 7]) for n in range(0, len(records), 7)]
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    drift = sum((part.drift for part in parts), Drift())
    return Normalised(frame, [reject for part in parts for reject in part.rejects], drift)


def assert_the_same(stream: Stream, records: Sequence[Record]) -> None:
    """Compare frames, rejects, hashes and what is told of the fields."""
    found, due = NORMALISERS[stream](records), one_by_one(stream, records)
    pd.testing.assert_frame_equal(found.frame, due.frame)
    assert sorted(found.rejects, key=repr) == sorted(due.rejects, key=repr)
    assert _told(found.drift) == _told(due.drift)
    hashes = content_hashes(stream.entity, found.frame)
    assert hashes == content_hashes(stream.entity, due.frame)


def _told(drift: Drift) -> object:
    # Whose value is the example is nobody's promise.
    rows = {key: sighting.rows for key, sighting in drift.sightings.items()}
    return drift.rows, drift.present, rows


STREAMS = (entities.ROCS_CONTACTS, entities.ROCS_CAMPAIGNS, entities.ROSAAS_TENANTS)


@given(st.data())
def test_odd_records_among_many_plain_ones_come_to_what_they_are_by_themselves(
    data: st.DataObject,
) -> None:
    stream = data.draw(st.sampled_from(STREAMS))
    key = NORMALISERS[stream].key_field.paths[0]
    records = []
    for number in range(1, MANY + 1):
        raw = b'{"%b":"%d","zip":"%d","phoneMobile":"none"}' % (key.encode(), number, number % 3)
        records.append(record(number, raw))
    for number in data.draw(st.lists(st.integers(1, MANY), max_size=20)):
        form = data.draw(st.sampled_from(["listed", "detail", "recalled"]))
        raw = data.draw(st.one_of(objects(f'"{number}"'), objects(str(number)), DAMAGED))
        at = data.draw(st.integers(0, len(records)))
        records.insert(at, record(number, raw.replace(b'"id"', b'"%b"' % key.encode()), form=form))
    assert_the_same(stream, records)


@given(st.lists(objects('"1"'), min_size=MANY, max_size=MANY + 10))
def test_records_that_are_all_different_come_to_what_they_are_by_themselves(
    raws: list[bytes],
) -> None:
    assert_the_same(entities.ROCS_CONTACTS, [record(1, raw) for raw in raws])


@pytest.mark.parametrize("value", [*SCALARS, *(json.dumps(t, ensure_ascii=False) for t in TEXTS)])
@pytest.mark.parametrize("is_every", [True, False])
def test_a_value_comes_to_the_same_in_every_column(value: str, *, is_every: bool) -> None:
    members = ",".join(f'"{name}":{value}' for name in NAMES)
    raw = ('{"id":"1",' + members + "}").encode()
    plain = b'{"id":"1","zip":"x"}'
    assert_the_same(
        entities.ROCS_CONTACTS, [record(1, raw if is_every else plain)] * MANY + [record(1, raw)]
    )


@pytest.mark.parametrize(
    "raws",
    [
        [b"[]"] * MANY,
        [b"{}"] * MANY,
        [b'{"id":"1"}'] * MANY,
        [b'{"id":"1","name %d":%d}' % (number % 300, number) for number in range(400)],
        [b'{"id":"1","zip":"%d"}' % number for number in range(MANY)] + [b'{"id":"1","zip":'],
    ],
    ids=["arrays", "nothing", "ids alone", "names without end", "one is damaged"],
)
def test_records_of_one_kind_come_to_what_they_are_by_themselves(raws: list[bytes]) -> None:
    assert_the_same(entities.ROCS_CONTACTS, [record(1, raw) for raw in raws])
