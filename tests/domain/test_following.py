"""What a channel has done is done here: in any order, however often, to the same end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain import commands as c
from oms.domain.channel_orders import (
    GivenUp,
    Heard,
    called_off_there,
    counted,
    fulfilled_there,
)
from oms.domain.decide import decide
from oms.domain.decide.deciding import after, facts
from oms.domain.decide.placing import place
from oms.domain.fulfillment import ELSEWHERE, FulfillmentStatus, Quantity
from oms.domain.holds import NewHold
from oms.domain.inventory import MovementKind
from oms.domain.order import Order, OrderStatus, fold, stock_change
from oms.domain.payment import OperationKind
from oms.domain.returns.eligibility import returnable
from oms.domain.waits import Wait, outcome
from tests.builders import NOW, Story, line, placement

BY = "channel:shopify:mugs"
UNITS, PRICE = 4, 1000


def an_order(captured: int = UNITS * PRICE + 500) -> Order:
    return facts("ord_1", None, place(placed(captured)), NOW, BY)[1]


def placed(captured: int = UNITS * PRICE + 500, **more: Any) -> c.PlaceOrder:
    its_line = replace(line(1, quantity=UNITS, unit_price=PRICE), external_id="L")
    return placement(its_line, provider="external", captured=captured, **more)


def followed(order: Order, heard: Heard) -> Order:
    command = c.FollowChannel(
        reason="there",
        by=BY,
        called_off=called_off_there(order, heard),
        refunded=heard.refunded,
        refund_reason="there",
    )
    return after(order, *decide(command, order))


@dataclass(frozen=True)
class Refund:
    name: str
    units: int
    extra: int

    @property
    def amount(self) -> int:
        return self.units * PRICE + self.extra

    def told(self, heard: Heard) -> Heard:
        return heard.refunding(GivenUp(self.name, counted({"L": self.units}), self.amount))


@st.composite
def refunds(draw: st.DrawFn) -> list[Refund]:
    """Of units that were not shipped, some with goodwill beside, at most what was paid."""
    found: list[Refund] = []
    for number in range(draw(st.integers(1, 4))):
        left = UNITS - 1 - sum(each.units for each in found)
        room = 1000 - sum(each.extra for each in found)
        units = draw(st.integers(0, left))
        found.append(Refund(f"r-{number}", units, draw(st.integers(0, room))))
    return found


def repaid(order: Order) -> int:
    return order.payment.committed(OperationKind.REFUND)


@given(refunds(), st.randoms(use_true_random=False), st.sampled_from([0, UNITS * PRICE + 500]))
def test_what_the_channel_gave_back_is_what_our_books_gave_back(
    told: list[Refund], random: object, captured: int
) -> None:
    order, heard = an_order(captured), Heard()
    messages = [*told, *told]
    random.shuffle(messages)  # type: ignore[attr-defined]
    for refund in messages:
        heard = refund.told(heard)
        order = followed(order, heard)

        assert repaid(order) == heard.refunded
        assert order.payment.refunded == heard.refunded  # and nobody is asked for it
    assert order.lines[0].cancelled == sum(each.units for each in told)


def test_a_cancellation_and_its_refund_come_to_the_same_in_any_order() -> None:
    def cancel(heard: Heard) -> Heard:
        return heard.cancelling(GivenUp("c", (("L", 2),)))

    def refund(heard: Heard) -> Heard:
        return heard.refunding(GivenUp("r", (("L", 2),), 2 * PRICE + 300))

    def state(heard: Heard) -> Heard:
        return replace(heard, removed=(("L", 2),))

    for messages in permutations((cancel, refund, state)):
        order, heard = an_order(), Heard()
        for told in messages:
            heard = told(heard)
            order = followed(order, heard)
        assert (order.lines[0].cancelled, repaid(order)) == (2, 2 * PRICE + 300)


def told_shipped(order: Order, units: int, **more: object) -> Order:
    said = c.FollowChannel("", BY, fulfilled=(("L", units),), **more)  # type: ignore[arg-type]
    return after(order, *decide(said, order))


@pytest.mark.parametrize("state", ["open", "backordered", "allocated", "accepted"])
def test_what_others_have_shipped_is_delivered_and_nobody_ships_it(state: str) -> None:
    story = Story(placed())
    if state == "backordered":
        story.do(c.Backorder((Quantity("line_1", UNITS),), ""))
    elif state != "open":
        story.routed()
    if state == "accepted":
        story.do(c.AcceptFulfillmentOrder(story.box(1)))

    order = told_shipped(story.order, UNITS, reference="f-1 ups 1Z")

    assert (order.status, order.lines[0].delivered) == (OrderStatus.COMPLETED, UNITS)
    *ours, theirs = order.fulfillment_orders
    assert all(box.status is FulfillmentStatus.CANCELLED for box in ours)
    assert (theirs.location_id, theirs.reason) == (ELSEWHERE, "f-1 ups 1Z")
    assert order.payment.captured == order.payable == UNITS * PRICE + 500
    assert order.payment.committed(OperationKind.REFUND) == 0
    assert returnable(order, "line_1") == UNITS
    assert told_shipped(order, UNITS) == order


def test_a_line_that_is_told_twice_is_one_line_of_so_many_units() -> None:
    twice = c.FollowChannel("", BY, fulfilled=(("L", 2), ("L", 1)), reference="f-1")
    story = Story(placed()).routed(("austin", {"line_1": 2}), ("reno", {"line_1": 2}))

    told = after(story.order, *decide(twice, story.order))

    assert told == told_shipped(story.order, 3, reference="f-1")
    assert (told.lines[0].allocated, told.lines[0].delivered) == (1, 3)


def test_units_that_somebody_has_begun_to_pick_are_a_persons_business() -> None:
    """None of them is taken then: a part of what was shipped would hide the rest."""
    story = Story(placed()).routed(("austin", {"line_1": 2}), ("reno", {"line_1": 2}))
    story.do(c.PickFulfillmentOrder(story.box(1)))

    assert told_shipped(story.order, UNITS) == story.order
    assert told_shipped(story.order, 2).lines[0].delivered == 2


def test_what_we_have_shipped_is_not_shipped_by_others_when_it_is_told_back() -> None:
    story = Story(placed()).routed(("austin", {"line_1": 3}), ("reno", {"line_1": 1})).shipped(1)

    assert told_shipped(story.order, 3) == story.order
    assert told_shipped(story.order, 4).lines[0].delivered == 1


def test_what_is_not_paid_for_is_not_closed() -> None:
    unsure = placed(captured=0, holds=(NewHold("payment", "pending"),))

    assert told_shipped(Story(unsure).order, UNITS) == Story(unsure).order
    assert told_shipped(an_order(0), UNITS).status is OrderStatus.COMPLETED


def test_an_order_that_others_have_closed_waits_for_no_release() -> None:
    held = Story(placed(holds=(NewHold("fraud", "look"),))).order

    assert outcome(held, Wait.RELEASE) is None
    assert outcome(told_shipped(held, UNITS), Wait.RELEASE) == "released"


@given(
    st.lists(st.integers(1, UNITS), min_size=1, max_size=4),
    st.lists(st.sampled_from(("route", "ship", "cancel")), max_size=4),
    st.randoms(),
)
def test_no_unit_is_shipped_by_us_and_by_others(
    told: list[int], done: list[str], random: object
) -> None:
    """However often they are told, and whatever we do meanwhile: units add up, and the stock of
    those that others have shipped is back on its shelf."""
    story, heard, shipped_there = Story(placed()), Heard(), 0
    steps: list[int | str] = [*told, *told, *done]
    random.shuffle(steps)  # type: ignore[attr-defined]
    for step in steps:
        before = story.order.lines[0]
        if isinstance(step, int):
            told_of = GivenUp(f"f-{step}", (("L", step),))
            heard = heard.fulfilling(told_of)
            story.do(c.FollowChannel("", BY, fulfilled=fulfilled_there(heard)))
            line_now = story.order.lines[0]
            assert line_now.dispatched <= max(before.dispatched, dict(fulfilled_there(heard))["L"])
            shipped_there += line_now.delivered - before.delivered
        elif step == "route" and before.open:
            story.routed(("austin", {"line_1": before.open}))
        elif step == "ship":
            boxes = [x for x in story.order.fulfillment_orders if x.in_warehouse]
            for box in boxes[:1]:
                story.shipped(int(box.fulfillment_order_id.rpartition("-")[2]), f"EZ{len(steps)}")
        elif step == "cancel" and before.unshipped:
            story.do(c.CancelOrder("", (Quantity("line_1", 1),)))
    now = story.order
    theirs = [x for x in now.fulfillment_orders if x.location_id == ELSEWHERE]
    assert sum(box.quantity("line_1") for box in theirs) == shipped_there
    on_shelf = sum(
        item.quantity if change.kind is MovementKind.RELEASED else -item.quantity
        for number, fact in enumerate(story.facts[1:], 1)
        if (change := stock_change(fold(story.order_id, story.facts[:number]), fact))
        and change.kind in (MovementKind.RELEASED, MovementKind.ALLOCATED, MovementKind.CONSUMED)
        for item in change.items
        if change.kind is not MovementKind.CONSUMED
    )
    with_us = sum(x.quantity("line_1") for x in now.fulfillment_orders if x not in theirs)
    assert -on_shelf == with_us


def test_the_same_again_is_no_event() -> None:
    heard = replace(Heard(whole=True), refunds=(GivenUp("r", (), 4500),))
    order = followed(an_order(), heard)

    assert order.status is OrderStatus.CANCELLED
    assert followed(order, heard) == order


def test_what_others_paid_is_not_asked_of_them_for_a_refund_of_the_channel() -> None:
    said = placement(line(1, unit_price=PRICE), provider="test")
    order = facts("ord_1", None, place(said), NOW, BY)[1]

    command = c.FollowChannel(reason="", by=BY, refunded=300, refund_reason="there")

    assert decide(command, order) == ()
