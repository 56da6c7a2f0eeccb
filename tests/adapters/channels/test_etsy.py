"""Etsy's events and receipts, in our words."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
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
)
from oms.adapters.channels.standard_webhooks import signature
from oms.adapters.webhooks import Call
from oms.contracts.invalid import InvalidRequest
from tests.adapters.channels.marketplace_cases import (
    PAYLOADS,
    REAL,
    adds_up_or_is_refused,
    one_thing_else,
    order_in,
    payload,
    real,
    said,
)

ETSY = CHANNELS["etsy"]
AT = datetime(2026, 3, 1, 10, 5, tzinfo=UTC)
KEY = b"a key of twenty-four b.."
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def changed(**receipt: Any) -> bytes:
    return json.dumps(json.loads(payload("etsy", "receipt")) | receipt).encode()


def sent(body: bytes, key: bytes = KEY) -> dict[str, str]:
    timestamp = str(int(AT.timestamp()))
    value = f"v1,AAAA {signature(key, 'msg_1', timestamp, body)}"
    return {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": value}


def test_an_event_is_a_reason_to_ask_for_the_receipt() -> None:
    body = payload("etsy", "order_paid")
    found = ETSY.read(Call(body, sent(body)))

    assert found.said == (Fetch("etsy:4200", "3000000001"),)
    assert found.message_id == "msg_1"


def test_an_event_of_a_cancellation_is_one() -> None:
    event = json.loads(payload("etsy", "order_paid")) | {"event_type": "order.canceled"}

    assert isinstance(said("etsy", json.dumps(event).encode())[0], Cancelled)


@pytest.mark.parametrize(
    "event",
    [
        {"event_type": "listing.updated", "resource_url": "https://x/receipts/1"},
        {"event_type": "order.paid", "resource_url": "https://x/listings/1"},
        {"event_type": "order.paid"},
    ],
)
def test_an_event_about_no_receipt_is_ignored(event: dict[str, str]) -> None:
    assert isinstance(said("etsy", json.dumps(event).encode())[0], Ignored)


def test_every_cent_of_a_receipt_is_there() -> None:
    order = order_in("etsy", payload("etsy", "receipt"))
    bowl, pattern = order.lines

    assert (order.total, order.sum_of_parts, order.payment.captured) == (7997, 7997, 7997)
    assert (order.subtotal, order.tax, order.shipping.price) == (7000, 298, 699)
    assert (bowl.sku, bowl.unit_price, bowl.taxed, bowl.requires_shipping) == (
        "BOWL",
        2500,
        199,
        True,
    )
    assert (pattern.sku, pattern.taxed, pattern.requires_shipping) == ("variant:12", 99, False)
    assert order.tags == ["gift"]


def test_value_added_tax_is_in_the_prices() -> None:
    vat = {"amount": 1250, "divisor": 100, "currency_code": "EUR"}
    none = {"amount": 0, "divisor": 100, "currency_code": "EUR"}
    total = {"amount": 7699, "divisor": 100, "currency_code": "EUR"}
    order = order_in("etsy", changed(total_vat_cost=vat, total_tax_cost=none, grandtotal=total))

    assert (order.tax_included, order.tax, order.total) == (True, 1250, 7699)


def test_refunds_and_shipments_are_told() -> None:
    shipment = {"receipt_shipping_id": 9, "carrier_name": "usps", "tracking_code": "94"}
    found = said("etsy", changed(is_shipped=True, shipments=[shipment]))
    (refund,) = [x for x in found if isinstance(x, Refunded)]
    (shipped,) = [x for x in found if isinstance(x, Fulfilled)]

    assert (refund.refund_id, refund.amount) == ("3000000001:1772445600:0", 1000)
    assert (shipped.fulfillment_id, shipped.tracking_number) == ("3000000001:9", "94")


def test_states_of_a_receipt() -> None:
    unpaid = changed(is_paid=False, status="Payment Processing")

    assert isinstance(said("etsy", changed(status="Canceled"))[0], Cancelled)
    assert isinstance(said("etsy", unpaid)[0], Ignored)
    assert said("etsy", changed(transactions=[])) == (Fetch("etsy", "3000000001"),)


@pytest.mark.parametrize(
    "money",
    [
        {"amount": 7997, "divisor": 0, "currency_code": "EUR"},
        {"amount": 79975, "divisor": 1000, "currency_code": "EUR"},
        {"amount": 7997, "divisor": 100, "currency_code": "USD"},
        {"amount": "7997", "divisor": 100, "currency_code": "EUR"},
        {"amount": 7998, "divisor": 100, "currency_code": "EUR"},
        {"amount": 7997, "divisor": 10**400, "currency_code": "EUR"},
    ],
)
def test_a_total_that_is_no_amount_is_a_typed_refusal(money: dict[str, Any]) -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        said("etsy", changed(grandtotal=money))


def test_amounts_have_the_divisor_that_they_say() -> None:
    whole = {"amount": 79970, "divisor": 1000, "currency_code": "EUR"}

    assert order_in("etsy", changed(grandtotal=whole)).total == 7997


def test_what_etsy_signed_in_time_is_believed() -> None:
    body = payload("etsy", "order_paid")
    late = AT + timedelta(minutes=6)

    assert ETSY.verify(Call(body, sent(body), at=AT), SECRET)
    assert not ETSY.verify(Call(body, sent(body), at=late), SECRET)
    assert not ETSY.verify(Call(body + b" ", sent(body), at=AT), SECRET)
    assert not ETSY.verify(
        Call(json.dumps(json.loads(body), indent=1).encode(), sent(body)), SECRET
    )
    assert not ETSY.verify(Call(body, sent(body, b"another"), at=AT), SECRET)
    assert not ETSY.verify(Call(body, sent(body, b""), at=AT), "whsec_")
    assert not ETSY.verify(Call(body, sent(body), at=AT), "")
    assert not ETSY.verify(Call(body, at=AT), SECRET)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_payload_is_a_surprise(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(x.stem for x in PAYLOADS.glob("etsy/*.json"))))
    adds_up_or_is_refused("etsy", data.draw(one_thing_else(payload("etsy", name))))


@real
def test_a_body_that_was_signed_elsewhere_is_accepted_in_its_time_only() -> None:
    vectors = json.loads((REAL / "signature_vectors" / "vectors.json").read_text())
    vector = next(each for each in vectors if each["provider"].startswith("standard-webhooks"))
    body, headers = vector["body"].encode(), vector["headers"]
    then = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)

    assert ETSY.verify(Call(body, headers, at=then), vector["secret"])
    assert not ETSY.verify(Call(body, headers, at=AT), vector["secret"])
