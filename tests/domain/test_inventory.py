from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.inventory import (
    Balance,
    Effect,
    Level,
    MovementKind,
    NotExpected,
    NotReserved,
    OutOfStock,
    Shortage,
    StockChange,
    StockItemChange,
    apply,
)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
EMPTY = Level("MUG", "LYON")

kinds = st.sampled_from(MovementKind)
quantities = st.integers(1, 9)


def change(kind: MovementKind, quantity: int, sku: str = "MUG", at: str = "LYON") -> StockChange:
    return StockChange(kind, "ful_1", AT, (StockItemChange(sku, at, quantity),))


def test_received_units_can_be_promised() -> None:
    assert apply(EMPTY, change(MovementKind.RECEIVED, 5)) == Level("MUG", "LYON", 5, 5, 0)


def test_allocated_units_stay_on_hand_and_cannot_be_promised_again() -> None:
    level = apply(Level("MUG", "LYON", 5, 5, 0), change(MovementKind.ALLOCATED, 2))

    assert level == Level("MUG", "LYON", 5, 3, 2)


def test_consumed_units_leave_the_house() -> None:
    level = apply(Level("MUG", "LYON", 5, 3, 2), change(MovementKind.CONSUMED, 2))

    assert level == Level("MUG", "LYON", 3, 3, 0)


def test_released_units_can_be_promised_again() -> None:
    level = apply(Level("MUG", "LYON", 5, 3, 2), change(MovementKind.RELEASED, 2))

    assert level == Level("MUG", "LYON", 5, 5, 0)


def test_a_partial_shipment_takes_its_own_quantity_and_not_the_whole_reservation() -> None:
    level = apply(Level("MUG", "LYON", 5, 0, 5), change(MovementKind.CONSUMED, 1))

    assert level == Level("MUG", "LYON", 4, 0, 4)


def test_an_adjustment_goes_both_ways() -> None:
    lost = apply(Level("MUG", "LYON", 5, 5, 0), change(MovementKind.ADJUSTED, -2))

    assert lost == Level("MUG", "LYON", 3, 3, 0)
    assert apply(lost, change(MovementKind.ADJUSTED, 4)) == Level("MUG", "LYON", 7, 7, 0)


def test_reserved_units_cannot_be_adjusted_away() -> None:
    with pytest.raises(OutOfStock):
        apply(Level("MUG", "LYON", 5, 1, 4), change(MovementKind.ADJUSTED, -2))


def test_more_than_is_available_is_refused_with_both_figures() -> None:
    with pytest.raises(OutOfStock) as refused:
        apply(Level("MUG", "LYON", 5, 1, 4), change(MovementKind.ALLOCATED, 2))

    assert refused.value.shortages == (Shortage("MUG", "LYON", requested=2, available=1),)


@pytest.mark.parametrize("kind", [MovementKind.CONSUMED, MovementKind.RELEASED])
def test_nothing_is_shipped_or_given_back_twice(kind: MovementKind) -> None:
    once = apply(Level("MUG", "LYON", 5, 3, 2), change(kind, 2))

    with pytest.raises(NotReserved):
        apply(once, change(kind, 2))


def test_two_lines_of_one_stock_item_are_one_demand() -> None:
    twice = (StockItemChange("MUG", "LYON", 1), StockItemChange("MUG", "LYON", 1))

    both = StockChange(MovementKind.ALLOCATED, "ful_1", AT, twice)

    assert both.items == (StockItemChange("MUG", "LYON", 2),)
    with pytest.raises(OutOfStock):
        apply(Level("MUG", "LYON", 1, 1, 0), both)


def test_the_order_of_lines_does_not_change_a_change() -> None:
    items = tuple(StockItemChange(sku, "LYON", 1) for sku in "CAB")

    changes = {StockChange(MovementKind.ALLOCATED, "ful_1", AT, t) for t in (items, items[::-1])}

    assert len(changes) == 1


def test_a_change_leaves_other_stock_items_alone() -> None:
    level = Level("MUG", "LYON", 5, 5, 0)

    assert apply(level, change(MovementKind.ALLOCATED, 2, at="PARIS")) == level
    assert apply(level, change(MovementKind.ALLOCATED, 2, sku="CUP")) == level


@pytest.mark.parametrize("quantity", [0, -1])
def test_only_an_adjustment_may_go_down(quantity: int) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        change(MovementKind.RELEASED, quantity)


def test_a_change_happens_at_an_aware_instant() -> None:
    with pytest.raises(ValueError, match="aware"):
        StockChange(MovementKind.RECEIVED, "rcp_1", datetime(2026, 1, 1), ())  # noqa: DTZ001


def test_every_short_item_is_named_not_only_the_first() -> None:
    mug = OutOfStock([Shortage("MUG", "LYON", 2, 1)])
    cup = OutOfStock([Shortage("CUP", "LYON", 3, 0)])

    assert [short.sku for short in mug.merged(cup).shortages] == ["MUG", "CUP"]


def test_a_level_that_its_movements_do_not_explain_is_not_even() -> None:
    level = Level("MUG", "LYON", 5, 3, 2)

    assert Balance(level, Effect(5, 3, 2)).is_even
    assert not Balance(level, Effect(5, 5, 0)).is_even
    assert not Balance(Level("MUG", "LYON", 5, 4, 2), Effect(5, 4, 2)).is_even


@given(st.lists(st.tuples(kinds, quantities), max_size=40))
def test_no_history_makes_a_level_unsound(history: list[tuple[MovementKind, int]]) -> None:
    level, moved = EMPTY, Effect(0, 0, 0)
    for kind, quantity in history:
        step = change(kind, quantity)
        try:
            level = apply(level, step)
        except (OutOfStock, NotExpected, NotReserved):
            continue
        moved = moved.plus(step.effect(step.items[0]))

    assert Balance(level, moved).is_even
