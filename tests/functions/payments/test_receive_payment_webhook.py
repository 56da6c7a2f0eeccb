"""One provider tells of its own orders only."""

import json
import time
from typing import Any

import pytest

from functions.payments import receive_payment_webhook
from oms.adapters.payments import sandbox
from oms.domain.order import Order
from oms.domain.payment import operation_key
from tests.functions.doors import SECRETS, House, ask, house
from tests.functions.world import World, an_order

__all__ = ["house"]
pytestmark = pytest.mark.cloud


def placed(house: House, provider: str) -> Order:
    client, names = house.cloud.client("dynamodb"), house.environment
    world = World(client, names["ORDERS_TABLE"], names["STOCK_TABLE"])
    return world.place(an_order(payment={"provider": provider, "token": "tok_3ds"}))


def tell(order: Order) -> tuple[int, Any]:
    """As the provider `test` would."""
    key = operation_key(order.order_id, order.payment.operations[0])
    told = {"event": "authorization.succeeded", "order_id": order.order_id, "key": key}
    body = json.dumps(told).encode()
    signed = {"Test-Signature": sandbox.signature(body, SECRETS["test"], int(time.time()))}
    route = "POST /payments/{provider}/webhooks"
    return ask(receive_payment_webhook, route, body, headers=signed, provider="test")


def test_a_provider_settles_its_own_operations(house: House) -> None:
    order = placed(house, "test")

    assert tell(order) == (200, {"order_id": order.order_id})
    assert house.orders.get(order.order_id).payment.authorized == order.total


@pytest.mark.parametrize("provider", ["external", "fake"])
def test_a_provider_settles_nobody_elses_operations(house: House, provider: str) -> None:
    order = placed(house, provider)

    status, problem = tell(order)

    assert (status, problem["title"]) == (404, "Not found")
    assert house.orders.get(order.order_id) == order
