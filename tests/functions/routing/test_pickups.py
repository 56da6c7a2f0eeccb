"""Where what the customer collects is taken from: the store itself, else whoever can bring it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from oms.adapters.routing.sourcing import decided
from oms.domain.inventory import Level
from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import Outage
from oms.domain.network.rates import Card, Charge, Load, Tables, Transit, Zone
from oms.domain.routing import Decision, Destination
from oms.domain.routing.rules import RuleSet
from oms.domain.routing.snapshot import OrderFacts, Wanted
from oms.domain.routing.surveying import Surroundings

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SHOP = Location("shop", "Shop", LocationKind.STORE, "DE", "", "10115", 100, 0, pickup=True)
DEPOT = Location("depot", "Depot", LocationKind.WAREHOUSE, "DE", "", "20095", 500, 20)
NOBODY_KNOWS = Destination("", "", "")  # who collects need not say where they live
ORDER = OrderFacts(
    "ord_1", "web", "EUR", 3_000, NOBODY_KNOWS, "collect", (Wanted("line_1", "MUG", 2),),
    pickup_location="shop",
)  # fmt: skip
RULES = RuleSet("tried", 1)
CARD = Card(
    "dhl",
    1,
    5_000,
    (Zone("home", "DE"),),
    (Charge("standard", "home", "EUR", 490, 100, max_g=2_000),),
    (Transit("standard", "home", 1, 2),),
)


def routed(
    shop_has: int,
    depot_has: int,
    *,
    shop: Location = SHOP,
    cards: tuple[Card, ...] = (),
    grams: int = 400,
    order: OrderFacts = ORDER,
    rules: RuleSet = RULES,
) -> Decision:
    levels = {
        "MUG": tuple(
            Level("MUG", each, units, units, 0)
            for each, units in (("shop", shop_has), ("depot", depot_has))
        )
    }
    loads = {"MUG": Load(1, grams)}
    around = Surroundings((DEPOT, shop), Tables(cards), levels, loads=loads)
    return decided(order, around, {}, rules, AT)[1]


def taken(decision: Decision) -> dict[str, int]:
    return {each.location_id: sum(p.quantity for p in each.lines) for each in decision.plan}


def test_what_the_store_has_is_collected_there_and_the_rest_is_brought() -> None:
    assert taken(routed(5, 5)) == {"shop": 2}
    assert taken(routed(0, 5)) == {"depot": 2}
    assert taken(routed(1, 1)) == {"shop": 1, "depot": 1}


def test_what_may_wait_is_brought_rather_than_waited_for() -> None:
    decision = routed(1, 5, order=replace(ORDER, allow_partial=True))

    assert sum(taken(decision).values()) == 2
    assert not decision.backordered


def test_what_nobody_can_bring_whole_is_collected_in_part_where_that_may_be() -> None:
    decision = routed(1, 0, order=replace(ORDER, allow_partial=True))

    assert (taken(decision), decision.backordered) == ({"shop": 1}, (("line_1", 1),))


@pytest.mark.parametrize(
    "shop",
    [
        replace(SHOP, active=False),
        replace(SHOP, pickup=False),
        replace(SHOP, outages=(Outage("out_1", AT, None, "flood"),)),
    ],
)
def test_nothing_is_brought_to_a_store_where_nobody_could_collect_it(shop: Location) -> None:
    assert not routed(0, 5, shop=shop).plan
    assert not routed(5, 5, shop=shop).plan


def test_what_is_collected_needs_no_carrier() -> None:
    """Nor a method of the store's, an address, or a parcel that is light enough."""
    shop = replace(SHOP, methods=("standard",))

    decision = routed(5, 0, shop=shop, cards=(CARD,), grams=90_000)

    assert (taken(decision), decision.cost) == ({"shop": 2}, 100)


def test_what_is_brought_goes_by_any_method_of_a_carrier() -> None:
    depot = routed(0, 5, cards=(CARD,))

    assert taken(depot) == {"depot": 2}
    assert depot.plan[0].deliver_by == date(2026, 11, 25)


def test_what_lies_in_the_store_keeps_a_promise_on_the_day_it_is_made_ready() -> None:
    order = replace(ORDER, deliver_by=AT.date())

    assert taken(routed(5, 5, order=order, rules=replace(RULES, hard_promise=True))) == {"shop": 2}
