"""Phone numbers as E.164, by the numbering plans of `phonenumbers`.

Most numbers of a clean source are E.164 already. Parsing one only to write it again costs more
than the rest of its row, so such a number is tried against its country's plan alone, in the order
and with the patterns that the library itself uses; whatever does not simply match is parsed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache

import phonenumbers

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_PLUS = frozenset("+\uff0b")
_LONGEST_CALLING_CODE = 3
_KINDS = (
    *("mobile", "fixed_line", "premium_rate", "toll_free", "shared_cost", "voip"),
    *("personal_number", "pager", "uan", "voicemail"),
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a number must be to belong to the main region of its calling code, and be read as is.

    ``prefix`` is what parsing might strip; ``kinds`` are the lengths and patterns of landlines,
    mobiles and so on, any of which makes a number valid that is ``general``.
    """

    prefix: re.Pattern[str] | None
    leading: re.Pattern[str] | None
    general: tuple[frozenset[int], re.Pattern[str]]
    kinds: tuple[tuple[frozenset[int], re.Pattern[str]], ...]

    def holds(self, national: str) -> bool:
        """Tell whether the national number is certainly valid and written as it is parsed."""
        if self.prefix is not None and self.prefix.match(national):
            return False
        if self.leading is not None and not self.leading.match(national):
            return False
        return _is_of(national, *self.general) and any(
            _is_of(national, *kind) for kind in self.kinds
        )


def e164(number: str, region: str | None) -> str | None:
    """Return ``number`` in E.164, read as dialled in ``region`` (alpha-2); null if not valid."""
    if region is None and _PLUS.isdisjoint(number):
        # Dialled from nobody knows where.
        return None
    return number if _is_e164(number) else _parsed(number, region)


def _is_e164(number: str) -> bool:
    if not _E164.fullmatch(number):
        return False
    for length in range(2, _LONGEST_CALLING_CODE + 2):
        plan = _plan(number[1:length])
        if plan is not None:
            # A leading zero belongs to the number in some countries only: parsing knows.
            return number[length] != "0" and plan.holds(number[length:])
    return False


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
def _plan(calling_code: str) -> _Plan | None:
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code))
    if regions is None:
        return None
    data = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(
        int(calling_code), regions[0]
    )
    if data is None:
        return None
    descriptions = {kind: getattr(data, kind) for kind in _KINDS}
    if data.same_mobile_and_fixed_line_pattern:
        del descriptions["mobile"]
    kinds = [_lengths_and_pattern(description) for description in descriptions.values()]
    return _Plan(
        re.compile(data.national_prefix_for_parsing) if data.national_prefix_for_parsing else None,
        # Where it is the only region, every number of the calling code is its.
        re.compile(data.leading_digits) if data.leading_digits and len(regions) > 1 else None,
        _lengths_and_pattern(data.general_desc) or (frozenset(), re.compile("$^")),
        tuple(kind for kind in kinds if kind is not None),
    )


def _lengths_and_pattern(
    description: phonenumbers.PhoneNumberDesc | None,
) -> tuple[frozenset[int], re.Pattern[str]] | None:
    if description is None or not description.national_number_pattern:
        return None
    pattern = re.compile(description.national_number_pattern)
    return frozenset(description.possible_length), pattern


def _is_of(national: str, lengths: frozenset[int], pattern: re.Pattern[str]) -> bool:
    return (not lengths or len(national) in lengths) and pattern.fullmatch(national) is not None
