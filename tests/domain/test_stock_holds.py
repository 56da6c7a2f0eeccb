"""A cart's hold: what it takes and gives back, and how an order takes it over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.errors import IllegalTransition, Refused
from oms.domain.inventory import (
    EFFECT_OF_ONE,
    Level,
    MovementKind,
    StockChange,
    StockItemChange,
    net_effects,
)
from oms.domain.stock_holds import (
    LONGEST,
    MAX_ITEMS,
    MAX_UNITS,
    HeldLine,
    HoldState,
    HoldTooLarge,
    StockHold,
    Where,
    carry,
    check_size,
    movements,
    rows_of,
    units_of,
    with_own,
)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
places = st.tuples(st.sampled_from("ABC"), st.sampled_from("XY"))
quantities = st.dictionaries(places, st.integers(1, 5))


def a_hold(held: dict[Where, int], version: int = 1) -> StockHold:
    return StockHold(
        "hld_cart0001", "web", AT, AT + HOUR, AT + HOUR, (HeldLine("A", 1),), units_of(held),
        version=version,
    )  # fmt: skip


def routed(*items: tuple[str, str, int, str]) -> StockChange:
    changes = tuple(StockItemChange(*item) for item in items)
    return StockChange(MovementKind.ALLOCATED, "ord_x#000004", AT, changes)


def owned(changes: Iterable[StockChange]) -> Counter[tuple[str, str, str]]:
    """What the changes add to each reservation, by stock item and location."""
    owned: Counter[tuple[str, str, str]] = Counter()
    for change in changes:
        for item in change.items:
            where = item.sku, item.location
            if change.kind is MovementKind.CARRIED:
                owned[*where, item.taken_from] -= item.quantity
                owned[*where, item.reservation] += item.quantity
            else:
                owned[*where, item.reservation] += (
                    item.quantity * EFFECT_OF_ONE[change.kind].reserved
                )
    return owned


def test_units_at_the_chosen_place_are_carried_the_others_are_taken_and_let_go() -> None:
    carriage = carry(
        a_hold({("A", "X"): 2, ("B", "X"): 3}),
        routed(("A", "X", 3, "ful_1"), ("B", "Y", 3, "ful_2")),
    )

    assert [(x.sku, x.quantity, x.taken_from) for x in carriage.carried.items] == [
        ("A", 2, "hld_cart0001")
    ]
    assert [(x.sku, x.location, x.quantity) for x in carriage.allocated.items] == [
        ("A", "X", 1),
        ("B", "Y", 3),
    ]
    assert [(x.sku, x.location, x.quantity, x.reservation) for x in carriage.released.items] == [
        ("B", "X", 3, "hld_cart0001")
    ]


@given(quantities, quantities)
def test_an_order_gets_all_that_it_wants_and_nothing_of_the_hold_is_lost(
    held: dict[Where, int], wanted: dict[Where, int]
) -> None:
    change = routed(*((item, at, units, f"ful_{at}") for (item, at), units in wanted.items()))

    carriage = carry(a_hold(held), change)

    after = owned([carriage.carried, carriage.allocated, carriage.released])
    assert {k: v for k, v in after.items() if v > 0} == {
        (item, at, f"ful_{at}"): units for (item, at), units in wanted.items()
    }
    assert {k: -v for k, v in after.items() if v < 0} == {
        (item, at, "hld_cart0001"): units for (item, at), units in held.items()
    }


@given(quantities, quantities)
def test_no_level_is_written_that_the_hold_and_the_order_leave_as_it_is(
    held: dict[Where, int], wanted: dict[Where, int]
) -> None:
    change = routed(*((item, at, units, "ful_1") for (item, at), units in wanted.items()))

    carriage = carry(a_hold(held), change)

    net = net_effects([carriage.carried, carriage.allocated, carriage.released])
    differing = {at for at in held.keys() | wanted.keys() if held.get(at, 0) != wanted.get(at, 0)}
    assert set(net) == differing
    for at, effect in net.items():
        assert effect.available == held.get(at, 0) - wanted.get(at, 0)


@given(quantities, quantities)
def test_a_hold_that_changes_takes_and_gives_back_the_difference_alone(
    held: dict[Where, int], wanted: dict[Where, int]
) -> None:
    before = a_hold(held)

    changes = movements(before, before.changed((HeldLine("A", 2),), wanted), AT)

    by = owned(changes)
    assert {k[:2]: v for k, v in by.items() if v} == {
        at: wanted.get(at, 0) - held.get(at, 0)
        for at in held.keys() | wanted.keys()
        if wanted.get(at, 0) != held.get(at, 0)
    }


def test_what_does_not_fit_beside_the_order_stays_held_and_is_let_go_at_once_after() -> None:
    held = {(f"I{number}", "X"): 1 for number in range(MAX_ITEMS)}
    elsewhere = routed(*((item, "Y", 1, "ful_1") for item, _ in held))

    carriage = carry(a_hold(held), elsewhere)

    assert carriage.fits
    assert not carriage.lets_go_at_once
    assert {(x.item, x.location): x.quantity for x in carriage.left} == held
    after = a_hold(held).carried("ord_x", carriage.left, AT + HOUR)
    assert (after.state, after.due_at, after.held) == (HoldState.CARRIED, AT + HOUR, held)


def test_an_order_that_takes_all_from_where_it_is_held_always_fits() -> None:
    held = {(f"I{number}", "X"): 1 for number in range(MAX_UNITS)}

    carriage = carry(a_hold(held), routed(*((item, "X", 1, "ful_1") for item, _ in held)))

    assert carriage.lets_go_at_once
    assert carriage.left == ()


@given(st.integers(0, 25), st.integers(0, 25), st.integers(1, 10))
def test_what_is_let_go_beside_an_order_leaves_room_for_all_that_the_order_writes(
    carried: int, elsewhere: int, boxes: int
) -> None:
    """Of each box itself, its day and its deadline; the lines that the order leaves, those that it
    joins, and three deadlines of what waits; three rows of the hold; sixteen of the order's own."""
    held = {(f"I{number:02}", "X"): 1 for number in range(25)}
    taken = [(f"I{n:02}", "X", 1, f"ful_{n % boxes}") for n in range(carried)]
    others = [(f"J{n:02}", "Y", 1, f"ful_{n % boxes}") for n in range(elsewhere)]

    carriage = carry(a_hold(held), routed(*taken, *others))

    of_boxes = 3 * len({each[3] for each in (*taken, *others)})
    rows = rows_of((*carriage.moved, carriage.allocated)) + of_boxes + 8 + 8 + 3 + 3 + 16
    assert rows <= 100 or not carriage.fits


def test_a_hold_is_no_larger_than_what_can_be_given_back_at_once() -> None:
    most = a_hold({(f"I{number % MAX_ITEMS}", f"L{number}"): 1 for number in range(MAX_UNITS)})

    check_size(None, most)
    check_size(most, most.ended(HoldState.EXPIRED))
    with pytest.raises(HoldTooLarge):
        check_size(None, a_hold({(f"I{n % 9}", f"L{n}"): 1 for n in range(MAX_UNITS + 1)}))
    with pytest.raises(HoldTooLarge):
        check_size(None, a_hold({(f"I{number}", "X"): 1 for number in range(MAX_ITEMS + 1)}))


def test_a_cart_that_is_another_one_altogether_is_changed_in_two_steps() -> None:
    before = a_hold({(f"I{number}", "X"): 1 for number in range(MAX_ITEMS)})
    after = before.changed((HeldLine("A", 1),), {(f"J{n}", "X"): 1 for n in range(MAX_ITEMS)})

    with pytest.raises(HoldTooLarge):
        check_size(before, after)


def test_a_hold_is_extended_from_now_and_not_for_ever() -> None:
    hold = a_hold({("A", "X"): 1})

    extended = hold.extended(AT + 2 * HOUR)

    assert (extended.expires_at, extended.due_at) == (AT + 2 * HOUR, AT + 2 * HOUR)
    with pytest.raises(Refused):
        hold.extended(AT + LONGEST + HOUR)


@pytest.mark.parametrize("state", [HoldState.RELEASED, HoldState.EXPIRED, HoldState.CARRIED])
def test_what_has_ended_is_neither_extended_nor_changed(state: HoldState) -> None:
    hold = replace(a_hold({}), state=state)

    with pytest.raises(IllegalTransition):
        hold.extended(AT + HOUR)
    with pytest.raises(IllegalTransition):
        hold.changed((HeldLine("A", 1),), {("A", "X"): 1})


def test_who_holds_units_may_count_on_them() -> None:
    levels = {"A": (Level("A", "X", 5, 1, 4), Level("A", "Y", 5, 5, 0))}

    own = with_own(levels, {("A", "X"): 2})

    assert [level.available for level in own["A"]] == [3, 5]
