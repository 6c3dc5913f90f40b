"""Phone numbers as E.164, by the numbering plans of `phonenumbers`.

Most numbers of a clean source are E.164 already. Parsing one only to write it again costs more
than the rest of its row, so such a number is tried against its country's plan alone, in the order
and with the patterns that the library itself uses; whatever does not simply match is parsed.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

import phonenumbers

_PLUS = frozenset("+\uff0b")
_CALLING_CODES = frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
_LONGEST_CALLING_CODE = 3
_SHORTEST, _LONGEST = len("+1234567"), len("+123456789012345")
# Whatever kind fits makes a number valid; the likeliest first.
_KINDS = (
    *("mobile", "fixed_line", "premium_rate", "toll_free", "shared_cost", "voip"),
    *("personal_number", "pager", "uan", "voicemail"),
)


def e164(number: str, region: str | None) -> str | None:
    """Return ``number`` in E.164, read as dialled in ``region`` (alpha-2); null if not valid."""
    if _is_e164(number):
        return number
    if region is None and _PLUS.isdisjoint(number):
        # Dialled from nobody knows where.
        return None
    return _parsed(number, region)


def _is_e164(number: str) -> bool:
    if not (number.startswith("+") and _SHORTEST <= len(number) <= _LONGEST):
        return False
    found = _plan_at(number[1 : _LONGEST_CALLING_CODE + 1])
    if found is None:
        return False
    # A leading zero belongs to the number in some countries only: parsing knows.
    length, plan = found
    return number[length] != "0" and plan.fullmatch(number, length) is not None


@lru_cache(maxsize=4096)
def _plan_at(digits: str) -> tuple[int, re.Pattern[str]] | None:
    """Return where the number after the calling code begins, and the plan for it."""
    for length in range(1, _LONGEST_CALLING_CODE + 1):
        code = digits[:length]
        plan = _plan(code) if code in _CALLING_CODES else None
        if plan is not None:
            return length + 1, plan
    return None


@lru_cache(maxsize=4096)
def _parsed(number: str, region: str | None) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed) or parsed.extension:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


@cache
def _plan(calling_code: str) -> re.Pattern[str] | None:
    """Return what the rest of a number must be to be valid for certain, and parsed as it is.

    That is: of the main region of the calling code, and without what parsing might strip.
    """
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(calling_code)]
    data = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(
        int(calling_code), regions[0]
    )
    if data is None:
        return None
    stripped, leading = data.national_prefix_for_parsing, data.leading_digits
    # Where it is the only region, every number of the calling code is its.
    is_shared = leading and len(regions) > 1
    conditions = (
        f"(?!{stripped})" if stripped else "",
        f"(?={leading})" if is_shared else "",
        f"(?={_form(data.general_desc)}$)",
    )
    unused = "mobile" if data.same_mobile_and_fixed_line_pattern else ""
    kinds = filter(None, (_form(getattr(data, kind)) for kind in _KINDS if kind != unused))
    # Of the library's digits of all scripts only these are E.164.
    return re.compile("".join(conditions) + f"(?:{'|'.join(kinds)})", re.ASCII)


def _form(description: phonenumbers.PhoneNumberDesc | None) -> str:
    """Return the pattern of a description, nothing where it has none."""
    if description is None or not description.national_number_pattern:
        return ""
    lengths = "|".join(f"[0-9]{{{length}}}" for length in description.possible_length)
    is_long_enough = f"(?=(?:{lengths})$)" if lengths else ""
    return f"(?:{is_long_enough}(?:{description.national_number_pattern}))"
