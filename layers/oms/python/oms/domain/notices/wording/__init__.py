"""The words of what customers are told, by language. They may name variables, as templates do."""

from __future__ import annotations

from collections.abc import Mapping

from oms.domain.currencies import amount_text
from oms.domain.notices.wording import de, en, es, fr, pt

DEFAULT = "en"
TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": en.TEXTS,
    "fr": fr.TEXTS,
    "de": de.TEXTS,
    "es": es.TEXTS,
    "pt": pt.TEXTS,
}
NARROW_SPACE = "\u202f"
# What stands for the comma and the point of an English number.
NUMBERS = {
    "fr": str.maketrans(",.", f"{NARROW_SPACE},"),
    "de": str.maketrans(",.", ".,"),
    "es": str.maketrans(",.", ".,"),
    "pt": str.maketrans(",.", ".,"),
}
# Countries in which most read one of the languages; everybody else is written to in English,
# or in what the shop's policy says.
COUNTRIES = {
    "fr": "FR MC",
    "de": "DE AT LI CH",
    "es": "ES MX AR CO CL PE UY PY EC BO VE CR PA GT HN SV NI DO CU PR",
    "pt": "PT BR AO MZ CV",
}
BY_COUNTRY = {code: tag for tag, codes in COUNTRIES.items() for code in codes.split()}


def language_of(locale: str) -> str:
    """The language of a locale that there are words in."""
    tag = locale.partition("-")[0].lower()
    return tag if tag in TEXTS else DEFAULT


def written_number(number: int, language: str) -> str:
    return f"{number:,}".translate(NUMBERS.get(language, {}))


def written_amount(amount: int, currency: str, language: str) -> str:
    """Minor units."""
    return amount_text(amount, currency).translate(NUMBERS.get(language, {}))
