"""The public holidays of countries and their parts, by the `holidays` package.

It is imported when it is asked: a location is saved seldom, an order is routed often.
"""

from __future__ import annotations

from datetime import date
from functools import cache

YEARS = 3  # the one of the change, and the two after it


class NoHolidays(ValueError):
    """Nobody knows the holidays of this country or this part of it."""


@cache
def public_days(place: str, year: int) -> tuple[date, ...]:
    """Of a country (`DE`) or a part of it (`DE-BY`), from this year on."""
    import holidays

    country, _, part = place.partition("-")
    years = range(year, year + YEARS)
    try:
        found = holidays.country_holidays(country, subdiv=part or None, years=years)
    except NotImplementedError:
        raise NoHolidays(place) from None
    return tuple(sorted(found))
