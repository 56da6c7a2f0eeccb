"""What Shopify says of an order, through the entry: to the cent, in whichever order it comes."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.capture.intake import intake
from oms.adapters.channels import CHANNELS
from oms.adapters.webhooks import Call
from oms.domain.ids import order_id_of
from oms.domain.order import Order
from oms.domain.payment import OperationKind
from tests.functions.doors import House, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

AT = datetime(2026, 5, 1, tzinfo=UTC)
SHOP = "mugs.myshopify.com"
numbers = itertools.count(int(datetime.now(UTC).timestamp() * 1000))


def an_order(number: int, left: int, status: str) -> dict[str, Any]:
    """Three at 10.00 with 3.00 tax, 5.00 shipping: 38.00; units taken out were 11.00 each."""
    line = {"id": 11, "variant_id": 21, "sku": "MUG", "quantity": 3, "price": "10.00"}
    tax = {"title": "VAT", "rate": 0.1, "price": "3.00"}
    return {
        "id": number,
        "currency": "USD",
        "financial_status": status,
        "total_price": "38.00",
        "updated_at": f"2026-04-0{4 - left}T10:00:00Z",
        "line_items": [{**line, "current_quantity": left, "tax_lines": [tax]}],
        "shipping_lines": [{"code": "Std", "price": "5.00"}],
        "shipping_address": {"name": "Ada", "address1": "1 Road", "country_code": "US"},
    }


def a_refund(number: int) -> dict[str, Any]:
    money = {"kind": "refund", "status": "success", "amount": "11.00", "currency": "USD"}
    line = {"line_item_id": 11, "quantity": 1, "line_item": {"sku": "MUG"}}
    return {"id": 7, "order_id": number, "refund_line_items": [line], "transactions": [money]}


def hear(topic: str, body: dict[str, Any]) -> None:
    headers = {"x-shopify-topic": topic, "x-shopify-shop-domain": SHOP}
    intake().take(CHANNELS["shopify"], Call(json.dumps(body).encode(), headers), AT)


def books(house: House, number: int) -> tuple[int, int, int, int]:
    order: Order = house.orders.get(order_id_of(f"shopify:{SHOP}", str(number)))
    paid = order.payment
    units = sum(line.quantity - line.cancelled for line in order.lines)
    taken = paid.committed(OperationKind.CAPTURE)
    return units, order.payable, taken, paid.committed(OperationKind.REFUND)


def test_a_unit_that_was_taken_out_and_paid_back_comes_to_the_same_in_any_order(
    house: House,
) -> None:
    for told in itertools.permutations(("create", "update", "refund")):
        number = next(numbers)
        said = {
            "create": ("orders/create", an_order(number, 3, "paid")),
            "update": ("orders/updated", an_order(number, 2, "partially_refunded")),
            "refund": ("refunds/create", a_refund(number)),
        }
        for each in (*told, *told):
            hear(*said[each])

        assert books(house, number) == (2, 2700, 3800, 1100), told


def test_an_order_that_is_first_heard_of_without_a_unit_has_its_refund_in_the_books(
    house: House,
) -> None:
    number = next(numbers)
    hear("orders/updated", an_order(number, 2, "partially_refunded"))
    hear("refunds/create", a_refund(number))

    assert books(house, number) == (2, 2700, 3800, 1100)
