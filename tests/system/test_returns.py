"""Goods come back: from the request to the money, and to the shelf."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from infra.local.client import Json, Refusal
from tests.cloud import eventually
from tests.system.shop import Shop, box_of, identity

pytestmark = pytest.mark.system

JUDGED = {"acceptance": "accepted", "disposition": "restock"}


def delivered(shop: Shop, sku: str, quantity: int = 2, **changes: Any) -> Json:
    order = shop.routed((sku, quantity), **changes)
    order_id = order["order_id"]
    shop.do(identity(box_of(order)), "accept", "pick", "pack")
    shop.scan(shop.ship(box_of(order)), "delivered")
    return shop.until(order_id, status="completed", payment_status="paid")


def asked_back(shop: Shop, order: Json, quantity: int = 1, **said: Any) -> str:
    line = {"line_id": "line_1", "quantity": quantity, "reason": "too_small"}
    body = {"lines": [line], "resolution": "refund", **said}
    answer = shop.api.post(f"/orders/{order['order_id']}/returns", body)
    return str(answer["return_id"])


def came_back(shop: Shop, return_id: str, quantity: int = 1) -> None:
    lines = [{"line_id": "line_1", "quantity": quantity, **JUDGED}]
    shop.api.post(f"/returns/{return_id}/receive", {"lines": lines})


def until_returned(shop: Shop, return_id: str) -> Json:
    def found() -> Json | None:
        answer = dict(shop.api.get(f"/returns/{return_id}"))
        return answer if answer["status"] == "completed" else None

    return dict(eventually(found, 30))


def test_a_return_gives_the_money_back_and_the_unit_to_the_shelf(shop: Shop) -> None:
    sku = shop.stocked(5)
    order = delivered(shop, sku)
    assert shop.units(sku) == (3, 3, 0)

    return_id = asked_back(shop, order)
    shop.api.post(f"/returns/{return_id}/approve")
    came_back(shop, return_id)

    done = until_returned(shop, return_id)
    refunded = shop.until(order["order_id"], refunded=1000, refundable=1500)
    assert done["refund_amount"] == 1000
    assert refunded["payment_status"] == "partially_refunded"
    assert refunded["return_status"] == "partially_returned"
    assert shop.units(sku) == (4, 4, 0)


def test_a_return_is_a_workflow_of_its_own_that_ends_when_it_is_settled(shop: Shop) -> None:
    order = delivered(shop, shop.stocked(5))
    return_id = asked_back(shop, order)
    shop.api.post(f"/returns/{return_id}/approve")
    machine = shop.app.outputs["ReturnWorkflow"].replace(":stateMachine:", ":execution:")

    def state() -> str:
        arn = f"{machine}:{return_id}"
        try:
            return str(shop.workflows.describe_execution(executionArn=arn)["status"])
        except shop.workflows.exceptions.ExecutionDoesNotExist:
            return "MISSING"

    assert eventually(lambda: state() == "RUNNING", 20)
    came_back(shop, return_id)
    assert eventually(lambda: state() == "SUCCEEDED", 40)


def test_a_refund_to_store_credit_is_in_the_customers_purse(shop: Shop) -> None:
    sku = shop.stocked(5)
    order = delivered(shop, sku, 1)
    return_id = asked_back(shop, order, resolution="store_credit")
    shop.api.post(f"/returns/{return_id}/approve")
    came_back(shop, return_id)
    until_returned(shop, return_id)

    purse = f"/customers/{order['customer_id']}/store-credit"

    def credited() -> bool:
        return bool(shop.api.get(purse, currency="USD")["available"] == 1000)

    assert eventually(credited, 30)
    assert shop.order(order["order_id"])["refunded"] == 1000


def test_goodwill_is_refunded_once_however_often_it_is_asked_for(shop: Shop) -> None:
    order = delivered(shop, shop.stocked(5))
    path, said = f"/orders/{order['order_id']}/refunds", {"amount": 500, "reason": "late"}

    for _ in range(3):
        shop.api.post(path, said, key="goodwill-1")

    assert shop.until(order["order_id"], refunded=500)["refundable"] == 2000


def test_an_exchange_is_sent_when_the_goods_have_come(shop: Shop) -> None:
    sku, other = shop.stocked(5), shop.stocked(5)
    order = delivered(shop, sku, 1)
    wanted = [{"sku": other, "quantity": 1, "unit_price": 1000}]
    return_id = asked_back(shop, order, resolution="exchange", exchange=wanted)
    shop.api.post(f"/returns/{return_id}/approve")

    def linked() -> str:
        return str(shop.api.get(f"/returns/{return_id}").get("linked_order", ""))

    linked_id = str(eventually(linked, 30))

    def holds() -> list[Json]:
        with suppress(Refusal):  # it is placed a moment later
            return list(shop.order(linked_id)["holds"])
        return []

    assert eventually(holds, 20)
    came_back(shop, return_id)

    eventually(lambda: all(each.get("released_at") for each in holds()), 30)
    shop.finish(linked_id)
    shop.until(linked_id, status="completed", paid=1000)  # its capture may come after its parcel
    assert shop.units(other) == (4, 4, 0)


def test_an_invoice_and_a_credit_note_are_numbered_and_printed(shop: Shop) -> None:
    order = delivered(shop, shop.stocked(5))
    return_id = asked_back(shop, order)
    shop.api.post(f"/returns/{return_id}/approve")
    came_back(shop, return_id)
    until_returned(shop, return_id)

    issued = shop.api.post(f"/orders/{order['order_id']}/documents")["items"]

    assert [(each["kind"], each["total"]) for each in issued] == [
        ("invoice", 2500),
        ("credit_note", 1000),
    ]
    assert issued[1]["refers_to"] == [issued[0]["number"]]
    assert shop.api.get(f"/documents/{issued[0]['number']}")["url"].startswith("http")


def test_the_books_balance_after_all_of_it(shop: Shop) -> None:
    books = shop.api.get("/books")

    assert books["differences"] == []
    assert books["balanced"]
