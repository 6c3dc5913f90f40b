"""Records that break the contract: kept once per defect, with their bytes, until they are sound."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, Stream
from sync_pipeline.records import LONGEST_ID_BYTES, Reject
from sync_pipeline.warehouse.quarantine import quarantine, resolve_quarantine
from sync_pipeline_tests.database.readings import at, in_another_session, rows

KEPT = "SELECT record_id, error_code, payload_raw, observed_at FROM ops.quarantine ORDER BY 1, 2, 3"


def reject(
    record_id: str | None = "a", payload: bytes = b"{", *, hours: float = 1, code: str = "bad_json"
) -> Reject:
    return Reject(record_id, payload, code, f"reason of {code}", at(hours))


def keep(engine: Engine, *rejects: Reject, stream: Stream = CRMCOM_CONTACTS) -> None:
    with engine.begin() as connection:
        quarantine(connection, stream, rejects)


def settle(engine: Engine, record_id: str, *, hours: float) -> None:
    with engine.begin() as connection:
        resolve_quarantine(connection, CRMCOM_CONTACTS, {record_id: at(hours)})


def test_nothing_rejected_keeps_nothing(engine: Engine) -> None:
    keep(engine)
    with engine.begin() as connection:
        resolve_quarantine(connection, CRMCOM_CONTACTS, {})
    assert rows(engine, KEPT) == []


def test_a_record_is_kept_with_its_bytes_and_the_reason(engine: Engine) -> None:
    keep(engine, reject(payload=b'{"id": "\xff\x00"'))
    columns = "source, entity, record_id, payload_raw, payload, reason, error_code, observed_at"
    open_columns = "resolved_at, resolution, first_seen_at = last_seen_at"
    query = f"SELECT {columns}, {open_columns} FROM ops.quarantine"
    assert rows(engine, query) == [
        ("crmcom", "contacts", "a", b'{"id": "\xff\x00"', None, "reason of bad_json", "bad_json",
         at(1), None, None, True),
    ]  # fmt: skip


def test_the_same_defect_met_again_renews_its_row(engine: Engine) -> None:
    keep(engine, reject(payload=b"{1", hours=1))
    before = rows(engine, "SELECT id, first_seen_at FROM ops.quarantine")
    keep(engine, reject(payload=b"{2", hours=2))
    assert rows(engine, KEPT) == [("a", "bad_json", b"{2", at(2))]
    assert rows(engine, "SELECT id, first_seen_at FROM ops.quarantine") == before
    assert rows(engine, "SELECT last_seen_at > first_seen_at FROM ops.quarantine") == [(True,)]


def test_an_older_reading_does_not_renew_it(engine: Engine) -> None:
    keep(engine, reject(payload=b"{2", hours=2))
    keep(engine, reject(payload=b"{1", hours=1))
    assert rows(engine, KEPT) == [("a", "bad_json", b"{2", at(2))]


def test_the_same_defect_twice_in_a_batch_is_one_row_with_the_later_bytes(engine: Engine) -> None:
    keep(engine, reject(payload=b"{2", hours=2), reject(payload=b"{1", hours=1))
    assert rows(engine, KEPT) == [("a", "bad_json", b"{2", at(2))]


def test_other_defects_records_and_streams_have_rows_of_their_own(engine: Engine) -> None:
    keep(engine, reject(), reject(code="foreign_id"), reject("b"))
    keep(engine, reject(), stream=CRMCOM_COMMUNICATIONS)
    assert len(rows(engine, KEPT)) == 4


UNNAMEABLE = [None, "", "a\x00b", "x" * (LONGEST_ID_BYTES + 1)]


@pytest.mark.parametrize("record_id", UNNAMEABLE)
def test_a_record_without_an_id_to_name_it_by_is_told_by_its_bytes(
    engine: Engine, record_id: str | None
) -> None:
    one, other = reject(record_id, b"[1]"), reject(record_id, b"[2]")
    keep(engine, one, other, reject(None, b"[2]"))
    keep(engine, other)
    assert rows(engine, KEPT) == [
        (None, "bad_json", b"[1]", at(1)),
        (None, "bad_json", b"[2]", at(1)),
    ]


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"a": [1, "\xc3\xa9", null]}', '{"a": [1, "é", null]}'),
        ('{"a": "😀"}'.encode(), '{"a": "😀"}'),
        (rb'{"a": "\ud83d\ude00"}', '{"a": "😀"}'),
        (rb'{"a": "\\u0000"}', r'{"a": "\\u0000"}'),
        (rb'{"a": "\\ud800"}', r'{"a": "\\ud800"}'),
        (rb'{"a": "\u0000"}', None),
        (rb'{"a": "\\\u0000"}', None),
        (rb'{"a": "\ud800"}', None),
        (b'{"a": 1e400}', None),
        (b'{"a": NaN}', None),
        (b"[" * 100_000, None),
        (b'{"a": ' + b"9" * 5_000 + b"}", None),
        (b"", None),
    ],
)
def test_the_payload_is_shown_as_json_where_jsonb_can_hold_it(
    engine: Engine, payload: bytes, shown: str | None
) -> None:
    keep(engine, reject(payload=payload))
    assert rows(engine, "SELECT payload_raw, payload::text FROM ops.quarantine") == [
        (payload, shown)
    ]


def test_a_later_sound_reading_settles_every_defect_of_the_record(engine: Engine) -> None:
    keep(engine, reject(), reject(code="foreign_id"), reject("b"))
    keep(engine, reject(), stream=CRMCOM_COMMUNICATIONS)
    settle(engine, "a", hours=2)
    query = """
        SELECT entity, record_id, resolution, resolved_at IS NULL FROM ops.quarantine
        ORDER BY 1, 2
    """
    assert rows(engine, query) == [
        ("communications", "a", None, True),
        ("contacts", "a", "loaded", False),
        ("contacts", "a", "loaded", False),
        ("contacts", "b", None, True),
    ]


def test_an_older_sound_reading_settles_nothing(engine: Engine) -> None:
    keep(engine, reject(hours=5))
    settle(engine, "a", hours=4)
    assert rows(engine, "SELECT resolved_at FROM ops.quarantine") == [(None,)]


def test_a_defect_that_comes_back_is_a_new_row(engine: Engine) -> None:
    keep(engine, reject())
    settle(engine, "a", hours=2)
    keep(engine, reject(hours=3))
    query = "SELECT resolution, observed_at FROM ops.quarantine ORDER BY id"
    assert rows(engine, query) == [("loaded", at(1)), (None, at(3))]


def test_batches_that_keep_the_same_records_do_not_wait_in_a_circle(engine: Engine) -> None:
    keep(engine, reject("b"))
    there, back = [reject(x) for x in "abc"], [reject(x) for x in "cba"]
    with engine.connect() as holder:
        resolve_quarantine(holder, CRMCOM_CONTACTS, {"b": at(9)})
        with (
            in_another_session(engine, lambda c: quarantine(c, CRMCOM_CONTACTS, there)) as one,
            in_another_session(engine, lambda c: quarantine(c, CRMCOM_CONTACTS, back)) as other,
        ):
            holder.rollback()
            assert one() is other() is None
    assert len(rows(engine, KEPT)) == 3


def test_sound_records_are_settled_however_many_are_broken(engine: Engine) -> None:
    broken = [f"r{number:04d}" for number in range(1_500)]
    keep(engine, *[reject(record_id, hours=1) for record_id in broken])
    sound = {record_id: at(2) for record_id in [broken[0], broken[700], broken[-1], "unknown"]}
    with engine.begin() as connection:
        resolve_quarantine(connection, CRMCOM_CONTACTS, sound)
    settled = "SELECT record_id FROM ops.quarantine WHERE resolved_at IS NOT NULL ORDER BY 1"
    assert rows(engine, settled) == [(broken[0],), (broken[700],), (broken[-1],)]
    assert rows(engine, "SELECT count(*) FROM ops.quarantine") == [(1_500,)]
