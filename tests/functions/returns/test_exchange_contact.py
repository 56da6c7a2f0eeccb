"""Who an exchange goes to: copied inside the vault, or told to a person when nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from functions.returns import place_exchange
from oms.adapters.dynamodb import transact
from oms.adapters.vault import vault
from oms.domain import commands as c
from oms.domain.contact import Contact
from oms.domain.order import Order
from oms.domain.returns import ExchangeLine, Resolution, ReturnLine, Terms
from tests.builders import line, paid
from tests.functions.doors import House, house
from tests.functions.world import World, an_order

__all__ = ["house"]
pytestmark = pytest.mark.cloud
ADA = Contact("ada@example.com", "Ada")


def exchanged(house: House) -> Order:
    """Approved, and nothing else of it was done yet."""
    world = World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )
    house.stocked("MUG", 5)
    placed = world.place(an_order(("MUG", 2))).order_id
    world.do(placed, paid("op_1"))
    world.route(placed)
    world.pack(placed)
    world.ship(placed)
    world.do(placed, *(paid(x.operation_id) for x in world.orders.get(placed).payment.unsettled))
    world.deliver(placed)
    wanted, lines = (ExchangeLine(line(1, sku="MUG")),), (ReturnLine("line_1", 1),)
    return world.do(
        placed, c.RequestReturn(lines, Resolution.EXCHANGE, exchange=wanted, terms=Terms())
    )


def told(order: Order) -> Any:
    detail = {"order_id": order.order_id, "data": {"return_id": order.returns[0].return_id}}
    return place_exchange.handler({"detail-type": "ExchangePlaced", "detail": detail}, None)


def test_the_exchange_goes_to_who_the_goods_come_from(house: House) -> None:
    order = exchanged(house)
    kept = vault().contact_write(order.customer_id, order.order_id, ADA)
    transact(house.cloud.client("dynamodb"), [kept])

    assert told(order)["outcome"] == told(order)["outcome"] == "waiting"

    linked = order.returns[0].linked_order
    assert vault().contact(order.customer_id, linked) == ADA
    assert house.orders.get(linked).linked_to == order.returns[0].return_id


def test_a_person_is_told_where_nobody_knows_who_it_goes_to(house: House) -> None:
    order = exchanged(house)

    assert told(order)["outcome"] == "no contact"

    assert "is not known any more" in house.orders.get(order.order_id).returns[0].attention
