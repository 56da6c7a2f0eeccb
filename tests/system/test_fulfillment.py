"""What warehouses may say, and what a person decides when they all say no."""

from functools import partial

import pytest

from infra.local.client import Json
from tests.cloud import eventually
from tests.system.shop import Shop, box_of, identity

pytestmark = pytest.mark.system


def boxes(shop: Shop, order_id: str) -> list[tuple[str, str]]:
    order = shop.order(order_id)
    return [(box["location_id"], box["status"]) for box in order["fulfillment_orders"]]


def test_what_one_location_rejects_another_ships(shop: Shop) -> None:
    sku = shop.stocked(5, "NEAR", "FAR")
    order = shop.routed((sku, 2))

    shop.do(identity(box_of(order)), "reject", reason="damaged")

    order_id = order["order_id"]
    eventually(lambda: boxes(shop, order_id)[1:], 30)
    assert boxes(shop, order_id) == [("NEAR", "rejected"), ("FAR", "open")]
    assert shop.units(sku) == (10, 8, 2)
    shop.finish(order_id)
    assert shop.until(order_id, payment_status="paid")["paid"] == 2500
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")


def test_what_every_location_rejects_needs_a_person(shop: Shop) -> None:
    sku = shop.stocked(5, "NEAR", "FAR")
    order_id = shop.routed((sku, 2))["order_id"]

    for boxes_by_now in (1, 2):
        order = eventually(partial(order_of_boxes, shop, order_id, boxes_by_now), 30)
        shop.do(identity(box_of(order)), "reject", reason="cannot")

    shop.until(order_id, attention="only locations that rejected it have the stock")
    assert shop.units(sku) == (10, 10, 0)
    shop.cancel(order_id)
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")


def order_of_boxes(shop: Shop, order_id: str, wanted: int) -> Json | None:
    order = shop.order(order_id)
    return order if len(order["fulfillment_orders"]) == wanted else None


def test_an_order_of_two_locations_and_three_parcels_is_one_order(shop: Shop) -> None:
    here, there = shop.stocked(5, "NEAR"), shop.stocked(5, "FAR")
    order = shop.routed((here, 2), (there, 1))
    order_id = order["order_id"]
    near, far = sorted(order["fulfillment_orders"], key=lambda box: -len(box["location_id"]))
    for box in (near, far):
        shop.do(identity(box), "pick", "pack")

    parcels = [
        {
            "carrier": "easypost",
            "tracking_number": f"{here}-{number}",
            "lines": [{"line_id": "line_1", "quantity": 1}],
        }
        for number in (1, 2)
    ]
    shop.do(identity(near), "ship", parcels=parcels)
    partly = shop.until(order_id, payment_status="partially_paid")
    assert (partly["paid"], partly["fulfillment_status"]) == (2500, "partially_shipped")
    shop.scan(f"{here}-1", "delivered")
    assert shop.order(order_id)["fulfillment_status"] == "partially_shipped"
    shop.scan(f"{here}-2", "delivered", times=2)
    assert shop.order(order_id)["fulfillment_status"] == "partially_delivered"
    shop.ship(far, carrier="manual")
    shop.do(identity(far), "deliver", "deliver")

    done = shop.until(order_id, status="completed", payment_status="paid")
    assert done["paid"] == 3500
    assert shop.history(order_id).count("PaymentCaptured") == 2
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")
    assert len(shop.way(order_id)) <= 6
    letters = [*["has arrived"] * 2, "is confirmed", *["is on its way"] * 2]
    assert shop.told(done, letters)


def test_the_rest_is_cancelled_after_a_part_has_shipped(shop: Shop) -> None:
    here, there = shop.stocked(5, "NEAR"), shop.stocked(5, "FAR")
    order = shop.routed((here, 1), (there, 1))
    order_id, near = order["order_id"], box_of(order, 0)
    shop.do(identity(near), "pick", "pack")
    number = shop.ship(near)

    shop.cancel(order_id)
    shop.scan(number, "delivered")

    done = shop.until(order_id, status="completed", payment_status="paid")
    assert done["paid"] == 1500
    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order completed")
    eventually(lambda: "PaymentVoided" in shop.history(order_id), 30)


def test_an_order_on_hold_goes_on_when_it_is_released(shop: Shop) -> None:
    with shop.outbox(Enabled=False):
        order_id = shop.place((shop.stocked(5), 1))
        held = shop.api.post(f"/orders/{order_id}/holds", {"type": "address", "reason": "odd"})
    shop.until_at(order_id, "Await release")
    hold = held["holds"][0]["hold_id"]

    shop.api.post(f"/orders/{order_id}/holds/{hold}/release", {"reason": "asked her"})

    shop.until(order_id, status="in_fulfillment")


def late(shop: Shop) -> str:
    """An order that nobody shipped in time."""
    with shop.deadline("Fulfil order", 1):
        order_id = shop.routed((shop.stocked(5), 2))["order_id"]
        shop.until(order_id, attention="Not delivered in time")
    shop.until_at(order_id, "Needs attention")
    listed = shop.api.get("/attention", limit=200)["items"]
    assert order_id in [each["order_id"] for each in listed]
    return str(order_id)


def decided(shop: Shop, order_id: str, what: str) -> None:
    shop.api.post(f"/attention/{order_id}/{what}", {"reason": "looked into it"})
    assert shop.order(order_id)["attention"] == ""
    listed = shop.api.get("/attention", limit=200)["items"]
    assert order_id not in [each["order_id"] for each in listed]


def test_a_late_order_is_tried_again(shop: Shop) -> None:
    order_id = late(shop)

    decided(shop, order_id, "retry")

    eventually(lambda: shop.way(order_id)[-2:] == ["Prepared?", "Fulfil order"], 30)


def test_a_late_order_is_cancelled_by_staff(shop: Shop) -> None:
    order_id = late(shop)

    decided(shop, order_id, "cancel")

    assert shop.until_ended(order_id) == ("SUCCEEDED", "Order cancelled")
    shop.until(order_id, status="cancelled", payment_status="voided")


def test_a_late_order_is_left_to_people(shop: Shop) -> None:
    order_id = late(shop)

    decided(shop, order_id, "ignore")

    assert shop.until_ended(order_id) == ("SUCCEEDED", "Attention closed")
    shop.reconcile(order_id)
    assert shop.execution(order_id, 1) == "MISSING"
    shop.finish(order_id)
    assert shop.until(order_id, payment_status="paid")["status"] == "completed"
