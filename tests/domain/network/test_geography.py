from __future__ import annotations

import pytest

from oms.domain.countries import COUNTRIES
from oms.domain.locations import Location, LocationKind
from oms.domain.network.geography import LETTERS, Point, Precision, distance_km, place_of
from oms.domain.network.geography import _lines as lines

BERLIN, MANHATTAN = Point(52.52, 13.40), Point(40.75, -73.99)


@pytest.mark.parametrize(
    ("country", "code", "place", "km"),
    [
        ("DE", "10115", BERLIN, 30),
        ("DE", "101", BERLIN, 30),
        ("FR", "69001", Point(45.76, 4.84), 30),
        ("US", "10001", MANHATTAN, 10),
        ("US", "787", Point(30.27, -97.74), 40),
        ("GB", "SW1A 1AA", Point(51.50, -0.14), 20),
        ("NL", "1012 AB", Point(52.37, 4.90), 20),
        ("CA", "m5v 2t6", Point(43.64, -79.39), 20),
        ("AU", "2000", Point(-33.87, 151.21), 30),
        ("PL", "00-001", Point(52.23, 21.01), 30),
    ],
)
def test_the_first_letters_of_a_postal_code_lie_where_the_place_does(
    country: str, code: str, place: Point, km: int
) -> None:
    found = place_of(country, code)

    assert found is not None
    assert found.precision == Precision.POSTAL_CODE
    assert distance_km(found.point, place) < km


def test_what_no_postal_code_tells_lies_where_its_country_does() -> None:
    found = place_of("SG", "018956")

    assert found is not None
    assert found.precision == Precision.COUNTRY
    assert distance_km(found.point, Point(1.35, 103.82)) < 20


def test_a_country_that_nobody_knows_lies_nowhere() -> None:
    assert place_of("XX", "100") is None
    assert place_of("AQ", "") is None


def test_a_location_lies_where_it_is_said_to_lie() -> None:
    here = Location("A", "A", LocationKind.STORE, "US", postal_code="100")
    said = Location("A", "A", LocationKind.STORE, "US", latitude=30.0, longitude=-97.0)

    assert here.place == place_of("US", "100")
    assert said.place is not None
    assert said.place == (Point(30.0, -97.0), Precision.EXACT)


def test_distances_are_those_of_a_globe() -> None:
    assert distance_km(BERLIN, BERLIN) == 0
    assert distance_km(BERLIN, MANHATTAN) == pytest.approx(6_385, rel=0.01)
    assert distance_km(MANHATTAN, BERLIN) == distance_km(BERLIN, MANHATTAN)
    assert distance_km(Point(0, 179), Point(0, -179)) == pytest.approx(222, rel=0.01)


def test_every_country_of_the_table_is_one_and_every_place_is_on_the_globe() -> None:
    assert lines().keys() <= COUNTRIES
    assert len(lines()) > 200
    for country, line in lines().items():
        for row in line.split("\t")[1:]:
            prefix, north, east = row.split(" ")
            assert 1 <= len(prefix) <= LETTERS, country
            assert abs(int(north)) <= 9_000
            assert abs(int(east)) <= 18_000
