"""When the workflow asks for a person, and when that would be noise."""

from __future__ import annotations

from typing import Any

import pytest

from functions.fulfillment.await_outcome import await_outcome
from oms.domain import commands as c
from oms.domain.events import PackedParcel
from oms.domain.waits import Wait
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    return world


def paid(world: World) -> str:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    return order_id


def waits(world: World, order_id: str, reason: str = "") -> str | None:
    event = {"order_id": order_id, "wait": "attention", "token": "t-1", "reason": reason}
    return await_outcome(world.orders, event, now())


def test_what_the_workflow_could_not_do_is_brought_before_a_person(world: World) -> None:
    order_id = paid(world)

    assert waits(world, order_id, "Route order: ValueError") is None

    assert world.orders.get(order_id).attention == "Route order: ValueError"
    assert world.orders.token(order_id, Wait.ATTENTION) == "t-1"


def test_what_the_order_has_said_itself_is_not_said_over(world: World) -> None:
    order_id = paid(world)
    said = world.do(order_id, c.RaiseAttention("capture failed: card closed"))

    assert waits(world, order_id) is None
    assert waits(world, order_id, "Not delivered in time") is None

    assert world.orders.get(order_id) == said


@pytest.mark.parametrize("resolution", ["retry", "ignore"])
def test_what_somebody_has_decided_meanwhile_is_answered_and_not_asked_again(
    world: World, resolution: str
) -> None:
    order_id = paid(world)
    decided = world.do(
        order_id, c.RaiseAttention("rejected by all"), c.ResolveAttention(resolution)
    )

    assert waits(world, order_id) == resolution

    assert world.orders.get(order_id) == decided


def test_an_order_that_is_over_needs_nobody(world: World) -> None:
    cancelled, completed = paid(world), paid(world)
    world.cancel(cancelled)
    deliver(world, completed)

    assert waits(world, cancelled, "Cancel order: TIMED_OUT") == "cancel"
    assert waits(world, completed, "Not delivered in time") == "retry"

    for order_id in (cancelled, completed):
        assert world.orders.get(order_id).attention == ""


def deliver(world: World, order_id: str) -> None:
    world.route(order_id)
    world.pack(order_id)
    for box in world.orders.get(order_id).fulfillment_orders:
        parcel = PackedParcel("manual", "BY-HAND", box.lines)
        world.do(order_id, c.ShipFulfillmentOrder(box.fulfillment_order_id, (parcel,)))
        world.do(order_id, c.DeliverFulfillmentOrder(box.fulfillment_order_id))
    world.pay(order_id)


def test_a_cancelled_order_gives_its_money_back_without_anybody(world: World) -> None:
    order_id = paid(world)
    cancelled = world.do(order_id, c.CancelOrder("changed my mind"))

    assert waits(world, order_id, "Return money: Undecided") == "cancel"

    assert world.orders.get(order_id) == cancelled
