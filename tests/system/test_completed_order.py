"""The main job: an order from the storefront's request to the customer's door."""

import pytest

from tests.cloud import eventually
from tests.system.shop import Shop, box_of, identity

pytestmark = pytest.mark.system


def test_an_order_goes_from_post_to_completed(shop: Shop) -> None:
    sku = shop.stocked(10)
    basket = shop.basket((sku, 2))
    line = {
        "sku": sku,
        "quantity": 2,
        "unit_price": 1250,
        "discounts": [{"code": "TEN", "amount": 250}],
        "taxes": [{"name": "TX", "rate": "0.0825", "amount": 186}],
    }
    welcome = [{"code": "WELCOME", "amount": 100}]
    basket |= {"lines": [line], "discounts": welcome, "tax_included": False, "total": 2836}

    placed = shop.api.post("/orders", basket, key="story-1")

    order_id = placed["order_id"]
    assert placed["totals"] == {
        "subtotal": 2250,
        "discounts": 100,
        "shipping": 500,
        "taxes": 186,
        "total": 2836,
    }
    assert placed["lines"][0]["line_id"] == "line_1"
    assert placed["links"]["cancel"] == f"/orders/{order_id}/cancel"

    routed = shop.until(order_id, status="in_fulfillment", payment_status="authorized")
    assert shop.units(sku) == (10, 8, 2)
    box = box_of(routed)
    assert box["location_id"] == "NEAR"
    shop.do(identity(box), "accept", "pick", "pack")
    number = shop.ship(box)
    shop.until(order_id, payment_status="paid", fulfillment_status="shipped")
    assert shop.units(sku) == (8, 8, 0)
    for status in ("in_transit", "out_for_delivery", "delivered"):
        shop.scan(number, status, times=2)

    done = shop.until(order_id, status="completed", fulfillment_status="delivered")
    assert (done["paid"], done["refunded"]) == (2836, 0)
    assert shop.history(order_id) == [
        "OrderPlaced",
        "PaymentAuthorized",
        "OrderRouted",
        "FulfillmentOrderAccepted",
        "FulfillmentOrderPicked",
        "FulfillmentOrderPacked",
        "FulfillmentOrderShipped",
        "PaymentCaptured",
        *["ParcelScanned"] * 2,
        "FulfillmentOrderDelivered",
        "OrderCompleted",
    ]
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")
    assert len(shop.way(order_id)) <= 6
    letters = ["has arrived", "is confirmed", "is on its way"]
    assert shop.told(done, letters)


def test_the_report_counts_each_sale_once_on_its_day_and_channel(shop: Shop) -> None:
    sku, channel = shop.stocked(10), f"till-{shop.stocked(1).lower()}"

    order_ids = [shop.place((sku, 2), channel=channel) for _ in range(3)]
    shop.cancel(order_ids[0])

    def rows() -> list[dict[str, object]]:
        shop.report()
        found = shop.api.get("/reports/sales", channel=channel)["rows"]
        return [row for row in found if row["cancelled_orders"]]

    (row,) = eventually(rows, 30)
    assert (row["orders"], row["units"], row["gross"]) == (3, 6, 6000)
    assert (row["cancelled_orders"], row["cancelled_units"]) == (1, 2)


def test_orders_are_listed_page_by_page_newest_first(shop: Shop) -> None:
    sku = shop.stocked(10)
    buyer = {"email": f"{sku}@example.com", "name": "Ada"}
    placed = [shop.place((sku, 1), customer=buyer) for _ in range(3)]

    first = shop.api.get("/orders", customer=buyer["email"], limit=2)
    rest = shop.api.get("/orders", customer=buyer["email"], limit=2, cursor=first["cursor"])

    listed = [order["order_id"] for page in (first, rest) for order in page["items"]]
    assert listed == placed[::-1]
    newest = shop.api.get("/orders", channel="web", limit=3)["items"]
    assert [order["order_id"] for order in newest] == placed[::-1]
