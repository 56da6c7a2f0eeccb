from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from uuid import uuid4

import pytest

from oms.adapters.capacity_slots import CapacitySlots, NotTaken
from oms.adapters.dynamodb import DynamoDB, transact
from oms.domain.errors import Contended
from oms.domain.locations import Location, LocationKind
from oms.domain.network.capacity import CapacityChange, CapacityFull, Overbooked
from tests.tables import create_table

pytestmark = pytest.mark.cloud

FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 11, 30)
LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR", daily_capacity=50)
PARIS = Location("PARIS", "Paris", LocationKind.STORE, "FR")
LIMITS = {"LYON": 50, "PARIS": None, "ATTIC": 0}


class Shelf:
    def __init__(self, client: DynamoDB, name: str) -> None:
        self.slots = CapacitySlots(client, name)
        self._client = client

    def do(self, *changes: CapacityChange, limits: dict[str, int | None] | None = None) -> None:
        transact(self._client, self.slots.writes(changes, LIMITS if limits is None else limits))

    def used(self, location_id: str = "LYON", day: date = FRIDAY) -> int:
        return self.slots.used([location_id], [day])[location_id, day]


@pytest.fixture
def shelf(dynamodb: DynamoDB) -> Shelf:
    return Shelf(dynamodb, create_table(dynamodb, "stock", f"stock-{uuid4()}"))


def take(units: int, location_id: str = "LYON", day: date = FRIDAY) -> CapacityChange:
    return CapacityChange(location_id, day, units)


def test_a_day_gives_what_it_has_and_not_one_unit_more(shelf: Shelf) -> None:
    shelf.do(take(49))

    with pytest.raises(CapacityFull) as full:
        shelf.do(take(2))
    shelf.do(take(1))

    assert full.value.days == (Overbooked("LYON", FRIDAY, 2, 1),)
    assert shelf.used() == 50


def test_more_than_a_whole_day_is_refused_on_an_untouched_day(shelf: Shelf) -> None:
    with pytest.raises(CapacityFull):
        shelf.do(take(51))
    with pytest.raises(CapacityFull):
        shelf.do(take(1, "ATTIC"))

    assert shelf.used() == 0


def test_every_full_day_is_named_and_nothing_is_taken(shelf: Shelf) -> None:
    with pytest.raises(CapacityFull) as full:
        shelf.do(take(51), take(10, day=MONDAY), take(60, "ATTIC"))

    assert [(day.location_id, day.left) for day in full.value.days] == [("ATTIC", 0), ("LYON", 50)]
    assert shelf.used(day=MONDAY) == 0


def test_changes_of_one_day_are_one_write(shelf: Shelf) -> None:
    shelf.do(take(20), take(-5), take(10))

    assert shelf.used() == 25


def test_what_is_given_back_can_be_taken_again(shelf: Shelf) -> None:
    shelf.do(take(50))
    shelf.do(take(30).given_back())
    shelf.do(take(30))

    assert shelf.used() == 50


def test_nothing_is_given_back_that_was_not_taken(shelf: Shelf) -> None:
    shelf.do(take(3))

    with pytest.raises(NotTaken):
        shelf.do(take(4).given_back())
    assert shelf.used() == 3


def test_what_was_taken_goes_back_after_the_limit_is_gone_or_cut(shelf: Shelf) -> None:
    shelf.do(take(10))
    shelf.do(take(4).given_back(), limits={"LYON": None})
    shelf.do(take(4).given_back(), limits={"LYON": 1})

    assert shelf.used() == 2


def test_a_location_without_a_limit_counts_nothing(shelf: Shelf) -> None:
    assert shelf.slots.writes([take(1_000, "PARIS")], LIMITS) == []


def test_what_is_left_is_told_of_locations_with_a_limit(shelf: Shelf) -> None:
    shelf.do(take(30))

    assert shelf.slots.left([LYON, PARIS], [FRIDAY, MONDAY]) == {
        ("LYON", FRIDAY): 20,
        ("LYON", MONDAY): 50,
    }


@pytest.mark.slow
def test_two_hundred_who_want_fifty_units_at_once_take_fifty(shelf: Shelf) -> None:
    def one(number: int) -> bool:
        try:
            shelf.do(take(1))
        except CapacityFull:
            return False
        except Contended:
            return one(number)
        return True

    with ThreadPoolExecutor(32) as threads:
        taken = sum(threads.map(one, range(200)))

    assert taken == 50
    assert shelf.used() == 50
