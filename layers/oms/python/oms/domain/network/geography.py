"""Where places lie, as well as a country and the first letters of a postal code can tell.

`places.txt` is read when the first distance is asked for, one country at a time; NOTICE says whose
it is and `infra/places.py` how it is made.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import NamedTuple

LETTERS = 3  # of a postal code: more of it an order does not keep
EARTH_DIAMETER_KM = 12_742.0


class Precision(StrEnum):
    EXACT = "exact"
    POSTAL_CODE = "postal_code"
    COUNTRY = "country"


class Point(NamedTuple):
    """Degrees, north and east."""

    latitude: float
    longitude: float


class Place(NamedTuple):
    point: Point
    precision: Precision


def normal(postal_code: str) -> str:
    """As prefixes are compared: without spaces, in capitals."""
    return "".join(postal_code.split()).upper()


def place_of(country: str, postal_code: str) -> Place | None:
    """Of the postal code's first letters, else of the country; None where nothing is known."""
    known = _places(country)
    code = normal(postal_code)
    for letters in range(min(LETTERS, len(code)), 0, -1):
        if point := known.get(code[:letters]):
            return Place(point, Precision.POSTAL_CODE)
    return Place(known[""], Precision.COUNTRY) if known else None


def distance_km(one: Point, other: Point) -> float:
    """Along a great circle."""
    north, south = radians(one.latitude), radians(other.latitude)
    apart = radians(other.longitude - one.longitude)
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(apart / 2) ** 2
    return EARTH_DIAMETER_KM * asin(min(1.0, sqrt(half)))


@cache
def _places(country: str) -> dict[str, Point]:
    """By prefix; the country's own has none."""
    head, _, rest = _lines().get(country, "").partition("\t")
    if not head:
        return {}
    rows = (row.split(" ") for row in rest.split("\t") if row)
    return {"": _read(*head.split(" "))} | {p: _read(north, east) for p, north, east in rows}


@cache
def _lines() -> dict[str, str]:
    text = Path(__file__).with_name("places.txt").read_text(encoding="ascii")
    return {line[:2]: line[3:] for line in text.splitlines()}


def _read(north: str, east: str) -> Point:
    """Hundredths of degrees."""
    return Point(int(north) / 100, int(east) / 100)
