"""What shops on other platforms say of their orders changes them, and nothing they say is lost."""

import json
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from infra.local.client import Json, Refusal
from oms.domain.ids import order_id_of
from tests.cloud import eventually
from tests.system.shop import Shop
from tests.system.test_channel_orders import STORE, shopify_order

pytestmark = pytest.mark.system

NOTIFICATION = Path(__file__).parents[1] / "contracts/channels/amazon/order_change.json"
SHOP = quote(f"shopify:{STORE}", safe="")


def failed(shop: Shop, order_id: str = "", reason: str = "") -> list[Json]:
    found = shop.api.pages("/inbox", limit=200)
    return [x for x in found if x["order_id"] == order_id and reason in x["reason"]]


def test_units_that_are_taken_out_there_go_back_to_the_shelf_with_their_money(shop: Shop) -> None:
    sku = shop.stocked(5)
    order = shopify_order(sku)
    order_id = shop.api.shopify(order, STORE)["order_id"]
    shop.until(order_id, status="in_fulfillment")
    fewer = {**order, "total_price": "15.00", "updated_at": "2026-05-01T10:00:00Z"}
    fewer["line_items"] = [{**order["line_items"][0], "quantity": 1}]

    told = shop.api.shopify(fewer, STORE, "orders/updated")
    again = shop.api.shopify(fewer, STORE, "orders/updated")

    assert (told["outcome"], again["outcome"]) == ("accepted", "duplicate")
    found = shop.order(order_id)
    assert (found["paid"], found["refunded"]) == (2500, 1000)
    assert eventually(lambda: shop.units(sku) == (5, 4, 1))
    shop.finish(order_id)


def test_a_cancellation_there_ends_the_order_and_so_does_one_that_came_first(shop: Shop) -> None:
    first, second = shopify_order(shop.stocked(5)), shopify_order(shop.stocked(5))
    over = {"cancelled_at": "2026-05-01T10:00:00Z", "cancel_reason": "customer"}
    placed = shop.api.shopify(first, STORE)["order_id"]
    shop.until(placed, status="in_fulfillment")

    shop.api.shopify({**first, **over}, STORE, "orders/cancelled")
    early = shop.api.shopify({**second, **over}, STORE, "orders/cancelled")["order_id"]
    shop.api.shopify(second, STORE)

    for order_id in (placed, early):
        gone = shop.until(order_id, status="cancelled", payment_status="refunded")
        assert gone["refunded"] == 2500


def test_what_nobody_understood_is_kept_seen_and_replayed_or_dismissed(shop: Shop) -> None:
    order = {**shopify_order(shop.stocked(5)), "total_price": "25.001"}

    with pytest.raises(Refusal) as refused:
        shop.api.shopify(order, STORE)

    assert refused.value.status == 422
    (kept,) = failed(shop, reason="25.001")
    identity = kept["message_id"]
    needing = [x["message_id"] for x in shop.api.pages("/attention", limit=200)]
    assert identity in needing
    whole = shop.api.get(f"/inbox/{identity}")
    assert json.loads(whole["body"])["id"] == order["id"]
    with pytest.raises(Refusal):
        shop.api.post(f"/inbox/{identity}/replay")
    assert shop.api.post(f"/inbox/{identity}/dismiss")["state"] == "dismissed"
    assert failed(shop, reason="25.001") == []


def test_what_is_only_hinted_at_by_a_shop_that_cannot_be_asked_is_kept(shop: Shop) -> None:
    number = uuid4().int % 10**18
    edit = {"order_edit": {"id": 1, "order_id": number}}

    told = shop.api.shopify(edit, STORE, "orders/edited")

    assert told["order_id"] == order_id_of(f"shopify:{STORE}", str(number))
    (kept,) = eventually(lambda: failed(shop, told["order_id"]))
    assert "base_url" in kept["reason"]
    with pytest.raises(Refusal) as refused:
        shop.api.post(f"/inbox/{kept['message_id']}/replay")
    assert refused.value.status == 409
    shop.api.post(f"/inbox/{kept['message_id']}/dismiss")


def test_what_amazon_puts_into_our_queue_is_taken(shop: Shop) -> None:
    body = NOTIFICATION.read_text()
    queue = shop.app.outputs["ChannelNotifications"]

    shop.cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=body)

    def kept() -> list[Json]:
        listed = shop.api.pages("/inbox", limit=200)
        return [x for x in listed if x["shop"].startswith("amazon")]

    (only,) = eventually(kept, 20)
    assert "base_url" in only["reason"]
    shop.api.post(f"/inbox/{only['message_id']}/dismiss")


def test_a_shop_is_named_its_items_are_mapped_and_it_is_asked_for_what_was_lost(
    shop: Shop,
) -> None:
    sku = shop.stocked(5)
    said = {"base_url": "http://127.0.0.1:9", "polled": True}
    assert shop.api.put(f"/shops/{SHOP}", said)["polled"] is True
    shop.api.put(f"/shops/{SHOP}/skus", {"skus": {"7001": sku}})
    order = shopify_order("")
    order["line_items"][0] |= {"variant_id": 7001}
    order_id = shop.api.shopify(order, STORE)["order_id"]

    shop.invoke("PollShops", {})

    assert [line["sku"] for line in shop.order(order_id)["lines"]] == [sku]
    assert shop.api.get(f"/shops/{SHOP}")["poll_error"] != ""
    shop.api.put(f"/shops/{SHOP}", {})
    shop.finish(order_id)
