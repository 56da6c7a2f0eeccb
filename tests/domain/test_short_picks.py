"""A shelf that has less than its level says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide import MAX_ROUTING_ROUNDS
from oms.domain.errors import IllegalTransition, QuantityExceeded
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.inventory import MovementKind, StockChange
from oms.domain.lines import Part
from oms.domain.order import OrderStatus, apply, capacity_changes, excluded, stock_change
from oms.domain.waits import Wait, outcome
from tests.builders import NOW, RECORD, Story, line, placement


def picking(quantity: int = 3, **changes: object) -> Story:
    bought = replace(line(1, quantity=quantity), **changes)  # type: ignore[arg-type]
    story = Story(placement(bought, line(2))).authorized()
    plan = story.plan(("austin", {"line_1": quantity, "line_2": 1}))
    plan = tuple(replace(each, ship_on="2026-03-03") for each in plan)
    story.do(c.RecordRouting(plan, RECORD))
    return story.do(c.PickFulfillmentOrder(story.box(1)))


def short(story: Story, missing: int) -> c.ShortPickFulfillmentOrder:
    return c.ShortPickFulfillmentOrder(story.box(1), "gone", (Quantity("line_1", missing),))


def moved(story: Story) -> StockChange:
    """What the last fact does to stock."""
    order = None
    for fact in story.facts[:-1]:
        order = apply(story.order_id, order, fact)
    assert order is not None
    change = stock_change(order, story.facts[-1])
    assert change is not None
    return change


@given(st.integers(1, 9), st.data())
def test_wherever_a_box_is_split_no_unit_is_lost_or_doubled(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(0, n))
    story = picking(n)
    before = story.order

    story.do(short(story, k))

    bought, box = story.order.line("line_1"), story.order.fulfillment_order(story.box(1))
    assert (bought.open, bought.allocated) == (k, n - k)
    assert bought.open + bought.allocated == bought.quantity
    assert box.quantity("line_1") == n - k
    if k:
        change = moved(story)
        (item,) = change.items
        assert (change.kind, item.quantity) == (MovementKind.MISSING, k)
        assert change.effect(item) == (-k, 0, -k, 0)
        (given_back,) = capacity_changes(before, story.facts[-1])
        assert given_back.units == -k


def test_the_rest_is_packed_and_shipped_and_the_missing_units_are_routed_elsewhere() -> None:
    story = picking()

    story.do(short(story, 1))

    assert outcome(story.order, Wait.FULFILLMENT) == "remainder"
    assert excluded(story.order, NOW) == {"austin": "short: gone"}
    story.routed(("reno", {"line_1": 1})).shipped(1).shipped(2)
    assert [each.shipped for each in story.order.lines] == [3, 1]


def test_a_box_that_is_left_empty_is_over() -> None:
    story = Story(placement(line(1, quantity=2))).authorized().routed()

    story.do(short(story, 2))

    box = story.order.fulfillment_order(story.box(1))
    assert (box.status, box.lines, box.reason) == (FulfillmentStatus.CANCELLED, (), "gone")
    assert story.order.status is OrderStatus.IN_FULFILLMENT
    assert outcome(story.order, Wait.FULFILLMENT) == "remainder"


def test_of_a_kit_all_parts_are_missed_until_somebody_has_counted() -> None:
    story = picking(takes=(Part("CUP", 2), Part("POT")))

    story.do(short(story, 2))

    assert {item.sku: item.quantity for item in moved(story).items} == {"CUP": 4, "POT": 2}


def test_what_was_found_may_be_told_twice() -> None:
    story = picking()
    told = c.ShortPickFulfillmentOrder(story.box(1), "gone", found=(Quantity("line_1", 1),))

    story.do(told, told)

    assert story.events(e.FulfillmentOrderShortPicked)[0].lines == (Quantity("line_1", 2),)
    assert len(story.events(e.FulfillmentOrderShortPicked)) == 1


@pytest.mark.parametrize("missing", [4, 99])
def test_more_than_was_to_be_picked_cannot_be_missing(missing: int) -> None:
    story = picking()

    with pytest.raises(QuantityExceeded):
        story.do(short(story, missing))


def test_more_than_was_to_be_picked_cannot_be_found() -> None:
    story = picking()

    with pytest.raises(QuantityExceeded):
        story.do(c.ShortPickFulfillmentOrder(story.box(1), "?", found=(Quantity("line_1", 4),)))


def test_what_has_left_cannot_be_picked_short() -> None:
    story = picking().shipped()

    with pytest.raises(IllegalTransition):
        story.do(short(story, 1))


def test_short_picks_are_rounds_that_end_with_a_person() -> None:
    story = Story(placement(line(1, quantity=9))).authorized()
    for _ in range(MAX_ROUTING_ROUNDS):
        assert not story.order.attention
        story.routed()
        box = story.order.fulfillment_orders[-1].fulfillment_order_id
        story.do(c.ShortPickFulfillmentOrder(box, "gone", (Quantity("line_1", 1),)))

    assert story.order.attention
