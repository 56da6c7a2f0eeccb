"""Days as they are written in the languages that customers are written to in."""

from __future__ import annotations

from datetime import date

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio "
    "agosto septiembre octubre noviembre diciembre",
    "pt": "janeiro fevereiro março abril maio junho julho "
    "agosto setembro outubro novembro dezembro",
}
DAYS = {
    "en": "{day} {month} {year}",
    "fr": "{day} {month} {year}",
    "de": "{day}. {month} {year}",
    "es": "{day} de {month} de {year}",
    "pt": "{day} de {month} de {year}",
}


def written_day(day: date, language: str) -> str:
    month = MONTHS[language].split()[day.month - 1]
    return DAYS[language].format(day=day.day, month=month, year=day.year)
