"""Carts keep what they are about to buy, until they have bought it or their time is over."""

from __future__ import annotations

import pytest

from infra.local.client import Json, Refusal
from tests.cloud import eventually
from tests.system.shop import Shop

pytestmark = pytest.mark.system


def hold(shop: Shop, sku: str, quantity: int = 1, **more: object) -> Json:
    cart = {"channel": "web", "lines": [{"sku": sku, "quantity": quantity}], **more}
    return dict(shop.api.post("/holds", cart))


def test_the_last_unit_is_the_buyers_through_two_declined_payments(shop: Shop) -> None:
    sku = shop.stocked(1)
    hold_id = hold(shop, sku)["hold_id"]
    for _ in range(2):
        declined = shop.place((sku, 1), token="tok_declined", hold_id=hold_id)
        shop.until(declined, status="cancelled")
        with pytest.raises(Refusal) as refusal:
            hold(shop, sku)
        assert refusal.value.status == 409
        assert shop.units(sku) == (1, 0, 1)

    order = shop.routed((sku, 1), hold_id=hold_id)

    carried = shop.api.get(f"/holds/{hold_id}")
    assert (carried["state"], carried["order_id"]) == ("carried", order["order_id"])
    assert shop.units(sku) == (1, 0, 1)
    with pytest.raises(Refusal) as refusal:
        shop.place((sku, 1), hold_id=hold_id)
    assert "hold_id" in str(refusal.value)
    shop.finish(order["order_id"])
    assert shop.units(sku) == (0, 0, 0)


def test_a_cart_whose_time_is_over_gives_its_unit_to_who_waits_for_it(shop: Shop) -> None:
    sku = shop.stocked(1)
    hold_id = hold(shop, sku, expires_in=1)["hold_id"]
    waiting = shop.place((sku, 1))
    shop.until(waiting, fulfillment_status="backordered")

    eventually(lambda: shop.invoke("RunAgenda", {})["done"], 30)

    assert shop.api.get(f"/holds/{hold_id}")["state"] == "expired"
    shop.until(waiting, status="in_fulfillment")
    assert shop.units(sku) == (1, 0, 1)
