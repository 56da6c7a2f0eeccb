"""The network as one order sees it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from oms.domain.inventory import Level
from oms.domain.lines import Part
from oms.domain.locations import Location, LocationKind
from oms.domain.network.rates import Card, Charge, Load, Tables, Transit, Zone
from oms.domain.routing import Destination
from oms.domain.routing.snapshot import LocationFacts, OrderFacts, Wanted
from oms.domain.routing.surveying import NOT_ASSIGNED, Surroundings, survey, to_store

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BERLIN = Location("berlin", "Berlin", LocationKind.WAREHOUSE, "DE", "", "10115", 500, 20)
PARIS = Location("paris", "Paris", LocationKind.STORE, "FR", "", "75001", 400, 30, pickup=True)
MUGS = Wanted("line_1", "MUG", 3)
ORDER = OrderFacts("ord_1", "web", "EUR", 3_000, Destination("DE", "", "101"), "standard", (MUGS,))
LEVELS = {
    "MUG": (Level("MUG", "berlin", 10, 8, 2), Level("MUG", "paris", 5, 5, 0)),
    "LID": (Level("LID", "berlin", 4, 4, 0),),
}
AROUND = Surroundings((BERLIN, PARIS), Tables(), LEVELS)


def seen(
    location_id: str, around: Surroundings = AROUND, order: OrderFacts = ORDER
) -> LocationFacts:
    return survey(order, around, {}, AT).location(location_id)


def test_an_order_may_take_what_is_available_not_what_is_reserved() -> None:
    assert seen("berlin").available == (("MUG", 8),)


def test_safety_stock_is_not_offered() -> None:
    around = replace(AROUND, floors={("MUG", "berlin"): 5, ("MUG", "paris"): 9})

    assert seen("berlin", around).available == (("MUG", 3),)
    assert seen("paris", around).available == (("MUG", 0),)


def test_what_its_own_cart_holds_is_offered_to_the_order_even_below_safety_stock() -> None:
    around = replace(AROUND, floors={("MUG", "paris"): 9}, own={("MUG", "paris"): 2})

    assert seen("paris", around).available == (("MUG", 2),)


def test_what_is_not_released_yet_lies_there_for_nobody() -> None:
    around = replace(AROUND, held_back=frozenset({"MUG"}))

    assert {each.available for each in survey(ORDER, around, {}, AT).locations} == {(("MUG", 0),)}


def test_the_parts_of_a_kit_are_what_counts() -> None:
    kit = Wanted("line_1", "SET", 1, (Part("MUG", 2), Part("LID", 1)))

    assert seen("berlin", order=replace(ORDER, wanted=(kit,))).available == (("LID", 4), ("MUG", 8))


def test_a_location_that_the_channel_does_not_sell_from_is_refused_by_that_name() -> None:
    around = replace(AROUND, assigned=frozenset({"berlin"}))

    assert seen("paris", around).refused == NOT_ASSIGNED
    assert not seen("berlin", around).refused


def test_who_rejected_the_order_is_refused_with_its_own_words() -> None:
    found = survey(ORDER, AROUND, {"paris": "rejected: shelf is empty"}, AT)

    assert found.location("paris").refused == "rejected: shelf is empty"


def test_capacity_is_that_of_the_day_on_which_it_would_ship() -> None:
    limited = replace(BERLIN, daily_capacity=10)
    around = replace(
        AROUND,
        locations=(limited,),
        left={("berlin", date(2026, 11, 23)): 0, ("berlin", date(2026, 11, 24)): 4},
    )

    found = seen("berlin", around)

    assert (found.ship_on, found.capacity) == (date(2026, 11, 24), 4)


def test_a_carrier_s_card_says_what_it_costs_and_when_it_arrives() -> None:
    card = Card(
        "dhl",
        3,
        5_000,
        (Zone("home", "DE", from_country="DE"),),
        (Charge("standard", "home", "EUR", 490, 100),),
        (Transit("standard", "home", 1, 2),),
    )
    around = replace(AROUND, tables=Tables([card]), loads={"MUG": Load(1, 400)})

    berlin, paris = seen("berlin", around), seen("paris", around)

    assert berlin.deliver_by is not None
    assert berlin.fixed_cost + 3 * berlin.unit_costs[0] == 500 + 3 * 20 + 490 + 20
    assert paris.unreachable == "no_zone"


def test_what_is_collected_elsewhere_travels_to_that_store() -> None:
    pickup = replace(ORDER, pickup_location="paris")

    brought = to_store(survey(pickup, AROUND, {}, AT), PARIS)

    assert (brought.destination.country, brought.pickup_location) == ("FR", "")


def test_a_closed_location_is_seen_as_closed() -> None:
    around = replace(AROUND, locations=(replace(BERLIN, active=False),))

    assert seen("berlin", around).closed == "inactive"


def test_how_long_stock_lasts_is_known_where_somebody_says_what_sells() -> None:
    around = replace(AROUND, daily_sales={"MUG": 3})

    assert seen("berlin", around).cover_days == (("MUG", 2),)
    assert seen("berlin").cover_days == ()


def test_the_day_on_which_it_would_ship_is_one_that_has_room_for_all_it_could_ship() -> None:
    limited = replace(BERLIN, daily_capacity=10)
    left = {("berlin", date(2026, 11, 23)): 1, ("berlin", date(2026, 11, 24)): 4}
    around = replace(AROUND, locations=(limited,), left=left)

    found = seen("berlin", around)

    assert (found.ship_on, found.capacity) == (date(2026, 11, 24), 4)


def test_where_no_day_has_room_for_all_it_ships_what_it_can_of_it() -> None:
    limited = replace(BERLIN, daily_capacity=2)
    days = [date(2026, 11, 23) + timedelta(days=number) for number in range(70)]
    around = replace(AROUND, locations=(limited,), left={("berlin", day): 1 for day in days})

    found = seen("berlin", around)

    assert (found.ship_on, found.capacity) == (date(2026, 11, 23), 1)
