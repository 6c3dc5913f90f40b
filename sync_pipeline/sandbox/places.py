"""Countries and languages in the codes of both sides, and how mobile numbers look there.

The table is written by hand so that the world does not lean on the library that the pipeline
reads phone numbers and codes with.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A country; a mobile number is `calling`, `mobile`, then `digits` free digits."""

    alpha2: str
    alpha3: str
    calling: str
    trunk: str
    mobile: str
    digits: int


COUNTRIES = {
    country.alpha2: country
    for country in (
        Country("GB", "GBR", "44", "0", "7400", 6),
        Country("DE", "DEU", "49", "0", "1512", 7),
        Country("FR", "FRA", "33", "0", "612", 6),
        Country("GR", "GRC", "30", "", "694", 7),
        Country("CY", "CYP", "357", "", "96", 6),
        Country("US", "USA", "1", "", "201555", 4),
        Country("NO", "NOR", "47", "", "406", 5),
        Country("SE", "SWE", "46", "0", "701", 6),
        Country("ES", "ESP", "34", "", "612", 6),
        Country("IT", "ITA", "39", "", "347", 7),
        Country("IL", "ISR", "972", "0", "502", 6),
        Country("AE", "ARE", "971", "0", "501", 6),
        Country("SA", "SAU", "966", "0", "512", 6),
        Country("RU", "RUS", "7", "8", "912", 7),
        Country("UA", "UKR", "380", "0", "501", 6),
        Country("CN", "CHN", "86", "", "131", 8),
        Country("JP", "JPN", "81", "0", "901", 7),
    )
}

# ISO 639-1 to the ISO 639-2 spellings the vendor uses: terminological, then bibliographic.
LANGUAGES = {
    "en": ("ENG",),
    "de": ("DEU", "GER"),
    "fr": ("FRA", "FRE"),
    "el": ("ELL", "GRE"),
    "no": ("NOR",),
    "sv": ("SWE",),
    "es": ("SPA",),
    "it": ("ITA",),
    "he": ("HEB",),
    "ar": ("ARA",),
    "ru": ("RUS",),
    "uk": ("UKR",),
    "zh": ("ZHO", "CHI"),
    "ja": ("JPN",),
}
UNKNOWN_LANGUAGE = "QAA"
NOT_ISO_COUNTRIES = ("RKS", "ANT")
