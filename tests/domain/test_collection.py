"""Goods that the customer collects: where they lie, or from a store that they were brought to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import IllegalTransition, OnHold, Refused
from oms.domain.fulfillment import (
    COLLECT_WITHIN,
    NEXT,
    Delivery,
    FulfillmentOrder,
    FulfillmentStatus,
)
from oms.domain.inventory import MovementKind
from oms.domain.order import OrderStatus, apply, stock_change
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.statuses import fulfillment_status, payment_status
from oms.domain.tracking import TrackingStatus
from oms.domain.waits import Wait, outcome
from tests.builders import RECORD, Story, line, placement, scans

STORE = "austin"


def routed_by(delivery: Delivery, location: str = STORE, store: str = STORE) -> Story:
    story = Story(placement(line(1, quantity=2), pickup_location=store)).authorized()
    plan = story.plan((location, {"line_1": 2}))
    plan = tuple(replace(each, delivery=delivery) for each in plan)
    return story.do(c.RecordRouting(plan, RECORD))


def box(story: Story) -> FulfillmentOrder:
    return story.order.fulfillment_order(story.box(1))


def ready() -> Story:
    story = routed_by(Delivery.PICKUP).packed()
    return story.do(c.ReadyFulfillmentOrder(story.box(1)))


def arrived() -> Story:
    """Brought from Reno to the store in Austin."""
    return routed_by(Delivery.SHIP_TO_STORE, "reno").shipped().captured().delivered()


def kinds(story: Story) -> list[MovementKind]:
    """What the facts did to stock, one after the other."""
    order = None
    found: list[MovementKind] = []
    for fact in story.facts:
        change = stock_change(order, fact) if order else None
        found += [change.kind] if change else []
        order = apply(story.order_id, order, fact)
    return found


# --- where it lies ----------------------------------------------------------------------------


def test_goods_that_wait_to_be_collected_are_still_the_stores_and_not_yet_paid() -> None:
    story = ready()

    assert (box(story).status, box(story).ready_at) == (
        FulfillmentStatus.READY_FOR_PICKUP,
        story.at,
    )
    assert story.order.line("line_1").allocated == 2
    assert kinds(story) == [MovementKind.ALLOCATED]
    assert payment_status(story.order) == "authorized"
    assert fulfillment_status(story.order) == "ready_for_pickup"
    assert outcome(story.order, Wait.FULFILLMENT) is None


def test_what_is_collected_leaves_the_stock_is_paid_and_completes_the_order() -> None:
    story = ready()

    story.do(c.CollectFulfillmentOrder(story.box(1)), c.CollectFulfillmentOrder(story.box(1)))

    assert kinds(story) == [MovementKind.ALLOCATED, MovementKind.CONSUMED]
    (collected,) = story.events(e.FulfillmentOrderCollected)
    assert (collected.location_id, collected.capture.amount) == (STORE, 2500)
    assert story.order.line("line_1").delivered == 2
    assert story.order.status is OrderStatus.COMPLETED
    assert fulfillment_status(story.captured().order) == "delivered"


def test_what_is_collected_is_not_shipped() -> None:
    story = routed_by(Delivery.PICKUP).packed()

    with pytest.raises(IllegalTransition):
        story.do(c.ShipFulfillmentOrder(story.box(1), story.parcels(1, "EZ1")))


def test_nothing_is_handed_over_before_it_is_ready_or_while_it_is_held() -> None:
    story = routed_by(Delivery.PICKUP).packed()
    with pytest.raises(IllegalTransition):
        story.do(c.CollectFulfillmentOrder(story.box(1)))
    story.do(c.ReadyFulfillmentOrder(story.box(1)), c.PlaceHold("fraud", "odd"))

    with pytest.raises(OnHold):
        story.do(c.CollectFulfillmentOrder(story.box(1)))


def test_what_nobody_collects_goes_back_to_the_shelf_and_the_money_to_the_customer() -> None:
    story = ready()
    assert not box(story).is_uncollected(story.at + COLLECT_WITHIN - timedelta(seconds=1))
    assert box(story).is_uncollected(story.at + COLLECT_WITHIN)

    story.do(*(2 * [c.CancelPickup(story.box(1), "not_collected")]))

    assert kinds(story) == [MovementKind.ALLOCATED, MovementKind.RELEASED]
    assert story.order.status is OrderStatus.CANCELLED
    assert story.order.cancel_reason == "not_collected"
    (void,) = [x for x in story.order.payment.operations if x.kind is OperationKind.VOID]
    assert void.amount == 2500
    with pytest.raises(IllegalTransition):
        story.do(c.CollectFulfillmentOrder(story.box(1)))


def test_a_collected_pickup_is_not_cancelled() -> None:
    story = ready()
    story.do(c.CollectFulfillmentOrder(story.box(1)), c.CancelPickup(story.box(1), "late"))

    assert story.order.status is OrderStatus.COMPLETED


@pytest.mark.parametrize(
    ("delivery", "location", "store"),
    [
        (Delivery.PICKUP, "reno", STORE),
        (Delivery.PICKUP, STORE, ""),
        (Delivery.SHIP_TO_STORE, "reno", ""),
        ("by_bird", STORE, STORE),
    ],
)
def test_goods_are_collected_where_the_customer_was_told(
    delivery: Delivery, location: str, store: str
) -> None:
    with pytest.raises(Refused):
        routed_by(delivery, location, store)


# --- brought to a store -----------------------------------------------------------------------


def test_what_has_arrived_at_the_store_is_neither_delivered_nor_complete() -> None:
    story = arrived()

    assert box(story).status is FulfillmentStatus.ARRIVED
    assert story.order.status is OrderStatus.IN_FULFILLMENT
    assert (story.order.line("line_1").shipped, story.order.line("line_1").delivered) == (2, 0)
    assert outcome(story.order, Wait.FULFILLMENT) is None
    assert story.events(e.FulfillmentOrderDelivered) == []


def test_what_was_brought_to_the_store_is_consumed_and_paid_once() -> None:
    story = arrived()

    story.do(c.ReadyFulfillmentOrder(story.box(1)), c.CollectFulfillmentOrder(story.box(1)))

    assert kinds(story) == [MovementKind.ALLOCATED, MovementKind.CONSUMED]
    captures = [x for x in story.order.payment.operations if x.kind is OperationKind.CAPTURE]
    assert [(x.amount, x.status) for x in captures] == [(2500, OperationStatus.SUCCEEDED)]
    assert story.order.status is OrderStatus.COMPLETED


@pytest.mark.parametrize("collected", [False, True])
def test_a_late_scan_does_not_deliver_what_is_in_the_store(collected: bool) -> None:
    story = routed_by(Delivery.SHIP_TO_STORE, "reno").shipped().captured()
    story.do(c.ReadyFulfillmentOrder(story.box(1)))
    if collected:
        story.do(c.CollectFulfillmentOrder(story.box(1)))
    before = box(story).status

    story.do(scans("EZ1", TrackingStatus.DELIVERED))

    assert box(story).status is before
    assert box(story).parcels[0].status is TrackingStatus.DELIVERED
    assert story.events(e.FulfillmentOrderDelivered) == []


def test_staff_say_that_a_parcel_without_scans_has_arrived() -> None:
    story = routed_by(Delivery.SHIP_TO_STORE, "reno").packed()
    parcel = e.PackedParcel("manual", "VAN", box(story).lines)
    story.do(c.ShipFulfillmentOrder(story.box(1), (parcel,)))

    story.do(*(2 * [c.DeliverFulfillmentOrder(story.box(1))]))

    assert [type(f.event) for f in story.facts].count(e.FulfillmentOrderArrived) == 1
    assert story.order.status is OrderStatus.IN_FULFILLMENT


def test_what_a_carrier_brought_and_nobody_collects_asks_a_person() -> None:
    story = arrived()
    story.do(c.ReadyFulfillmentOrder(story.box(1)))

    story.do(*(2 * [c.CancelPickup(story.box(1), "not_collected")]))

    assert "not_collected" in story.order.attention
    assert story.order.line("line_1").shipped == 2


def test_every_status_has_its_declared_steps_for_every_kind_of_delivery() -> None:
    for delivery, moves in NEXT.items():
        reachable, edge = set(), {FulfillmentStatus.OPEN}
        while edge:
            reachable |= edge
            edge = {step for status in edge for step in moves[status]} - reachable
        ends = {status for status in reachable if not moves[status]}
        good = (
            FulfillmentStatus.DELIVERED
            if delivery is Delivery.SHIP
            else FulfillmentStatus.COLLECTED
        )
        assert ends == {good, FulfillmentStatus.REJECTED, FulfillmentStatus.CANCELLED}


@pytest.mark.parametrize("status", list(FulfillmentStatus))
@pytest.mark.parametrize("delivery", list(Delivery))
def test_units_of_a_box_are_in_one_place(delivery: Delivery, status: FulfillmentStatus) -> None:
    found = FulfillmentOrder("ful_1", "reno", (), status, delivery=delivery)

    assert not (found.in_warehouse and found.has_left)
    work = found.worked_on_at(STORE)
    assert work in ({"reno"} if found.in_warehouse else {"", STORE} if found.has_left else {""})
