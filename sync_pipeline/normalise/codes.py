"""Codes of the world's standards: languages and countries. All cached."""

from __future__ import annotations

from functools import cache, lru_cache

import pycountry


@lru_cache(maxsize=4096)
def language(code: str) -> str | None:
    """Return the ISO 639-1 code for one of two or three letters (either 639-2 form)."""
    return _languages().get(code.strip().lower())


@lru_cache(maxsize=4096)
def country(code: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code for an alpha-2 or alpha-3 code in force."""
    return _countries().get(code.strip().upper())


@lru_cache(maxsize=4096)
def three_letters(language: str) -> str | None:
    """Return the ISO 639-2 code, in upper case, for one of ISO 639-1."""
    entry = pycountry.languages.get(alpha_2=language)
    return None if entry is None else str(entry.alpha_3).upper()


@lru_cache(maxsize=4096)
def country_alpha3(country: str) -> str | None:
    """Return the ISO 3166-1 alpha-3 code for an alpha-2 code."""
    entry = pycountry.countries.get(alpha_2=country)
    return None if entry is None else str(entry.alpha_3)


@cache
def _languages() -> dict[str, str]:
    spellings = {}
    for entry in pycountry.languages:
        two = getattr(entry, "alpha_2", None)
        if two:
            known = (two, entry.alpha_3, getattr(entry, "bibliographic", entry.alpha_3))
            spellings.update(dict.fromkeys(known, two))
    return spellings


@cache
def _countries() -> dict[str, str]:
    return {
        spelling: entry.alpha_2
        for entry in pycountry.countries
        for spelling in (entry.alpha_2, entry.alpha_3)
    }
