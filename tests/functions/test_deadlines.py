"""A deadline looks before it cancels: what the order waited for may have come meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from functions.inventory.wake_backorders import wake_backorders
from functions.payments.refund_payment import standing
from functions.routing.release_stock import release
from oms.adapters.payments.base import AmbiguousOutcome, Provider, Result
from oms.adapters.payments.settling import Undecided, look_up_pending
from oms.domain import commands as c
from oms.domain.events import PackedParcel
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.order import OrderStatus
from oms.domain.payment import OperationKind, OperationStatus, operation_key
from oms.domain.statuses import payment_status
from tests.fakes_psp import FakePsp
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud

YES = Result(OperationStatus.SUCCEEDED, "fake_1")
NO = Result(OperationStatus.FAILED, reason="the buyer did not confirm")
PENDING = Result(OperationStatus.PENDING, "fake_1")


class SilentPsp(FakePsp):
    """It is asked, and no answer arrives."""

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        raise AmbiguousOutcome(key)


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 10)
    return world


def pending(world: World) -> str:
    """An order whose buyer is at the bank."""
    order_id = world.place(an_order(("MUG", 2))).order_id
    bank_says(world, order_id, PENDING)
    assert payment_status(world.pay(order_id)) == "pending"
    return order_id


def bank_says(world: World, order_id: str, result: Result, operation: int = 0) -> None:
    """And its webhook never comes."""
    operations = world.orders.get(order_id).payment.operations
    world.psp.answers[operation_key(order_id, operations[operation])] = result


def backordered(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*(lines or (("LAMP", 2),)))).order_id
    world.pay(order_id)
    assert world.route(order_id) == "backordered"
    return order_id


def deadline(world: World, order_id: str, reason: str, psp: Provider | None = None) -> str:
    providers = {"fake": psp or world.psp}
    return release(world.orders, world.stock, order_id, reason, now(), providers)


def test_a_yes_that_was_recorded_just_before_the_deadline_is_not_cancelled(world: World) -> None:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)

    assert deadline(world, order_id, "expired") == "prepared"

    assert world.orders.get(order_id).status is OrderStatus.CONFIRMED
    assert world.route(order_id) == "routed"


def test_a_yes_whose_webhook_was_lost_is_looked_up_before_the_order_expires(world: World) -> None:
    order_id = pending(world)
    bank_says(world, order_id, YES)

    assert deadline(world, order_id, "expired") == "prepared"

    assert world.check(order_id).payment.authorized == 2500
    assert world.route(order_id) == "routed"


def test_a_no_whose_webhook_was_lost_goes_on_as_declined(world: World) -> None:
    order_id = pending(world)
    bank_says(world, order_id, NO)

    assert deadline(world, order_id, "expired") == "prepared"
    assert world.route(order_id) == "declined"


def test_a_buyer_who_has_not_decided_in_time_has_no_order(world: World) -> None:
    order_id = pending(world)

    assert deadline(world, order_id, "expired") == "released"

    order = world.pay(order_id)
    assert (order.status, order.payment.unsettled) == (OrderStatus.EXPIRED, ())


def test_while_the_bank_cannot_be_asked_the_order_waits_once_more(world: World) -> None:
    order_id = pending(world)

    assert deadline(world, order_id, "expired", SilentPsp()) == "prepared"

    assert payment_status(world.orders.get(order_id)) == "pending"
    with pytest.raises(Undecided):
        look_up_pending(world.orders, order_id, at=now(), providers={"fake": SilentPsp()})


def test_stock_that_came_just_before_the_deadline_is_used(world: World) -> None:
    order_id = backordered(world)
    world.receive("LAMP", 2)
    assert wake_backorders(world.routing, "LAMP", world.orders.get(order_id).placed_at)

    assert deadline(world, order_id, "out_of_stock") == "prepared"

    assert world.route(order_id) == "routed"


def test_stock_that_never_came_cancels_the_order_and_gives_the_money_back(world: World) -> None:
    order_id = backordered(world)

    assert deadline(world, order_id, "out_of_stock") == "released"

    assert standing(world.pay(order_id)) == "cancelled"
    assert world.psp.moved(OperationKind.VOID) == 2500


@pytest.mark.parametrize("reason", ["expired", "out_of_stock"])
def test_a_deadline_that_comes_after_the_cancellation_releases_what_is_left(
    world: World, reason: str
) -> None:
    order_id = backordered(world)
    world.cancel(order_id)

    assert deadline(world, order_id, reason) == "released"


def test_only_deadlines_look_first_and_a_wish_to_cancel_is_followed(world: World) -> None:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)

    assert deadline(world, order_id, "declined") == "released"
    assert world.orders.get(order_id).status is OrderStatus.CANCELLED


def test_an_order_with_a_part_under_way_is_not_called_cancelled(world: World) -> None:
    order_id = half_shipped(world)

    assert deadline(world, order_id, "out_of_stock") == "released"

    order = world.pay(order_id)
    assert (order.status, standing(order)) == (OrderStatus.IN_FULFILLMENT, "remainder")
    assert world.route(order_id) == "routed"
    assert standing(world.deliver(order_id)) == "remainder"
    assert world.orders.get(order_id).status is OrderStatus.COMPLETED


def half_shipped(world: World) -> str:
    """The lamps are gone from the shelf, the mugs are with the carrier."""
    world.receive("LAMP", 1, "RENO")
    order_id = world.place(an_order(("MUG", 2), ("LAMP", 1))).order_id
    world.pay(order_id)
    assert world.route(order_id) == "routed"
    for box in world.orders.get(order_id).fulfillment_orders:
        if box.location_id == "RENO":
            world.do(order_id, c.RejectFulfillmentOrder(box.fulfillment_order_id, "no lamp here"))
    world.do(order_id, c.Backorder((Quantity("line_2", 1),)))
    ship_the_rest(world, order_id)
    return order_id


def ship_the_rest(world: World, order_id: str) -> None:
    for box in world.orders.get(order_id).fulfillment_orders:
        if box.status is FulfillmentStatus.OPEN:
            identity = box.fulfillment_order_id
            parcel = PackedParcel("easypost", "EZ-MUGS", box.lines)
            world.do(
                order_id,
                c.PickFulfillmentOrder(identity),
                c.PackFulfillmentOrder(identity),
                c.ShipFulfillmentOrder(identity, (parcel,)),
            )


@pytest.mark.parametrize("kind", [OperationKind.CAPTURE, OperationKind.VOID])
def test_a_pending_capture_or_void_is_asked_about_until_it_has_ended(
    world: World, kind: OperationKind
) -> None:
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)
    world.route(order_id)
    if kind is OperationKind.CAPTURE:
        world.pack(order_id)
        world.ship(order_id)
    else:
        world.do(order_id, c.CancelOrder("changed my mind"))
    bank_says(world, order_id, PENDING, operation=1)
    for _ in range(2):
        assert world.pay(order_id).payment.operations[1].status is OperationStatus.PENDING
    bank_says(world, order_id, YES, operation=1)

    world.pay(order_id)

    assert world.check(order_id).payment.unsettled == ()
