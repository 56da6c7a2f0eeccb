"""Where a cart's units are kept."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.cart_stock import NotEnough, Shelf, chosen, shelves
from oms.domain.inventory import Level
from oms.domain.lines import Part
from oms.domain.locations import Location, LocationKind
from oms.domain.stock_holds import HeldLine

SET = HeldLine("SET", 2, (Part("CUP", 2), Part("POT")))


def place(name: str, country: str = "US", cost: int = 0, postal_code: str = "") -> Location:
    return Location(
        name, name, LocationKind.WAREHOUSE, country, postal_code=postal_code, fixed_cost=cost
    )


def shelf(name: str, country: str = "US", cost: int = 0, **units: int) -> Shelf:
    return Shelf(place(name, country, cost), units)


def cart(**units: int) -> list[HeldLine]:
    return [HeldLine(sku, quantity) for sku, quantity in units.items()]


def test_one_place_that_has_it_all_is_preferred_to_two_cheaper_ones() -> None:
    found = chosen(
        cart(A=1, B=1),
        [shelf("X", cost=1, A=5), shelf("Y", cost=1, B=5), shelf("Z", cost=9, A=1, B=1)],
    )

    assert found == {("A", "Z"): 1, ("B", "Z"): 1}


def test_where_nobody_has_it_all_two_places_are_found_that_a_greedy_walk_misses() -> None:
    """Who has most of it is not one of the two."""
    most = shelf("MOST", A=1, B=1, C=1, D=0)
    left, right = shelf("LEFT", A=1, B=1), shelf("RIGHT", C=1, D=1)

    found = chosen(cart(A=1, B=1, C=1, D=1), [most, left, right])

    assert len({location for _, location in found}) == 2


def test_a_cart_is_served_in_its_own_country_then_near_then_cheaply() -> None:
    units = {"A": 1}
    far = Shelf(place("RENO", postal_code="89501"), units)
    near = Shelf(place("AUSTIN", postal_code="73301", cost=500), units)
    abroad = Shelf(place("LYON", "FR"), units)

    assert chosen(cart(A=1), [abroad, far, near], "US", "78701") == {("A", "AUSTIN"): 1}
    assert chosen(cart(A=1), [abroad, far, near], "FR") == {("A", "LYON"): 1}


def test_what_a_cart_has_already_stays_where_it_is() -> None:
    cheap, own = shelf("CHEAP", A=5), Shelf(place("OWN", cost=900), {"A": 5}, own=True)

    assert chosen(cart(A=2), [cheap, own]) == {("A", "OWN"): 2}


def test_all_of_a_kit_lies_in_one_place() -> None:
    apart = [shelf("CUPS", CUP=9), shelf("POTS", POT=9)]

    with pytest.raises(NotEnough) as error:
        chosen([SET], apart)

    assert [(x.sku, x.requested, x.available) for x in error.value.short] == [("SET", 2, 0)]


def test_kits_may_lie_in_two_places_each_of_them_whole() -> None:
    found = chosen([SET], [shelf("X", CUP=2, POT=1), shelf("Y", CUP=3, POT=9)])

    assert found == {("CUP", "X"): 2, ("POT", "X"): 1, ("CUP", "Y"): 2, ("POT", "Y"): 1}


def test_every_short_line_is_named_with_what_can_be_had_of_it() -> None:
    with pytest.raises(NotEnough) as error:
        chosen(cart(A=2, B=5, C=1), [shelf("X", A=2, B=1), shelf("Y", B=3)])

    assert [(x.place, x.sku, x.available) for x in error.value.short] == [(1, "B", 4), (2, "C", 0)]


def test_lines_of_one_sku_share_what_there_is() -> None:
    lines = [HeldLine("A", 2), HeldLine("A", 2)]

    with pytest.raises(NotEnough):
        chosen(lines, [shelf("X", A=3)])
    assert chosen(lines, [shelf("X", A=4)]) == {("A", "X"): 4}


def test_safety_stock_is_left_and_the_carts_own_units_are_its_own() -> None:
    levels = {"A": (Level("A", "X", 10, 4, 6), Level("A", "CLOSED", 9, 9, 0))}

    (found,) = shelves([place("X")], levels, {("A", "X"): 3}, {("A", "X"): 2})

    assert (dict(found.units), found.own) == ({"A": 3}, True)


@given(
    st.lists(st.dictionaries(st.sampled_from("ABC"), st.integers(0, 4)), max_size=5),
    st.dictionaries(st.sampled_from("ABC"), st.integers(1, 6), min_size=1),
)
def test_plain_lines_are_held_whole_exactly_when_there_is_enough_of_each(
    supply: list[dict[str, int]], wanted: dict[str, int]
) -> None:
    found = [Shelf(place(f"L{number}"), units) for number, units in enumerate(supply)]
    there: Counter[str] = Counter()
    for units in supply:
        there.update(units)
    short = {item for item, units in wanted.items() if there[item] < units}
    if short:
        with pytest.raises(NotEnough) as error:
            chosen(cart(**wanted), found)
        assert {(x.sku, x.available) for x in error.value.short} == {(i, there[i]) for i in short}
        return
    taken = chosen(cart(**wanted), found)
    assert all(taken[item, at] <= supply[int(at[1:])][item] for item, at in taken)
    total: Counter[str] = Counter()
    for (item, _), quantity in taken.items():
        total[item] += quantity
    assert total == Counter(wanted)
