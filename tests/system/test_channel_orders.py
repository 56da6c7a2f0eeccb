"""Orders that a sales channel took come in by its webhook, each once."""

from functools import partial
from uuid import uuid4

import pytest

from infra.local.client import Json
from tests.system.shop import Shop, at_once

pytestmark = pytest.mark.system

STORE = "mugs.myshopify.com"


def shopify_order(sku: str) -> Json:
    return {
        "id": uuid4().int % 10**18,
        "currency": "USD",
        "financial_status": "paid",
        "email": f"{sku}@example.com",
        "total_price": "25.00",
        "line_items": [
            {"id": 1, "sku": sku, "quantity": 2, "price": "10.00", "requires_shipping": True}
        ],
        "shipping_lines": [{"code": "standard", "price": "5.00"}],
        "shipping_address": {
            "name": "Ada Byron",
            "address1": "1 Main St",
            "city": "Austin",
            "zip": "78701",
            "province_code": "TX",
            "country_code": "US",
        },
    }


def test_a_shopify_order_told_three_times_at_once_is_one_paid_order(shop: Shop) -> None:
    sku = shop.stocked(5)
    order = shopify_order(sku)

    told = at_once([partial(shop.api.shopify, order, STORE)] * 3)

    (order_id,) = {answer["order_id"] for answer in told}
    routed = shop.until(order_id, status="in_fulfillment", payment_status="paid")
    assert (routed["channel"], routed["paid"]) == (f"shopify:{STORE}", 2500)
    assert shop.units(sku) == (5, 3, 2)
    assert shop.history(order_id) == ["OrderPlaced", "OrderRouted"]
    shop.finish(order_id)
    done = shop.until(order_id, status="completed", payment_status="paid")
    assert done["paid"] == 2500
    assert shop.told(done, ["has arrived", "is on its way"])


def test_a_cancelled_channel_order_owes_the_buyer_its_money(shop: Shop) -> None:
    sku = shop.stocked(5)
    order_id = shop.api.shopify(shopify_order(sku), STORE)["order_id"]
    shop.until(order_id, status="in_fulfillment")

    shop.cancel(order_id)

    gone = shop.until(order_id, status="cancelled", payment_status="refunded")
    assert (gone["paid"], gone["refunded"]) == (2500, 2500)
    assert shop.units(sku) == (5, 5, 0)
    assert shop.history(order_id).count("PaymentRefunded") == 1


def test_a_create_under_a_number_that_we_know_changes_nothing(shop: Shop) -> None:
    order = shopify_order(shop.stocked(5))
    first = shop.api.shopify(order, STORE)

    told = shop.api.shopify({**order, "email": "eve@example.com"}, STORE)

    assert told == {"outcome": "duplicate", "order_id": first["order_id"]}
    assert shop.history(first["order_id"])[0] == "OrderPlaced"


def test_a_channel_sells_what_we_have_not_received_yet(shop: Shop) -> None:
    sku = f"UNSEEN-{uuid4().hex[:8]}"
    order_id = shop.api.shopify(shopify_order(sku), STORE)["order_id"]
    shop.until(order_id, fulfillment_status="backordered")
    shop.until_at(order_id, "Await stock")

    shop.receive(sku, 2)

    shop.until(order_id, fulfillment_status="allocated")
    assert shop.units(sku) == (2, 0, 2)


def test_a_till_order_without_an_address_waits_for_a_person(shop: Shop) -> None:
    order = {**shopify_order(shop.stocked(5)), "shipping_address": None}

    order_id = shop.api.shopify(order, STORE)["order_id"]

    shop.until_at(order_id, "Await release")
    assert [hold["type"] for hold in shop.order(order_id)["holds"]] == ["address"]
