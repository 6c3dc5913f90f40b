"""What is taken as E.164 without being parsed is what parsing would have made of it."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_pipeline.normalise.phones import e164

CALLING_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
KINDS = sorted(phonenumbers.PhoneNumberType.values())
REGIONS = [None, "CY", "US", "GB", "IT", "RU", "KZ", "AR", "MX", "ZZ"]


def by_parsing(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed) or parsed.extension:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def examples(region: str) -> list[str]:
    found = [phonenumbers.example_number_for_type(region, kind) for kind in KINDS]
    e164_form = phonenumbers.PhoneNumberFormat.E164
    return [phonenumbers.format_number(n, e164_form) for n in found if n is not None]


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_near_any_number_of_a_region_both_ways_agree(region: str) -> None:
    numbers = examples(region)
    near = [n[:at] + digit + n[at + 1 :] for n in numbers for at in (2, 4, -3) for digit in "0159"]
    tried = [*numbers, *near, *(n + "1" for n in numbers), *(n[:-1] for n in numbers)]
    assert [e164(n, None) for n in tried] == [by_parsing(n, None) for n in tried]


@settings(max_examples=300)
@given(st.sampled_from(CALLING_CODES), st.text("0123456789", min_size=3), st.sampled_from(REGIONS))
def test_any_digits_after_a_calling_code_are_read_as_by_parsing(
    code: int, digits: str, region: str | None
) -> None:
    number = f"+{code}{digits}"
    assert e164(number, region) == by_parsing(number, region)


@settings(max_examples=300)
@given(st.text("+\uff0b0019 ()-;extphone=context:tl.\u0663", max_size=20), st.sampled_from(REGIONS))
def test_whatever_else_is_written_is_read_as_by_parsing(number: str, region: str | None) -> None:
    assert e164(number, region) == by_parsing(number, region)
