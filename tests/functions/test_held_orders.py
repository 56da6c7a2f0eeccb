"""Held orders on their way: deadlines end them all the same, and held money stays where it is."""

from __future__ import annotations

from typing import Any

import pytest

from functions.payments.refund_payment import standing
from functions.routing.release_stock import release
from oms.adapters.payments.base import Result
from oms.adapters.payments.settling import settle
from oms.domain import commands as c
from oms.domain.fulfillment import Quantity
from oms.domain.holds import HoldStep
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind, OperationStatus, operation_key
from oms.domain.waits import has_business
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud
HELD = c.PlaceHold("fraud", "odd")
REFUND_HELD = c.PlaceHold("fraud", "odd", (HoldStep.REFUND,))
RELEASED = c.ReleaseHold("hold_1", "fine")


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    return world


def deadline(world: World, order_id: str, reason: str) -> str:
    return release(world.orders, world.stock, order_id, reason, now(), world.providers)


def test_an_order_that_nobody_pays_expires_also_while_it_is_held(world: World) -> None:
    order_id = world.place(an_order()).order_id
    operation = world.orders.get(order_id).payment.operations[0]
    pending = Result(OperationStatus.PENDING, "fake_1")
    world.psp.answers[operation_key(order_id, operation)] = pending
    world.pay(order_id)
    world.do(order_id, HELD)

    assert deadline(world, order_id, "expired") == "released"

    assert world.pay(order_id).status is OrderStatus.EXPIRED
    assert world.check(order_id).payment.unsettled == ()


def test_an_order_that_cannot_be_filled_is_cancelled_also_while_it_is_held(world: World) -> None:
    order_id = world.place(an_order(("SOFA", 1))).order_id
    world.pay(order_id)
    assert world.route(order_id) == "backordered"
    world.do(order_id, HELD)

    assert deadline(world, order_id, "out_of_stock") == "released"

    assert standing(world.pay(order_id)) == "cancelled"
    assert world.psp.moved(OperationKind.VOID) == 1500
    assert world.check(order_id).status is OrderStatus.CANCELLED


def test_a_held_order_takes_its_stock_where_only_the_hand_over_is_blocked(world: World) -> None:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    world.do(order_id, c.PlaceHold("remorse", "may be regretted", (HoldStep.FULFILLMENT,)))

    assert world.route(order_id) == "routed"

    assert world.level("MUG") == (10, 8, 2)
    assert world.cancel(order_id, "regretted").status is OrderStatus.CANCELLED
    assert world.level("MUG") == (10, 10, 0)


def test_a_held_refund_is_not_asked_for_until_its_hold_is_released(world: World) -> None:
    order_id = taken(world)
    world.do(order_id, REFUND_HELD, c.CancelOrder("one less", (Quantity("line_1", 1),)))

    for _ in range(2):
        order = give_back(world, order_id)
        assert world.psp.moved(OperationKind.REFUND) == 0
    assert order.to_settle == ()
    assert has_business(order)

    assert world.do(order_id, RELEASED).to_settle
    give_back(world, order_id)
    assert world.psp.moved(OperationKind.REFUND) == 1000
    assert world.check(order_id).payment.refunded == 1000


def test_a_refund_that_waited_is_made_once_whoever_dies_meanwhile(world: World) -> None:
    order_id = taken(world)
    world.do(order_id, REFUND_HELD, c.CancelOrder("one less", (Quantity("line_1", 1),)))

    def deed(mortal: World) -> None:
        mortal.do(order_id, RELEASED)
        give_back(mortal, order_id)

    assert survives(world, deed)

    assert world.psp.moved(OperationKind.REFUND) == 1000


def taken(world: World) -> str:
    """All of its money is taken, and none of its goods has left."""
    payment = {"provider": "external", "captured": 2500}
    return world.place(an_order(("MUG", 2), payment=payment)).order_id


def give_back(world: World, order_id: str) -> Order:
    return settle(world.orders, order_id, at=now(), providers={"external": world.psp})


def test_holds_that_end_together_are_released_whoever_dies_meanwhile(world: World) -> None:
    order_id = world.place(an_order()).order_id
    until = now()
    world.do(order_id, *(c.PlaceHold("manual", "why", (), until) for _ in range(3)), HELD)

    def deed(mortal: World) -> None:
        mortal.orders.change(order_id, c.EndHolds(until), at=now(), actor="system")

    assert survives(world, deed)

    holds = world.check(order_id).holds
    assert [hold.active for hold in holds] == [False, False, False, True]
