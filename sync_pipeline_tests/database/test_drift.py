"""Fields that differ from what the mapping knows: counted by name and type, and what follows."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from sync_pipeline.entities import CRMCOM_COMMUNICATIONS, CRMCOM_CONTACTS, ROCS_CONTACTS
from sync_pipeline.errors import DriftError, SettingsError
from sync_pipeline.pull import reading_queue
from sync_pipeline.pull.drift import FEWEST, FURTHER, MOST_NEW
from sync_pipeline.settings import Settings
from sync_pipeline_tests.pull_rocs import CONTACTS
from sync_pipeline_tests.pull_vendors import Row, Vendors
from sync_pipeline_tests.pulls import Pulls, counts

FIELDS = """
    SELECT field, kind, example_type, rows_seen FROM ops.fields
    WHERE kind <> 'usual' ORDER BY kind, field
"""
USUAL = "SELECT field FROM ops.fields WHERE kind = 'usual' ORDER BY 1"
PRIVATE = "kept-to-themselves@example.com"


def contacts(many: int, **members: object) -> list[Row]:
    """Return contacts of ROCS, each with these members; None leaves one out."""
    rows: list[Row] = [
        {"id": str(number), "firstname": f"Name {number}", "gender": "F"} | members
        for number in range(many)
    ]
    return [{name: v for name, v in row.items() if v is not None} for row in rows]


def hold_crmcom(vendors: Vendors, many: int, **members: object) -> None:
    """Hold contacts of CRM.COM, each with its name and these members; None leaves one out."""
    for number in range(many):
        row = {"id": f"c{number:02}", "first_name": f"Name {number}"} | members
        vendors.hold_contact(f"c{number:02}", {n: v for n, v in row.items() if v is not None})
    vendors.ids = [{"id": f"c{number:02}"} for number in range(many)]


def failing(vendors: Vendors) -> Settings:
    """Return settings under which drift is a fault and one request is sent after the other."""
    return vendors.settings(
        crmcom={"max_in_flight": 1, "base_url": f"{vendors.server.url}/self-service/v2"},
        drift_policy="fail",
    )


@pytest.fixture
def is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Close batches as if a second had passed after each answer."""
    monkeypatch.setattr(reading_queue, "BATCH_SECONDS", 0.0)


def hold(pull: Pulls, rows: Sequence[Row | bytes]) -> None:
    pull.vendors.rocs.hold(CONTACTS, rows)


def test_records_as_the_mapping_knows_them_are_no_news(pull: Pulls) -> None:
    known = {"sourceType": "Api", "contactPermissions": [], "dob": "1970-12-30T00:00:00"}
    hold(pull, contacts(25, **known))
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == []
    assert [name for (name,) in pull.rows(USUAL)] == ["dob", "firstname", "gender", "id"]


@pytest.mark.parametrize("many", [3, 60], ids=["one by one", "all at once"])
def test_a_new_member_is_kept_and_counted_with_its_type_and_no_value(
    pull: Pulls, many: int
) -> None:
    hold(pull, [*contacts(many, nickname=PRIVATE), {"id": "other", "tags": [PRIVATE]}])
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == [("nickname", "new", "string", many), ("tags", "new", "array", 1)]
    assert pull.table("contacts")[0]["attributes"] == {"nickname": PRIVATE}

    hold(pull, [*contacts(many, nickname=PRIVATE), {"id": "other", "nickname": None}])
    pull(ROCS_CONTACTS)
    nickname = ("nickname", "new", "string", many + 1)
    assert pull.rows(FIELDS) == [nickname, ("tags", "new", "array", 1)]
    times = "SELECT last_seen_at > first_seen_at, run_id FROM ops.fields WHERE kind = 'new'"
    (of_nickname, of_tags) = sorted(pull.rows(times), reverse=True)
    assert (of_nickname[0], of_tags[0], of_nickname[1] != of_tags[1]) == (True, False, True)


def test_a_null_is_no_type_as_long_as_there_is_another(pull: Pulls) -> None:
    hold(pull, [{"id": "a", "nickname": None}, {"id": "b", "nickname": 7}])
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == [("nickname", "new", "number", 2)]


def test_a_name_that_may_be_a_value_is_counted_and_not_kept(pull: Pulls) -> None:
    hold(pull, [{"id": "a", PRIVATE: 1, "+4712345678": 2}, {"id": "b", "a\u0000b": 3}])
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == [("(a name of another kind)", "new", "number", 3)]


def test_names_without_end_are_counted_together(pull: Pulls) -> None:
    hold(pull, [{"id": str(number), f"name_{number}": 1} for number in range(MOST_NEW + 30)])
    pull(ROCS_CONTACTS)
    pull(ROCS_CONTACTS, is_full=True)
    assert pull.rows("SELECT count(*) FROM ops.fields WHERE kind = 'new'") == [(MOST_NEW + 1,)]
    further = "SELECT rows_seen FROM ops.fields WHERE field = :name"
    assert pull.rows(further, name=FURTHER) == [(60,)]


@pytest.mark.parametrize("many", [3, 60], ids=["one by one", "all at once"])
def test_a_value_of_another_type_is_counted_and_kept_in_attributes(pull: Pulls, many: int) -> None:
    rows = contacts(many)
    hold(pull, [*rows[:-1], rows[-1] | {"firstname": {"given": PRIVATE}}])
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == [("firstname", "retyped", "object", 1)]
    kept = [row["attributes"] for row in pull.table("contacts") if row["attributes"]]
    assert kept == [{"firstname": {"given": PRIVATE}}]


def test_a_value_that_cannot_be_read_but_is_of_its_type_is_no_news(
    pull: Pulls, vendors: Vendors
) -> None:
    vendors.hold_contacts("a")
    unread = {"id": "a", "phone": {"number": "none"}, "email_opt_out": "perhaps"}
    vendors.hold_contact("a", unread)
    vendors.hold_communications("a", [{"id": "m", "clicked_on": 1, "created_on": 0}])
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_COMMUNICATIONS, settings=vendors.v2())
    assert pull.rows(FIELDS) == []


def test_a_member_of_an_object_is_told_by_its_path(pull: Pulls, vendors: Vendors) -> None:
    vendors.hold_contacts("a")
    birth = {"id": "a", "demographics": {"date_of_birth": "1970-12-30", "gender": "robot"}}
    vendors.hold_contact("a", birth)
    pull(CRMCOM_CONTACTS)
    assert pull.rows(FIELDS) == [
        ("demographics.date_of_birth", "retyped", "string", 1),
        ("demographics.gender", "unknown_value", "string", 1),
    ]


def test_words_outside_an_enumeration_are_counted(pull: Pulls) -> None:
    rows = contacts(3)
    hold(pull, [rows[0] | {"gender": "robot"}, rows[1] | {"gender": "m"}, rows[2]])
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == [("gender", "unknown_value", "string", 1)]
    assert [row["gender"] for row in pull.table("contacts")] == ["robot", "MALE", "FEMALE"]


def test_a_field_is_missing_when_no_record_has_what_nearly_all_had(pull: Pulls) -> None:
    hold(pull, [*contacts(20), {"id": "other"}])
    pull(ROCS_CONTACTS)
    hold(pull, contacts(21, firstname=None, lastname="New"))
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == [("firstname", "missing", None, 21)]


def test_a_field_that_many_lack_or_few_records_tell_of_is_not_called_missing(pull: Pulls) -> None:
    hold(pull, [*contacts(20), *({"id": f"other-{number}"} for number in range(5))])
    pull(ROCS_CONTACTS)
    hold(pull, contacts(25, firstname=None, gender=None, lastname="New"))
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == []


def test_a_field_is_not_missing_while_some_records_are_as_they_were(pull: Pulls) -> None:
    hold(pull, contacts(50))
    pull(ROCS_CONTACTS)
    hold(pull, [*contacts(49, firstname=None), contacts(50)[-1]])
    pull(ROCS_CONTACTS)
    assert pull.rows(FIELDS) == []


def test_what_fewer_have_in_time_is_usual_no_more(pull: Pulls) -> None:
    hold(pull, contacts(40))
    pull(ROCS_CONTACTS)
    hold(pull, [*contacts(20, firstname=None, lastname="x"), *contacts(40, lastname="x")[20:]])
    pull(ROCS_CONTACTS)
    assert [name for (name,) in pull.rows(USUAL)] == ["gender", "id", "lastname"]


@pytest.mark.parametrize("policy", ["keep", "warn", "crmcom/contacts=fail"])
def test_a_drift_that_is_no_fault_loads_what_came(pull: Pulls, policy: str) -> None:
    hold(pull, contacts(1, firstname=[]) + contacts(2)[1:])
    report = pull(ROCS_CONTACTS, settings=pull.vendors.settings(drift_policy=policy))
    assert counts(report) == {"inserted": 2}
    assert pull.rows(FIELDS) == [("firstname", "retyped", "array", 1)]


def test_a_drift_that_is_a_fault_fails_the_run_and_the_next_one_goes_on(pull: Pulls) -> None:
    fail = pull.vendors.settings(drift_policy="warn,rocs/contacts=fail")
    hold(pull, contacts(1))
    pull(ROCS_CONTACTS, settings=fail)
    before = (pull.versions("contacts"), pull.watermarks(ROCS_CONTACTS))
    hold(pull, contacts(3, firstname=[PRIVATE]))

    with pytest.raises(DriftError) as raised:
        pull(ROCS_CONTACTS, settings=fail)

    assert str(raised.value) == (
        "rocs/contacts: the field firstname is of another type (array): 3 rows. These records are "
        "not loaded: see what has changed at the source, or set DRIFT_POLICY to rocs/contacts=warn "
        "and they are, with what has no column in attributes"
    )
    assert pull.last_run("outcome", "error", "rows_read") == ("failed", str(raised.value), 0)
    assert (pull.versions("contacts"), pull.watermarks(ROCS_CONTACTS)) == before
    assert pull.rows(FIELDS) == [("firstname", "retyped", "array", 3)]
    assert counts(pull(ROCS_CONTACTS)) == {"inserted": 2, "updated": 1}


def test_a_missing_field_may_be_a_fault_too(pull: Pulls) -> None:
    hold(pull, contacts(30))
    pull(ROCS_CONTACTS)
    hold(pull, contacts(30, firstname=None))
    with pytest.raises(DriftError, match="firstname is missing in all 30 records"):
        pull(ROCS_CONTACTS, settings=pull.vendors.settings(drift_policy="fail"))
    assert pull.rows(FIELDS) == [("firstname", "missing", None, 30)]
    assert {row["first_name"] for row in pull.table("contacts")} == {f"Name {n}" for n in range(30)}


@pytest.mark.usefixtures("is_slow")
def test_a_missing_field_is_kept_out_however_slowly_records_come_until_it_is_back(
    pull: Pulls, vendors: Vendors
) -> None:
    hold_crmcom(vendors, 40)
    pull(CRMCOM_CONTACTS)
    before = (pull.versions("contacts"), pull.watermarks(CRMCOM_CONTACTS))
    due_at = "SELECT scope, due_at FROM ops.watermarks WHERE scope <> '' ORDER BY 1"
    due_before = pull.rows(due_at)
    hold_crmcom(vendors, 40, first_name=None, last_name="New")
    for _ in range(3):
        with pytest.raises(DriftError, match="first_name is missing in all 20 records"):
            pull(CRMCOM_CONTACTS, settings=failing(vendors))
        assert (pull.versions("contacts"), pull.watermarks(CRMCOM_CONTACTS)) == before
        assert pull.rows(due_at) == due_before
    assert pull.rows(FIELDS) == [("first_name", "missing", None, 60)]

    hold_crmcom(vendors, 40, last_name="New")
    assert counts(pull(CRMCOM_CONTACTS, settings=failing(vendors))) == {"updated": 40}


@pytest.mark.usefixtures("is_slow")
def test_a_missing_field_is_loaded_as_null_once_the_policy_allows_it(
    pull: Pulls, vendors: Vendors
) -> None:
    hold_crmcom(vendors, 25)
    pull(CRMCOM_CONTACTS)
    hold_crmcom(vendors, 25, first_name=None, last_name="New")
    with pytest.raises(DriftError):
        pull(CRMCOM_CONTACTS, settings=failing(vendors))
    assert counts(pull(CRMCOM_CONTACTS)) == {"updated": 25}
    assert [row for row in pull.table("contacts") if "first_name" in row] == []


def test_rows_that_have_lost_the_field_already_do_not_show_that_it_is_there(
    pull: Pulls, vendors: Vendors
) -> None:
    hold_crmcom(vendors, 30)
    pull(CRMCOM_CONTACTS)
    hold_crmcom(vendors, 30, first_name=None, last_name="New")
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("c29", {"id": "c29", "last_name": "Newer"})
    with pytest.raises(DriftError, match="first_name is missing in all 30 records"):
        pull(CRMCOM_CONTACTS, settings=vendors.settings(drift_policy="fail"))
    assert pull.table("contacts")[29]["last_name"] == "New"


@pytest.mark.usefixtures("is_slow")
def test_one_contact_without_the_field_does_not_hold_up_the_others(
    pull: Pulls, vendors: Vendors
) -> None:
    hold_crmcom(vendors, 30)
    pull(CRMCOM_CONTACTS)
    vendors.hold_contact("c00", {"id": "c00", "last_name": "Only"})
    assert counts(pull(CRMCOM_CONTACTS, settings=failing(vendors))) == {
        "updated": 1,
        "unchanged": 29,
    }
    assert pull.rows(FIELDS) == []


@pytest.mark.usefixtures("is_slow")
def test_one_contact_with_many_rows_without_the_field_does_not_hold_up_the_others(
    pull: Pulls, vendors: Vendors
) -> None:
    hold_crmcom(vendors, 30)
    for number in range(30):
        message = {"id": f"m{number}", "subject": "Hello", "created_on": 1_700_000_000}
        vendors.hold_communications(f"c{number:02}", [message])
    pull(CRMCOM_CONTACTS)
    pull(CRMCOM_COMMUNICATIONS, settings=vendors.v2())
    vendors.hold_communications(
        "c00", [{"id": f"x{n}", "created_on": 1_700_000_000} for n in range(FEWEST + 5)]
    )
    report = pull(CRMCOM_COMMUNICATIONS, settings=failing(vendors))
    assert counts(report)["inserted"] == FEWEST + 5
    assert pull.rows(FIELDS) == []


@pytest.mark.usefixtures("is_slow")
def test_fewer_records_than_tell_anything_are_loaded_when_the_run_ends(
    pull: Pulls, vendors: Vendors
) -> None:
    hold_crmcom(vendors, 30)
    pull(CRMCOM_CONTACTS)
    hold_crmcom(vendors, FEWEST - 1, first_name=None)
    few = [f"c{number:02}" for number in range(FEWEST - 1)]
    report = pull(CRMCOM_CONTACTS, *few, settings=failing(vendors))
    assert counts(report) == {"updated": FEWEST - 1}
    assert pull.rows(FIELDS) == []


def test_a_policy_for_no_stream_is_refused(pull: Pulls) -> None:
    with pytest.raises(SettingsError, match="there is no stream 'rocs/people'"):
        pull(ROCS_CONTACTS, settings=pull.vendors.settings(drift_policy="rocs/people=fail"))


def test_no_value_is_in_what_is_told_of_fields(pull: Pulls) -> None:
    odd = {"firstname": [PRIVATE], "gender": PRIVATE, "nickname": PRIVATE, PRIVATE: PRIVATE}
    hold(pull, [json.dumps({"id": "a"} | odd).encode()])
    pull(ROCS_CONTACTS)
    told = pull.rows("SELECT to_jsonb(f)::text FROM ops.fields AS f")
    assert (len(told), PRIVATE in str(told)) == (4, False)
