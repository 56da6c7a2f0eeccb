"""Walmart's notifications and orders, in our words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    MalformedOrder,
    Refunded,
    Units,
)
from oms.adapters.webhooks import Call, relay_signature
from oms.contracts.invalid import InvalidRequest
from tests.adapters.channels.marketplace_cases import (
    PAYLOADS,
    REAL,
    adds_up_or_is_refused,
    message,
    one_thing_else,
    order_in,
    payload,
    real,
    said,
)

WALMART = CHANNELS["walmart"]


def changed(**order: Any) -> bytes:
    found = json.loads(payload("walmart", "order"))["order"]
    return json.dumps({"order": found | order}).encode()


def line(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(payload("walmart", "order"))["order"]
    return {**found["orderLines"]["orderLine"][0], **fields}


def test_a_notification_is_a_reason_to_ask_for_the_order() -> None:
    found = message("walmart", payload("walmart", "po_created"))

    assert found.said == (Fetch("walmart:100042", "1796277083999"),)
    assert found.message_id == "ev-9"


def test_a_notification_of_the_newer_kind_holds_an_order() -> None:
    body = {
        "source": {"eventType": "ORDER_UPDATES", "eventId": "e"},
        "payload": {"subEventType": "INTENT_TO_CANCEL", "order": {"purchaseOrderId": "5"}},
    }

    assert said("walmart", json.dumps(body).encode()) == (Fetch("walmart", "5"),)


def test_a_notification_about_no_order_is_ignored() -> None:
    body = b'{"source": {"eventType": "INVENTORY_OOS"}, "payload": {}}'

    assert isinstance(said("walmart", body)[0], Ignored)


def test_what_is_cancelled_of_a_line_is_not_there_and_not_paid_for() -> None:
    order = order_in("walmart", payload("walmart", "order"))
    (mug,) = order.lines

    # two of three units: of 10.10, 0.83, 4.99 and 0.41 the first two units' share
    assert (mug.sku, mug.quantity, mug.discounted, mug.taxed) == ("MUG", 2, 674, 56)
    assert (order.shipping.price, order.shipping.taxed) == (333, 28)
    assert (order.total, order.sum_of_parts, order.payment.captured) == (1091, 1091, 1091)
    assert (order.shipping.method, order.tags) == ("Express", ["replacement"])
    assert order.shipping_address is not None
    assert order.shipping_address.country == "US"
    assert order.deliver_by is not None
    assert order.deliver_by.isoformat() == "2026-03-06"


def test_parcels_and_refunds_are_told() -> None:
    _, refund, parcel = said("walmart", payload("walmart", "order"))

    assert isinstance(refund, Refunded)
    assert (refund.refund_id, refund.amount, refund.reason) == ("R-1", 363, "Damaged")
    assert isinstance(parcel, Fulfilled)
    assert (parcel.units, parcel.carrier, parcel.tracking_number) == (
        (Units(2, "1"),),
        "UPS",
        "1Z1",
    )


def test_an_order_of_which_no_unit_is_left_is_cancelled() -> None:
    off = [{"status": "Cancelled", "statusQuantity": {"amount": "3"}}]
    lines = {"orderLine": [line(orderLineStatuses={"orderLineStatus": off})]}

    assert isinstance(said("walmart", changed(orderLines=lines))[0], Cancelled)


def test_a_buyer_who_asks_to_cancel_holds_the_order_back() -> None:
    order = order_in("walmart", changed(orderLines={"orderLine": [line(intentToCancel="Y")]}))

    assert order.payment_hold == "the buyer asks to cancel"


def test_what_walmart_ships_itself_is_ignored() -> None:
    assert isinstance(said("walmart", changed(shipNode={"type": "WFSFulfilled"}))[0], Ignored)


def test_orders_of_a_list_are_each_told() -> None:
    order = json.loads(payload("walmart", "order"))["order"]
    body = {"list": {"meta": {}, "elements": {"order": [order, {"purchaseOrderId": "8"}]}}}

    assert said("walmart", json.dumps(body).encode())[-1] == Fetch("walmart", "8")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        changed(purchaseOrderId=None),
        changed(orderLines={"orderLine": [line(orderLineQuantity={"amount": "x"})]}),
        changed(orderLines={"orderLine": [line(charges=None)]}),
        changed(orderLines={"orderLine": [line(lineNumber=None)]}),
    ],
)
def test_what_is_malformed_is_a_typed_refusal(body: bytes) -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        said("walmart", body)


def test_every_way_that_walmart_shows_itself_is_believed() -> None:
    body = payload("walmart", "po_created")
    digest = hmac.digest(b"secret", body, hashlib.sha256)
    user = base64.b64encode(b"user:password").decode()

    def believed(secret: str, **headers: str) -> bool:
        return WALMART.verify(
            Call(body, {k.replace("_", "-"): v for k, v in headers.items()}), secret
        )

    assert believed("secret", baton_signature=relay_signature(body, "secret"))
    assert believed("secret", authorization=base64.b64encode(digest).decode())
    assert believed("secret", authorization=digest.hex())
    assert believed("user:password", authorization=f"Basic {user}")
    assert not believed("user:another", authorization=f"Basic {user}")
    assert not believed("another", authorization=digest.hex())
    assert not believed("secret", authorization="secret")
    assert not believed("", authorization=hmac.new(b"", body, hashlib.sha256).hexdigest())
    assert not believed("secret")
    assert not WALMART.verify(Call(body + b" ", {"authorization": digest.hex()}), "secret")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_payload_is_a_surprise(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(x.stem for x in PAYLOADS.glob("walmart/*.json"))))
    adds_up_or_is_refused("walmart", data.draw(one_thing_else(payload("walmart", name))))


@real
def test_the_order_of_the_documentation_adds_up() -> None:
    path = REAL / "marketplace_doc_samples" / "walmart_acknowledgeOrder_response.json"
    order = order_in("walmart", path.read_bytes())

    assert (order.total, order.sum_of_parts, order.lines[0].taxed) == (1080, 1080, 80)
    assert order.lines[0].external_id == "4"
