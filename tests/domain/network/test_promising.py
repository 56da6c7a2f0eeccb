from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import Outage
from oms.domain.network.promising import Asked, Promise, promises
from oms.domain.network.rates import NO_TABLES, Card, Charge, Load, Tables, Transit, Zone
from oms.domain.routing import Destination

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)
HERE = Destination("US", "NY", "100")
NEWARK = Location("NEWARK", "Newark", LocationKind.WAREHOUSE, "US", fixed_cost=100, unit_cost=10)
RENO = Location("RENO", "Reno", LocationKind.WAREHOUSE, "US", fixed_cost=50, unit_cost=10)
CARD = Card(
    "ups",
    1,
    zones=(Zone("near", "US", from_location="NEWARK"), Zone("far", "US")),
    charges=(
        Charge("express", "near", "USD", 900),
        Charge("standard", "near", "USD", 300),
        Charge("standard", "far", "USD", 400),
    ),
    transits=(
        Transit("express", "near", 0, 1),
        Transit("standard", "near", 1, 2),
        Transit("standard", "far", 2, 4),
    ),
)
TABLES = Tables([CARD])


def asked(quantity: int = 1, **available: int) -> Asked:
    return Asked(Load(quantity), available)


def promised(
    *wanted: Asked,
    tables: Tables = TABLES,
    locations: tuple[Location, ...] = (NEWARK, RENO),
    left: dict[tuple[str, date], int] | None = None,
) -> dict[str, Promise]:
    found = promises(HERE, wanted, locations, tables, MONDAY, left)
    return {promise.method: replace(promise, legs=()) for promise in found}


def test_each_method_has_a_day_and_a_cost_of_its_own() -> None:
    found = promised(asked(NEWARK=5))

    assert found == {
        "express": Promise("express", MIDNIGHT, date(2026, 11, 24), 1_010, ("NEWARK",)),
        "standard": Promise("standard", MIDNIGHT, date(2026, 11, 25), 410, ("NEWARK",)),
    }


def test_a_method_that_reaches_nobody_who_has_the_goods_is_not_promised() -> None:
    assert promised(asked(RENO=5)).keys() == {"standard"}
    assert promised(asked(2, RENO=1)) == {}
    assert promised() == {}


def test_the_soonest_location_is_promised_though_another_is_cheaper() -> None:
    assert promised(asked(NEWARK=1, RENO=1))["standard"].location_ids == ("NEWARK",)


def test_one_shipment_is_promised_before_two_and_two_before_nothing() -> None:
    mug, cup = asked(NEWARK=1, RENO=1), asked(2, RENO=2)

    together = promised(mug, cup)["standard"]
    apart = promised(asked(NEWARK=1), cup)["standard"]

    assert together.location_ids == ("RENO",)
    assert together.cost == 50 + 400 + 3 * 10
    both, cost = ("NEWARK", "RENO"), (100 + 300 + 10) + (50 + 400 + 20)
    assert apart == Promise("standard", MIDNIGHT, date(2026, 11, 27), cost, both)


def test_a_closed_location_promises_nothing() -> None:
    burnt = replace(NEWARK, outages=(Outage("out_1", MONDAY),))

    assert promised(asked(NEWARK=1), locations=(replace(NEWARK, active=False), RENO)) == {}
    assert promised(asked(NEWARK=1), locations=(burnt, RENO)) == {}


def test_a_day_without_room_for_all_units_is_not_promised() -> None:
    left = {("NEWARK", TODAY): 2, ("NEWARK", date(2026, 11, 24)): 9}

    assert promised(asked(2, NEWARK=9), left=left)["standard"].ship_by == MIDNIGHT
    assert promised(asked(3, NEWARK=9), left=left)["standard"].deliver_by == date(2026, 11, 26)


def test_without_cards_there_is_a_promise_to_ship_and_none_to_arrive() -> None:
    found = promised(asked(NEWARK=1), tables=NO_TABLES)

    assert found == {"standard": Promise("standard", MIDNIGHT, None, 110, ("NEWARK",))}


def test_without_cards_the_methods_are_those_that_locations_name() -> None:
    locations = (replace(NEWARK, methods=("courier",)), RENO)

    assert promised(asked(RENO=1), tables=NO_TABLES, locations=locations).keys() == {"courier"}
