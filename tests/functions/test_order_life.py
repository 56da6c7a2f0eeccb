"""An order's life through its functions, on real tables: paid once, shipped once, or undone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.inventory.wake_backorders import wake_backorders
from oms.adapters.orders_table import once_key
from oms.adapters.payments.sandbox import Sandbox
from oms.adapters.payments.settling import Undecided, settle
from oms.domain import commands as c
from oms.domain.errors import Conflict, IllegalTransition, QuantityExceeded
from oms.domain.events import PackedParcel
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.order import OrderStatus
from oms.domain.payment import OperationKind
from oms.domain.statuses import fulfillment_status, payment_status
from tests.fakes_psp import Fault
from tests.functions.world import AUSTIN, RENO, World, an_order, now, survives

pytestmark = pytest.mark.cloud


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    world.receive("CUP", 10)
    world.receive("CUP", 10, "RENO")
    return world


def placed(world: World, **changes: Any) -> str:
    return world.place(an_order(**changes)).order_id


def routed(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    assert world.route(order_id) == "routed"
    return order_id


def test_an_order_goes_from_placed_to_completed_and_everything_balances(world: World) -> None:
    order_id = placed(world)

    world.pay(order_id)
    assert world.route(order_id) == "routed"
    assert world.level("MUG") == (10, 8, 2)
    world.pack(order_id)
    world.ship(order_id)
    world.pay(order_id)
    world.deliver(order_id)

    order = world.check(order_id)
    assert order.status is OrderStatus.COMPLETED
    assert (payment_status(order), fulfillment_status(order)) == ("paid", "delivered")
    assert world.level("MUG") == (8, 8, 0)
    assert world.psp.moved(OperationKind.CAPTURE) == 2500


def test_the_same_order_placed_again_is_the_same_order(world: World) -> None:
    said = an_order()

    first, again = world.place(said, "key-1"), world.place(said, "key-1")

    assert first == again
    assert world.orders.get(first.order_id).version == 1


def test_another_body_under_the_same_channel_id_or_key_is_a_conflict(world: World) -> None:
    said = an_order()
    world.place(said, "key-2")

    with pytest.raises(Conflict):
        world.place(an_order(("MUG", 3), external_id=said.external_id))
    with pytest.raises(Conflict):
        world.place(an_order(), "key-2")


def test_fifty_requests_for_one_order_at_once_place_it_once(world: World) -> None:
    said = an_order()

    with ThreadPoolExecutor(16) as threads:
        orders = list(threads.map(lambda _: world.place(said, "key-3"), range(50)))

    assert len({order.order_id for order in orders}) == 1
    assert len(world.orders.whole_history(orders[0].order_id)) == 1


def test_two_hundred_buyers_race_for_twenty_units_and_twenty_get_one(world: World) -> None:
    world.receive("RARE", 20)
    order_ids = []
    for _ in range(200):
        order_ids.append(world.place(an_order(("RARE", 1))).order_id)
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(world.pay, order_ids))
        outcomes = list(threads.map(world.route, order_ids))

    assert outcomes.count("routed") == 20
    assert outcomes.count("backordered") == 180
    assert world.level("RARE") == (20, 0, 20)
    assert len(world.stock.waiting("RARE", 300)) == 180


def test_a_declined_payment_takes_no_stock_and_no_money(world: World) -> None:
    order_id = placed(world, payment={"provider": "fake", "token": "tok_declined"})

    world.pay(order_id)

    assert world.route(order_id) == "declined"
    assert world.cancel(order_id, "payment declined").status is OrderStatus.CANCELLED
    assert world.level("MUG") == (10, 10, 0)
    assert world.psp.movements == []


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.LOST_REQUEST])
def test_a_lost_answer_never_authorizes_or_captures_twice(world: World, fault: Fault) -> None:
    order_id = placed(world)
    world.psp.faults = deque([fault])
    for _ in range(2):
        try:
            world.pay(order_id)
        except Undecided:
            continue
    world.route(order_id)
    world.pack(order_id)
    world.ship(order_id)
    world.psp.faults = deque([fault])
    for _ in range(2):
        try:
            world.pay(order_id)
        except Undecided:
            continue

    assert world.psp.moved(OperationKind.AUTHORIZE) == 2500
    assert world.psp.moved(OperationKind.CAPTURE) == 2500
    assert world.check(order_id).payment.captured == 2500


def test_a_capture_that_failed_for_certain_is_tried_again_under_a_new_key(world: World) -> None:
    order_id = routed(world)
    world.pack(order_id)
    world.ship(order_id)
    world.psp.faults = deque([Fault.REFUSED])
    assert "capture failed" in world.pay(order_id).attention

    world.do(order_id, c.RetryPaymentOperation("op_2"), c.ResolveAttention("retry"))
    world.pay(order_id)

    keys = [key for kind, key in world.psp.calls if kind is OperationKind.CAPTURE]
    assert len(set(keys)) == 2
    assert world.psp.moved(OperationKind.CAPTURE) == 2500


CANCELLABLE: dict[str, Callable[[World, str], Any]] = {
    "placed": lambda world, order_id: None,
    "paid": lambda world, order_id: world.pay(order_id),
    "routed": lambda world, order_id: (world.pay(order_id), world.route(order_id)),
    "packed": lambda world, order_id: (
        world.pay(order_id),
        world.route(order_id),
        world.pack(order_id),
    ),
}


@pytest.mark.parametrize("stage", CANCELLABLE)
def test_cancel_gives_stock_and_money_back_exactly_once(world: World, stage: str) -> None:
    order_id = placed(world)
    CANCELLABLE[stage](world, order_id)

    for _ in range(3):
        world.cancel(order_id)

    order = world.check(order_id)
    assert order.status is OrderStatus.CANCELLED
    assert world.level("MUG") == (10, 10, 0)
    authorized = world.psp.moved(OperationKind.AUTHORIZE)
    assert world.psp.moved(OperationKind.VOID) == authorized
    assert world.psp.moved(OperationKind.CAPTURE) == 0
    assert len(world.psp.movements) == (2 if authorized else 0)


def test_an_authorization_that_arrives_after_the_cancellation_is_voided(world: World) -> None:
    order_id = placed(world)
    world.psp.faults = deque([Fault.LOST_REQUEST])
    with pytest.raises(Undecided):
        world.pay(order_id)
    world.do(order_id, c.CancelOrder("changed my mind"))
    key = world.psp.calls[0][1]
    world.psp.authorize(key, 2500, "USD", "tok_ok")  # it had arrived after all

    world.pay(order_id)
    order = world.pay(order_id)

    assert payment_status(order) == "voided"
    assert world.psp.moved(OperationKind.VOID) == 2500


def test_what_has_shipped_cannot_be_cancelled_and_the_rest_can(world: World) -> None:
    world.receive("POT", 1, "RENO")
    order_id = routed(world, ("MUG", 2), ("POT", 1))
    first, second = world.orders.get(order_id).fulfillment_orders
    assert {first.location_id, second.location_id} == {"AUSTIN", "RENO"}
    austin = next(x for x in (first, second) if x.location_id == "AUSTIN").fulfillment_order_id
    world.do(order_id, c.PickFulfillmentOrder(austin), c.PackFulfillmentOrder(austin))
    lines = world.orders.get(order_id).fulfillment_order(austin).lines
    parcel = PackedParcel("easypost", "EZ-AUSTIN", lines)
    world.do(order_id, c.ShipFulfillmentOrder(austin, (parcel,)))
    world.do(order_id, c.CancelOrder("the rest"))
    order = world.pay(order_id)

    assert world.psp.moved(OperationKind.CAPTURE) == 2500
    assert world.psp.moved(OperationKind.VOID) == 1000
    assert world.level("POT", "RENO") == (1, 1, 0)
    with pytest.raises(IllegalTransition):
        world.do(order_id, c.CancelOrder("all of it"))
    world.deliver(order_id)
    assert world.check(order.order_id).status is OrderStatus.COMPLETED


def test_cancelling_some_units_twice_under_one_key_cancels_them_once(world: World) -> None:
    order_id = routed(world, ("MUG", 5))
    command = c.CancelOrder("two too many", (Quantity("line_1", 2),))
    once = once_key(order_id, "replay-1", {"lines": 2})

    for _ in range(3):
        world.orders.change(order_id, command, at=now(), actor="t", once=once)

    assert world.check(order_id).line("line_1").cancelled == 2
    assert world.level("MUG") == (10, 7, 3)
    other = once_key(order_id, "replay-1", {"lines": 3})
    with pytest.raises(Conflict):
        world.orders.change(order_id, command, at=now(), actor="t", once=other)


def test_twenty_cancellations_of_all_units_at_once_release_them_once(world: World) -> None:
    order_id = routed(world, ("MUG", 5))

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda _: world.cancel(order_id), range(20)))

    assert world.check(order_id).status is OrderStatus.CANCELLED
    assert world.level("MUG") == (10, 10, 0)
    assert world.psp.moved(OperationKind.VOID) == 5500


def test_a_ship_and_a_cancellation_race_and_one_of_them_wins(world: World) -> None:
    for _ in range(5):
        order_id = routed(world, ("CUP", 1))
        world.pack(order_id)

        def attempt(deed: Any, order_id: str = order_id) -> bool:
            try:
                deed(order_id)
            except (IllegalTransition, QuantityExceeded):
                return False
            return True

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(attempt, (world.ship, world.cancel)))
        order = world.pay(order_id)
        world.check(order_id)
        box = order.fulfillment_orders[0]
        shipped = box.status is FulfillmentStatus.SHIPPED
        assert shipped != (order.status is OrderStatus.CANCELLED)
        assert payment_status(order) == ("paid" if shipped else "voided")


def test_a_rejected_fulfillment_order_goes_to_another_location(world: World) -> None:
    order_id = routed(world, ("CUP", 3))
    box = world.orders.get(order_id).fulfillment_orders[0]
    assert box.location_id == AUSTIN.location_id

    world.do(order_id, c.RejectFulfillmentOrder(box.fulfillment_order_id, "shelf is empty"))
    assert world.route(order_id) == "routed"

    order = world.check(order_id)
    assert [x.location_id for x in order.fulfillment_orders] == ["AUSTIN", RENO.location_id]
    assert world.level("CUP", "RENO") == (10, 7, 3)
    assert world.level("CUP", "AUSTIN") == (10, 10, 0)


def test_a_backordered_order_stands_in_line_and_is_filled_when_stock_arrives(world: World) -> None:
    order_id = world.place(an_order(("LAMP", 2))).order_id
    world.pay(order_id)
    assert world.route(order_id) == "backordered"
    assert world.route(order_id) == "backordered"
    world.receive("LAMP", 2)

    assert wake_backorders(world.routing, "LAMP", world.orders.get(order_id).placed_at)
    assert world.route(order_id) == "routed"

    world.check(order_id)
    assert world.level("LAMP") == (2, 0, 2)
    assert world.stock.waiting("LAMP", 10) == ()


def test_stock_that_arrives_while_an_order_joins_the_line_is_not_missed(world: World) -> None:
    order_id = world.place(an_order(("LAMP", 1))).order_id
    world.pay(order_id)
    routing = world.routing
    look = routing.stock.levels

    def late(*asked: Any, **how: Any) -> Any:
        """The first look sees nothing; the goods come in right after it."""
        seen = look(*asked, **how)
        routing.stock.levels = look  # type: ignore[method-assign]
        world.receive("LAMP", 1)
        return seen

    routing.stock.levels = late  # type: ignore[method-assign]

    assert routing.router(now()).route(order_id) == "routed"
    assert world.stock.waiting("LAMP", 10) == ()


def large(world: World, skus: int = 95) -> str:
    lines = tuple((f"S{i:03d}", 2) for i in range(skus))
    for sku, quantity in lines:
        world.receive(sku, quantity + 1)
    return world.place(an_order(*lines)).order_id


def test_an_order_larger_than_a_transaction_is_taken_shipped_and_balances(world: World) -> None:
    order_id = large(world)
    world.pay(order_id)

    assert world.route(order_id) == "routed"
    assert world.level("S094") == (3, 1, 2)
    world.pack(order_id)
    world.ship(order_id)
    world.pay(order_id)
    world.deliver(order_id)

    order = world.check(order_id)
    assert order.status is OrderStatus.COMPLETED
    assert order.owed_stock == ()
    assert world.level("S000") == world.level("S094") == (1, 1, 0)


def test_a_large_order_that_meets_a_shortage_gives_everything_back(world: World) -> None:
    order_id = large(world)
    world.pay(order_id)
    stolen = routed(world, ("S094", 2))

    assert world.route(order_id) == "backordered"

    assert world.level("S000") == (3, 3, 0)
    assert world.level("S094") == (3, 1, 2)
    assert world.check(stolen).status is OrderStatus.IN_FULFILLMENT


DEEDS = {
    "pay": lambda world, order_id: world.pay(order_id),
    "route": lambda world, order_id: world.route(order_id),
    "pack": lambda world, order_id: world.pack(order_id),
    "ship": lambda world, order_id: world.ship(order_id),
    "capture": lambda world, order_id: world.pay(order_id),
    "deliver": lambda world, order_id: world.deliver(order_id),
}


def test_a_crash_before_or_after_any_call_changes_nothing_in_the_end(world: World) -> None:
    said = an_order(("MUG", 2), ("CUP", 1))
    deaths = survives(world, lambda mortal: mortal.place(said, "key-crash"))
    order_id = world.place(said).order_id
    for deed in DEEDS.values():
        deaths += survives(world, lambda mortal, deed=deed: deed(mortal, order_id))  # type: ignore[misc]

    order = world.check(order_id)
    assert deaths > 20
    assert order.status is OrderStatus.COMPLETED
    assert (
        world.psp.moved(OperationKind.CAPTURE) == world.psp.moved(OperationKind.AUTHORIZE) == 3500
    )
    assert world.level("MUG") == (8, 8, 0)
    assert (
        sum(isinstance(f.event, object) for f in world.orders.whole_history(order_id))
        == order.version
    )


@pytest.mark.slow
def test_a_crash_anywhere_in_a_large_order_strands_nothing(world: World) -> None:
    order_id = large(world, 55)
    world.pay(order_id)
    deaths = survives(world, lambda mortal: mortal.route(order_id))
    world.pack(order_id)

    deaths += survives(world, lambda mortal: mortal.cancel(order_id))

    assert deaths > 10
    assert world.check(order_id).status is OrderStatus.CANCELLED
    assert {world.level(f"S{i:03d}") for i in range(55)} == {(3, 3, 0)}
    assert world.psp.moved(OperationKind.VOID) == world.psp.moved(OperationKind.AUTHORIZE)


def test_a_pending_authorization_of_a_cancelled_order_is_withdrawn(world: World) -> None:
    order_id = placed(world, payment={"provider": "fake", "token": "tok_3ds"})
    bank = {"fake": Sandbox()}
    settle(world.orders, order_id, at=now(), providers=bank)
    assert world.route(order_id) == "payment_pending"

    world.do(order_id, c.CancelOrder("changed my mind"))
    order = settle(world.orders, order_id, at=now(), providers=bank)

    assert order.payment.unsettled == ()
    assert order.payment.operations[0].reason == "withdrawn: the order was cancelled"
    assert payment_status(order) == "declined"
