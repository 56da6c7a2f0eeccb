"""Cancel at every point of the flow: stock and money come back exactly once."""

from collections.abc import Callable

import pytest

from infra.local.client import Json, Refusal
from tests.system.shop import Shop, at_once, box_of, identity

pytestmark = pytest.mark.system

CANCELLED = ("SUCCEEDED", "Order cancelled")


def waiting_for_the_bank(shop: Shop, sku: str) -> str:
    order_id = shop.place((sku, 2), token="tok_3ds")
    shop.until_at(order_id, "Await payment")
    return order_id


def on_hold(shop: Shop, sku: str) -> str:
    with shop.outbox(Enabled=False):
        order_id = shop.place((sku, 2))
        shop.api.post(f"/orders/{order_id}/holds", {"type": "fraud", "reason": "odd"})
    shop.until_at(order_id, "Await release")
    return order_id


def backordered(shop: Shop, sku: str) -> str:
    order_id = shop.place((sku, 8))
    shop.until_at(order_id, "Await stock")
    return order_id


def in_warehouse(*steps: str) -> Callable[[Shop, str], str]:
    def at(shop: Shop, sku: str) -> str:
        order = shop.routed((sku, 2))
        shop.do(identity(box_of(order)), *steps)
        return str(order["order_id"])

    return at


STAGES: dict[str, Callable[[Shop, str], str]] = {
    "just placed": lambda shop, sku: shop.place((sku, 2)),
    "waiting for the bank": waiting_for_the_bank,
    "on hold": on_hold,
    "backordered": backordered,
    "routed": in_warehouse(),
    "picked": in_warehouse("accept", "pick"),
    "packed": in_warehouse("pick", "pack"),
}


@pytest.mark.parametrize("stage", STAGES)
def test_a_cancelled_order_gives_everything_back_once(shop: Shop, stage: str) -> None:
    sku = shop.stocked(5)
    order_id = STAGES[stage](shop, sku)

    shop.cancel(order_id, reason="changed my mind")
    shop.cancel(order_id, reason="did you hear me?")

    assert shop.until_ended(order_id) == CANCELLED
    gone = shop.order(order_id)
    assert gone["status"] == "cancelled"
    assert shop.units(sku) == (5, 5, 0)
    assert gone["paid"] == 0
    if gone["authorized"]:
        shop.until(order_id, payment_status="voided")
    history = shop.history(order_id)
    assert history.count("OrderCancelled") == 1
    assert history.count("PaymentVoided") == min(1, history.count("PaymentAuthorized"))


def test_eight_cancellations_at_once_are_one(shop: Shop) -> None:
    sku = shop.stocked(5)
    order_id = shop.routed((sku, 2))["order_id"]

    at_once([lambda: shop.cancel(order_id)] * 8)

    assert shop.until_ended(order_id) == CANCELLED
    shop.until(order_id, payment_status="voided")
    assert shop.units(sku) == (5, 5, 0)
    assert shop.history(order_id).count("OrderCancelled") == 1


def test_what_has_shipped_is_not_cancelled(shop: Shop) -> None:
    order = shop.routed((shop.stocked(5), 2))
    shop.do(identity(box_of(order)), "pick", "pack")
    shop.ship(box_of(order))

    with pytest.raises(Refusal) as refused:
        shop.cancel(order["order_id"])

    assert refused.value.status == 409
    shop.finish(order["order_id"])
    assert shop.order(order["order_id"])["status"] == "completed"


def test_cancelling_a_unit_twice_under_one_key_cancels_one(shop: Shop) -> None:
    sku = shop.stocked(5)
    order_id = shop.routed((sku, 3))["order_id"]
    unit = {"lines": [{"line_id": "line_1", "quantity": 1}]}

    def cancel() -> Json:
        return dict(shop.api.post(f"/orders/{order_id}/cancel", unit, key=f"once-{order_id}"))

    for order in (cancel(), cancel()):
        assert order["lines"][0]["quantities"]["cancelled"] == 1

    assert shop.units(sku) == (5, 3, 2)
    shop.finish(order_id)
    done = shop.until(order_id, status="completed", payment_status="paid")
    assert done["paid"] == 2 * 1000 + 500
