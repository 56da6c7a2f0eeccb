"""What a person decides, on real tables: done once however often it is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.ops import decisions
from functions.ops.decisions import Desk
from oms.adapters.payments.settling import settle
from oms.domain import commands as c
from oms.domain.errors import IllegalTransition, NotFound
from oms.domain.events import PackedParcel
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.returns import ReturnStatus
from oms.domain.waits import Wait, outcome
from tests.functions.returns.shelf import approved, receipt
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud


@dataclass
class Started:
    """Executions that all stand still."""

    resumed: list[str] = field(default_factory=list)

    def resume(self, order_id: str) -> bool:
        self.resumed.append(order_id)
        return True


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 50)
    return world


@pytest.fixture
def executions() -> Started:
    return Started()


def desk(world: World, executions: Started) -> Desk:
    def settled(order_id: str) -> Order:
        return settle(world.orders, order_id, at=now(), providers=world.providers)

    return Desk(world.orders, executions, Started(), settled)


def who(order_id: str) -> dict[str, Any]:
    return {"order_id": order_id, "at": now(), "actor": "user:1"}


def routed(world: World) -> str:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    world.route(order_id)
    return order_id


def troubled(world: World) -> str:
    order_id = routed(world)
    world.do(order_id, c.RaiseAttention("it is late"))
    return order_id


def with_a_failed_capture(world: World) -> str:
    order_id = routed(world)
    world.pack(order_id)
    world.ship(order_id)
    (capture,) = world.orders.get(order_id).payment.unsettled
    refused = c.RecordPaymentResult(
        capture.operation_id, 1, OperationStatus.FAILED, reason="no connection to the bank"
    )
    order = world.do(order_id, refused)
    assert order.attention == "capture failed: no connection to the bank"
    return order_id


def test_an_order_tries_again(world: World, executions: Started) -> None:
    order_id = troubled(world)

    order = decisions.retry(desk(world, executions), **who(order_id))

    assert (order.attention, outcome(order, Wait.ATTENTION)) == ("", "retry")
    assert executions.resumed == [order_id]


def test_a_failed_capture_is_asked_for_again_under_a_new_key(
    world: World, executions: Started
) -> None:
    order_id = with_a_failed_capture(world)

    order = decisions.retry(desk(world, executions), **who(order_id))

    assert order.attention == ""
    assert [o.attempt for o in order.payment.operations] == [1, 2]
    assert order.payment.captured == order.total == 2500


def test_money_that_fails_again_needs_a_decision_again(world: World, executions: Started) -> None:
    order_id = with_a_failed_capture(world)

    def refused(asked: str) -> Order:
        (capture,) = world.orders.get(asked).payment.unsettled
        command = c.RecordPaymentResult(capture.operation_id, 2, OperationStatus.FAILED)
        return world.do(asked, command)

    order = decisions.retry(Desk(world.orders, executions, Started(), refused), **who(order_id))

    assert order.attention.startswith("capture failed")


def test_a_card_that_was_declined_is_not_asked_again(world: World, executions: Started) -> None:
    said = an_order(payment={"provider": "fake", "token": "tok_declined"})
    order_id = world.place(said).order_id
    world.pay(order_id)
    world.do(order_id, c.RaiseAttention("declined"))

    order = decisions.retry(desk(world, executions), **who(order_id))

    assert [operation.attempt for operation in order.payment.operations] == [1]


def test_an_order_without_attention_is_set_going_too(world: World, executions: Started) -> None:
    order_id = routed(world)

    order = decisions.retry(desk(world, executions), **who(order_id))

    assert order.version == world.orders.get(order_id).version
    assert executions.resumed == [order_id]


def test_an_order_is_cancelled_with_its_stock_and_money(world: World, executions: Started) -> None:
    order_id = troubled(world)

    order = decisions.cancel(desk(world, executions), reason="", **who(order_id))

    assert (order.status, order.cancel_reason) == (OrderStatus.CANCELLED, "cancelled by staff")
    assert order.attention == ""
    assert world.level("MUG") == (50, 50, 0)
    assert [o.kind for o in order.payment.unsettled] == [OperationKind.VOID]
    assert executions.resumed == [order_id]


def test_what_has_left_goes_on_when_the_rest_is_cancelled(
    world: World, executions: Started
) -> None:
    world.receive("CUP", 1, "RENO")
    order_id = world.place(an_order(("MUG", 2), ("CUP", 1))).order_id
    world.pay(order_id)
    world.route(order_id)
    box = world.orders.get(order_id).fulfillment_orders[0]
    for kind in (c.PickFulfillmentOrder, c.PackFulfillmentOrder):
        world.do(order_id, kind(box.fulfillment_order_id))
    parcel = PackedParcel("manual", "M1", box.lines)
    ship = c.ShipFulfillmentOrder(box.fulfillment_order_id, (parcel,))
    world.do(order_id, ship, c.RaiseAttention("late"))

    order = decisions.cancel(desk(world, executions), reason="late", **who(order_id))

    assert order.status is OrderStatus.IN_FULFILLMENT
    assert not order.has_unshipped
    assert outcome(order, Wait.ATTENTION) == "retry"


def test_what_has_shipped_whole_is_not_cancelled(world: World, executions: Started) -> None:
    order_id = with_a_failed_capture(world)

    with pytest.raises(IllegalTransition):
        decisions.cancel(desk(world, executions), reason="", **who(order_id))


def test_an_ignored_order_is_left_alone_until_somebody_retries_it(
    world: World, executions: Started
) -> None:
    order_id = troubled(world)

    ignored = decisions.ignore(desk(world, executions), **who(order_id))
    assert (ignored.attention, ignored.resolution, executions.resumed) == ("", "ignore", [])

    retried = decisions.retry(desk(world, executions), **who(order_id))
    assert (retried.attention, retried.resolution) == ("", "retry")
    assert executions.resumed == [order_id]


@pytest.mark.parametrize("decide", [decisions.retry, decisions.ignore])
def test_there_is_nothing_to_decide_about_an_unknown_order(
    world: World, executions: Started, decide: Any
) -> None:
    with pytest.raises(NotFound):
        decide(desk(world, executions), **who("ord_none"))


def test_a_worker_killed_at_any_call_leaves_a_retry_to_be_finished(
    world: World, executions: Started
) -> None:
    order_id = with_a_failed_capture(world)

    deaths = survives(
        world, lambda mortal: decisions.retry(desk(mortal, executions), **who(order_id))
    )

    order = world.check(order_id)
    assert deaths > 6
    assert (order.attention, order.payment.captured) == ("", 2500)
    assert world.psp.moved(OperationKind.CAPTURE) == 2500


def test_a_worker_killed_at_any_call_leaves_a_cancellation_to_be_finished(
    world: World, executions: Started
) -> None:
    order_id = troubled(world)

    survives(
        world,
        lambda mortal: decisions.cancel(desk(mortal, executions), reason="", **who(order_id)),
    )

    assert world.check(order_id).status is OrderStatus.CANCELLED
    assert world.level("MUG") == (50, 50, 0)


def late(world: World) -> str:
    found = approved(world)
    world.do(f"ord_{found.return_id[4:-2]}", c.RaiseAttention("late", found.return_id))
    return found.return_id


def for_return(return_id: str) -> dict[str, Any]:
    return {"return_id": return_id, "at": now(), "actor": "user:1"}


def test_a_return_tries_again_and_is_started_if_it_stands_still(world: World) -> None:
    return_id, returns = late(world), Started()
    here = Desk(world.orders, Started(), returns, world.pay)

    for _ in range(2):
        order = decisions.retry_return(here, **for_return(return_id))

    found = order.return_(return_id)
    assert (found.attention, found.decision) == ("", "retry")
    assert returns.resumed == [return_id] * 2


def test_a_return_that_was_ignored_is_taken_up_again(world: World) -> None:
    return_id, returns = late(world), Started()
    here = Desk(world.orders, Started(), returns, world.pay)
    ignored = decisions.ignore_return(here, **for_return(return_id))
    assert ignored.return_(return_id).decision == "ignore"
    assert returns.resumed == []

    order = decisions.retry_return(here, **for_return(return_id))

    assert order.return_(return_id).decision == "retry"
    assert returns.resumed == [return_id]


def test_a_return_is_called_off_while_nothing_has_come(world: World) -> None:
    here = Desk(world.orders, Started(), Started(), world.pay)
    first, second = late(world), late(world)
    came = world.orders.get(f"ord_{second[4:-2]}").return_(second)
    world.do(f"ord_{second[4:-2]}", receipt(came))

    order = decisions.cancel_return(here, reason="", **for_return(first))

    assert order.return_(first).status is ReturnStatus.CANCELLED
    assert order.return_(first).attention == ""
    with pytest.raises(IllegalTransition):
        decisions.cancel_return(here, reason="", **for_return(second))
