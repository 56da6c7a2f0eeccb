"""An order paid by Stripe (a stand-in of it), with workers that die at every write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.payments.settling import settle
from oms.adapters.payments.stripe import Stripe
from oms.adapters.payments.stripe_client import client
from oms.domain import commands as c
from oms.domain.events import PackedParcel
from oms.domain.order import Order
from tests.functions.world import RENO, World, an_order, now, survives
from tests.payment_stands import KEY_OF_STRIPE, stripe_address

__all__ = ["stripe_address"]
pytestmark = pytest.mark.cloud
PAID_BY = {"provider": "stripe", "token": "pm_card_visa"}


@pytest.fixture
def stripe(stripe_address: str) -> Any:
    return client(KEY_OF_STRIPE, stripe_address)


@pytest.fixture
def pay(stripe: Any) -> Callable[[World, str], Order]:
    providers = {"stripe": Stripe(lambda: stripe)}

    def paid(world: World, order_id: str) -> Order:
        deadlines = world.agenda
        return settle(world.orders, order_id, at=now(), providers=providers, deadlines=deadlines)

    return paid


def intents(stripe: Any, order_id: str) -> list[Any]:
    query = {"query": f"metadata['order_id']:'{order_id}'"}
    return list(stripe.v1.payment_intents.search(query).auto_paging_iter())


def test_an_order_in_two_parcels_is_charged_for_each_once(
    dynamodb: Any, stripe: Any, pay: Callable[[World, str], Order]
) -> None:
    world = World.new(dynamodb)
    world.receive("MUG", 1)
    world.receive("CUP", 1, RENO.location_id)
    said = an_order(("MUG", 1), ("CUP", 1), external_id=uuid4().hex, payment=PAID_BY)
    order_id = world.place(said).order_id

    assert survives(world, lambda mortal: pay(mortal, order_id)) > 0
    assert world.route(order_id) == "routed"
    for box in world.orders.get(order_id).fulfillment_orders:
        ship_box(world, order_id, box.fulfillment_order_id)
        assert survives(world, lambda mortal: pay(mortal, order_id)) > 0

    payment = world.orders.get(order_id).payment
    assert (payment.authorized, payment.captured) == (2500, 2500)
    assert sum(it.amount_received for it in intents(stripe, order_id)) == 2500
    assert len(intents(stripe, order_id)) == 2


def ship_box(world: World, order_id: str, box: str) -> None:
    held = world.orders.get(order_id).fulfillment_order(box)
    parcel = PackedParcel("easypost", f"EZ-{box}", held.lines)
    for command in (
        c.PickFulfillmentOrder(box),
        c.PackFulfillmentOrder(box),
        c.ShipFulfillmentOrder(box, (parcel,)),
    ):
        world.orders.change(order_id, command, at=now(), actor="test")


def test_a_cancelled_order_leaves_nothing_reserved(
    dynamodb: Any, stripe: Any, pay: Callable[[World, str], Order]
) -> None:
    world = World.new(dynamodb)
    said = an_order(external_id=uuid4().hex, payment=PAID_BY)
    order_id = world.place(said).order_id
    pay(world, order_id)
    world.orders.change(order_id, c.CancelOrder("requested"), at=now(), actor="test")

    assert survives(world, lambda mortal: pay(mortal, order_id)) > 0

    assert world.orders.get(order_id).payment.voided == 2500
    assert [it.status for it in intents(stripe, order_id)] == ["canceled"]
