"""An order is found by the parcel that somebody has in hand."""

from __future__ import annotations

from typing import Any

import pytest

from functions.capture.api import of_parcel
from oms.contracts.api.orders import OrderQuery
from oms.contracts.invalid import InvalidRequest
from tests.functions.world import World, an_order

pytestmark = pytest.mark.cloud


@pytest.fixture
def world(dynamodb: Any) -> World:
    return World.new(dynamodb)


def found(world: World, tracking: str, **more: Any) -> list[str]:
    query = OrderQuery.read({"tracking": tracking, **more})
    return [each.order_id for each in of_parcel(world.orders, query, tracking).items]


def test_a_parcel_leads_to_its_order_however_its_number_is_spaced(world: World) -> None:
    world.receive("MUG", 5)
    order_id = world.place(an_order()).order_id
    world.pay(order_id)
    world.route(order_id)
    world.pack(order_id)
    ((parcel,),) = (box.parcels for box in world.ship(order_id).fulfillment_orders)
    number = parcel.tracking_number

    assert found(world, f"easypost:{number}") == [order_id]
    assert found(world, f"easypost:{number[:4]} {number[4:]}") == [order_id]
    assert found(world, f"easypost:{number}", status="cancelled") == []
    assert found(world, "ups:1Z") == []


@pytest.mark.parametrize("said", ["1Z", ":1Z", "ups:", "UPS:1Z", "ups:" + "9" * 80])
def test_what_names_no_parcel_is_refused(said: str) -> None:
    with pytest.raises(InvalidRequest):
        OrderQuery.read({"tracking": said})
    with pytest.raises(InvalidRequest):
        OrderQuery.read({"tracking": "ups:1Z", "customer": "cus_1"})
