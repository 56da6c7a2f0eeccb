from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import Calendar, CutOff, Opening, Outage
from oms.domain.network.quoting import NoQuote, Quote, Reason, quote
from oms.domain.network.rates import NO_TABLES, Card, Charge, Load, Tables, Transit, Zone
from oms.domain.routing import Destination

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORKWEEK = tuple(Opening(weekday, 9 * 60, 17 * 60) for weekday in range(5))
AUSTIN = Location(
    "AUSTIN", "Austin", LocationKind.WAREHOUSE, "US", "TX", "78701", fixed_cost=150, unit_cost=20,
    calendar=Calendar("America/Chicago", WORKWEEK),
)  # fmt: skip
LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR", postal_code="69001")
NEW_YORK = Destination("US", "NY", "100")
MUG = Load(1, weight_g=400)


def zone(name: str, country: str = "US", prefix: str = "", **more: object) -> Zone:
    return replace(Zone(name, country, prefix), **more)  # type: ignore[arg-type]


def card(*zones: Zone, carrier: str = "ups", version: int = 3, **more: object) -> Card:
    charges = tuple(
        Charge("standard", name, "USD", 500, 100) for name in dict.fromkeys(z.zone for z in zones)
    )
    found = Card(carrier, version, zones=zones, charges=charges)
    return replace(found, **more)  # type: ignore[arg-type]


def quoted(
    *cards: Card,
    location: Location = AUSTIN,
    loads: tuple[Load, ...] = (MUG,),
    method: str = "standard",
) -> Quote:
    found = quote(location, NEW_YORK, method, loads, Tables(cards), MONDAY)
    assert isinstance(found, Quote)
    return found


def refused(
    *cards: Card,
    location: Location = AUSTIN,
    loads: tuple[Load, ...] = (MUG,),
    method: str = "standard",
) -> Reason:
    found = quote(location, NEW_YORK, method, loads, Tables(cards), MONDAY)
    assert isinstance(found, NoQuote)
    return found.reason


def test_without_cards_a_shipment_costs_what_the_location_asks_and_has_no_arrival() -> None:
    found = quote(AUSTIN, NEW_YORK, "standard", (MUG, Load(3)), NO_TABLES, MONDAY)

    assert isinstance(found, Quote)
    assert (found.fixed_cost, found.unit_costs) == (150, (20, 20))
    assert (found.carrier, found.ship_on, found.deliver_by) == ("", date(2026, 11, 23), None)
    assert found.distance_km is not None
    assert 2_300 < found.distance_km < 2_600


def test_without_cards_a_border_costs_a_surcharge() -> None:
    found = quote(LYON, NEW_YORK, "standard", (MUG,), NO_TABLES, MONDAY)

    assert isinstance(found, Quote)
    assert found.fixed_cost == 1_500


def test_a_light_shipment_pays_the_first_kilogram_and_nothing_more() -> None:
    found = quoted(card(zone("far")))

    assert (found.fixed_cost, found.unit_costs) == (150 + 500, (20,))
    assert (found.carrier, found.version, found.zone) == ("ups", 3, "far")


def test_a_heavy_shipment_spreads_what_is_further_over_its_units_by_weight() -> None:
    loads = (Load(2, 3_000), Load(1, 1_000))

    found = quoted(card(zone("far")), loads=loads)

    assert found.unit_costs == (20 + 300, 20 + 100)
    assert found.cost(loads) == 150 + 3 * 20 + 500 + 6 * 100


def test_a_light_but_large_unit_is_paid_for_its_size() -> None:
    pillow = Load(1, 500, 600, 500, 200)  # 60,000 cm3 are 12 kg

    assert quoted(card(zone("far")), loads=(pillow,)).cost((pillow,)) == 170 + 500 + 11 * 100
    by_weight = card(zone("far"), cm3_per_kg=0)
    assert quoted(by_weight, loads=(pillow,)).cost((pillow,)) == 170 + 500


def test_what_one_parcel_cannot_carry_goes_in_several() -> None:
    limited = replace(card(zone("far")).charges[0], max_g=10_000)
    loads = (Load(4, 6_000),)

    assert quoted(card(zone("far"), charges=(limited,)), loads=loads).cost(loads) == (
        150 + 4 * 20 + 3 * 500 + 21 * 100
    )
    assert refused(card(zone("far"), charges=(limited,)), loads=(Load(1, 10_001),)) == (
        Reason.TOO_HEAVY
    )


def test_the_longest_prefix_wins_then_the_narrowest_origin() -> None:
    zones = [
        zone("country"),
        zone("from us", from_country="US"),
        zone("from texas", from_country="US", from_prefix="78"),
        zone("from here", from_location="AUSTIN"),
        zone("city", prefix="10"),
        zone("from france", prefix="100", from_country="FR"),
    ]

    assert [quoted(card(*zones[: n + 1])).zone for n in range(len(zones))] == [
        "country", "from us", "from texas", "from here", "city", "city",
    ]  # fmt: skip


def test_a_band_holds_from_its_first_kilometre_up_to_the_next_band() -> None:
    km = quoted(card(zone("any"))).distance_km
    assert km is not None

    banded = card(
        zone("near", max_km=km), zone("here", min_km=km, max_km=km + 1), zone("far", min_km=km + 1)
    )

    assert quoted(banded).zone == "here"


def test_a_location_that_lies_nowhere_is_in_no_band() -> None:
    nowhere = replace(AUSTIN, country="AQ", postal_code="")

    assert refused(card(zone("near", min_km=0)), location=nowhere) == Reason.NO_ZONE


def test_given_coordinates_win_over_the_postal_code() -> None:
    moved = replace(AUSTIN, latitude=40.75, longitude=-73.99)

    assert quoted(card(zone("far")), location=moved).distance_km in range(5)


def test_it_says_why_nothing_can_be_shipped() -> None:
    fire = replace(AUSTIN, outages=(Outage("out_1", MONDAY),))

    assert refused(card(zone("paris", "FR"))) == Reason.NO_ZONE
    assert refused(card(zone("far")), method="express") == Reason.NO_RATE
    assert refused(card(zone("far")), location=replace(AUSTIN, methods=("express",))) == (
        Reason.METHOD_NOT_OFFERED
    )
    assert refused(card(zone("far")), location=fire) == Reason.NO_SHIP_DAY
    assert refused(location=fire) == Reason.NO_SHIP_DAY


def test_the_cheapest_carrier_is_asked_and_of_two_alike_the_faster() -> None:
    dear = card(zone("far"), carrier="a", charges=(Charge("standard", "far", "USD", 501),))
    slow = card(zone("far"), carrier="b", transits=(Transit("standard", "far", 2, 5),))
    fast = card(zone("far"), carrier="c", transits=(Transit("standard", "far", 1, 2),))

    assert quoted(dear, slow, fast).carrier == "c"
    assert quoted(dear, slow).carrier == "b"


def test_arrival_is_counted_from_the_ship_day_in_days_of_delivery() -> None:
    late = replace(
        AUSTIN, calendar=replace(AUSTIN.calendar, cut_offs=(CutOff("standard", 5 * 60),))
    )
    known = card(zone("far"), transits=(Transit("standard", "far", 1, 4),))

    found = quoted(known, location=late)

    assert (found.ship_on, found.ship_by) == (
        date(2026, 11, 24),
        datetime(2026, 11, 24, 23, tzinfo=UTC),
    )
    assert (found.deliver_from, found.deliver_by) == (date(2026, 11, 25), date(2026, 11, 30))


def test_without_a_method_the_cheapest_that_the_location_offers_is_taken() -> None:
    charges = tuple(Charge(method, "far", "USD", base) for method, base in
                    [("express", 900), ("standard", 500), ("saver", 300)])  # fmt: skip
    offers = replace(AUSTIN, methods=("standard", "express"))

    assert quoted(card(zone("far"), charges=charges), method="").method == "saver"
    found = quoted(card(zone("far"), charges=charges), method="", location=offers)
    assert found.method == "standard"


def test_the_tables_version_names_that_of_every_carrier() -> None:
    home = zone("home")
    tables = Tables([card(home, carrier="ups", version=12), card(home, carrier="dhl", version=3)])

    assert tables.version == "dhl:3 ups:12"
    assert NO_TABLES.version == ""


GRAMS = st.sampled_from([3, 10, 13]) | st.integers(0, 40_000)


@given(
    st.lists(
        st.tuples(st.sampled_from([1, 2, 5, 900]), GRAMS).map(lambda load: Load(*load)),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 2_000),
    st.integers(0, 500),
    st.integers(1, 5_000),
)
def test_costs_that_add_up_are_together_what_the_carrier_asks(
    loads: list[Load], base: int, per_kg: int, first_g: int
) -> None:
    charge = Charge("standard", "far", "USD", base, per_kg, first_g)
    free = replace(AUSTIN, fixed_cost=0, unit_cost=0)

    found = quoted(card(zone("far"), charges=(charge,)), location=free, loads=tuple(loads))

    further = max(0, sum(load.quantity * load.weight_g for load in loads) - first_g)
    asked = base + per_kg * further / 1_000
    credited = max(0, per_kg * first_g / 1_000 - base) if further else 0
    assert -0.501 <= found.cost(loads) - asked <= 0.501 + credited


def test_a_card_closes_nothing_before_it_has_charges() -> None:
    """Its tables are imported one after the other; and a card cannot be removed, but emptied."""
    begun = card(zone("east"), charges=())

    assert quoted(begun, method="express").carrier == ""
    assert quoted(begun, card(zone("all"), carrier="dhl")).carrier == "dhl"
    assert Tables([begun]).version == ""


@pytest.mark.parametrize("code", ["100", "1 00", "10012", " 100"])
def test_a_postal_code_is_matched_by_its_first_letters_without_its_spaces(code: str) -> None:
    tables = Tables([card(zone("city", prefix="100"))])

    found = quote(AUSTIN, Destination("US", "", code), "standard", [MUG], tables, MONDAY)

    assert isinstance(found, Quote)
