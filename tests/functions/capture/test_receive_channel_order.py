import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from functions.capture import receive_channel_order as webhook
from oms.adapters.channels import shopify
from tests.functions.doors import SECRETS, House, ask, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

PAYLOAD = Path(__file__).parents[2] / "contracts/channels/shopify/discounts_and_taxes.json"
ROUTE = "POST /channels/{channel}/webhooks"


def tell(body: bytes, channel: str = "shopify", **headers: str) -> tuple[int, Any]:
    signed = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "mugs.myshopify.com",
        "X-Shopify-Hmac-Sha256": shopify.signature(body, SECRETS["shopify"]),
    }
    return ask(webhook, ROUTE, body, headers={**signed, **headers}, channel=channel)


def test_an_order_that_is_told_twice_is_one_paid_order(house: House) -> None:
    status, answer = tell(PAYLOAD.read_bytes())

    assert (status, answer["outcome"]) == (200, "accepted")
    assert tell(PAYLOAD.read_bytes()) == (200, {**answer, "outcome": "duplicate"})
    order = house.orders.get(answer["order_id"])
    assert order.channel == "shopify:mugs.myshopify.com"
    assert (order.total, order.payment.captured) == (7037, 7037)
    assert "Grace" not in str(house.rows("orders") + house.rows("customers"))


def test_a_webhook_that_is_delivered_three_times_at_once_is_one_order(house: House) -> None:
    with ThreadPoolExecutor(3) as threads:
        told = list(threads.map(tell, [PAYLOAD.read_bytes()] * 3))

    (order_id,) = {answer["order_id"] for _, answer in told}
    assert sorted(answer["outcome"] for _, answer in told).count("accepted") == 1
    assert [row["SK"]["S"] for row in house.rows("orders")].count("ORDER") == 1
    assert house.orders.whole_history(order_id)[0].actor == "channel:shopify:mugs.myshopify.com"
    (message,) = (row for row in house.rows("channels") if row["PK"]["S"].startswith("MESSAGE#"))
    assert int(message["expires_at"]["N"]) - time.time() > 30 * 24 * 3600


def test_the_same_message_id_is_done_once_whatever_its_body(house: House) -> None:
    known = {"X-Shopify-Webhook-Id": "w-1"}
    first = tell(PAYLOAD.read_bytes(), **known)[1]
    other = json.dumps(json.loads(PAYLOAD.read_bytes()) | {"id": 4711}).encode()

    assert tell(other, **known)[1] == {**first, "outcome": "duplicate"}


def test_an_order_that_is_not_paid_for_waits_for_a_person(house: House) -> None:
    order = json.loads(PAYLOAD.read_bytes()) | {"financial_status": "pending"}

    _, answer = tell(json.dumps(order).encode())

    held = house.orders.get(answer["order_id"]).active_holds
    (reason,) = (hold.reason for hold in held if hold.type == "payment")
    assert "pending" in reason


def test_only_the_channel_itself_is_believed(house: House) -> None:
    body = PAYLOAD.read_bytes()

    wrong = {"X-Shopify-Hmac-Sha256": shopify.signature(body + b" ", SECRETS["shopify"])}
    assert tell(body, **wrong)[0] == 401
    assert tell(body, **{"X-Shopify-Hmac-Sha256": ""})[0] == 401
    assert tell(body, "elsewhere")[0] == 404
    assert house.rows("orders") == []


def test_what_is_no_new_order_is_acknowledged_and_ignored(house: House) -> None:
    status, answer = tell(PAYLOAD.read_bytes(), **{"X-Shopify-Topic": "app/uninstalled"})

    assert (status, bool(answer["ignored"])) == (200, True)
    assert house.rows("orders") == []


def test_what_we_cannot_read_is_refused(house: House) -> None:
    for body in (b"", b"[]", b"{}", b'{"id": 1, "currency": "EUR", "total_price": "1.001"}'):
        assert tell(body)[0] == 422
    assert house.rows("orders") == []
