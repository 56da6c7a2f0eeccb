"""Square's events and orders, in our words."""

from __future__ import annotations

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
)
from oms.adapters.channels.square import signature
from oms.adapters.webhooks import Call
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

SQUARE = CHANNELS["square"]
URL = "https://oms.example/channels/square/webhooks"
HEADER = "x-square-hmacsha256-signature"


def changed(name: str = "order", **order: Any) -> bytes:
    found = json.loads(payload("square", name))["order"]
    return json.dumps({"order": found | order}).encode()


def test_events_of_orders_are_reasons_to_ask_for_them() -> None:
    found = message("square", payload("square", "order_updated"))

    assert found.said == (Fetch("square:mlshop1", "OrdAbC123dEf"),)
    assert found.message_id == "ev-1"


def test_a_refund_is_told_whole() -> None:
    (found,) = said("square", payload("square", "refund_updated"))

    assert isinstance(found, Refunded)
    assert (found.refund_id, found.amount, found.currency) == ("pay1_refund1", 750, "USD")
    assert (found.external_id, found.reason) == ("OrdAbC123dEf", "Broken")


@pytest.mark.parametrize("status", ["PENDING", "REJECTED", "FAILED", None])
def test_a_refund_that_is_not_made_is_none(status: str | None) -> None:
    event = json.loads(payload("square", "refund_updated"))
    event["data"]["object"]["refund"]["status"] = status

    assert isinstance(said("square", json.dumps(event).encode())[0], Ignored)


def test_a_payment_that_is_settled_is_a_reason_to_ask_for_its_order() -> None:
    payment = {"id": "p", "order_id": "OrdAbC123dEf", "status": "COMPLETED"}
    event = {"type": "payment.updated", "data": {"object": {"payment": payment}}, "event_id": "e"}

    assert said("square", json.dumps(event).encode()) == (Fetch("square", "OrdAbC123dEf"),)
    payment["status"] = "APPROVED"
    assert isinstance(said("square", json.dumps(event).encode())[0], Ignored)


def test_refunds_of_an_order_have_the_same_ids_as_their_events() -> None:
    event = json.loads(payload("square", "refund_updated"))["data"]["object"]["refund"]
    rejected = {"id": "no", "status": "REJECTED"}
    found = said("square", changed(refunds=[event, rejected]), shop="mlshop1")

    assert [x for x in found if isinstance(x, Refunded)] == [
        said("square", payload("square", "refund_updated"))[0]
    ]


def test_a_test_notification_is_ignored() -> None:
    (found,) = said("square", b'{"type": "webhooks.test_notification", "data": {"id": "x"}}')

    assert isinstance(found, Ignored)


def test_every_cent_of_an_order_is_there() -> None:
    order = order_in("square", payload("square", "order"))
    mug, engraving = order.lines

    assert (order.total, order.sum_of_parts, order.payment.captured) == (3430, 3430, 3430)
    assert (mug.sku, mug.quantity, mug.discounted, mug.taxed) == (
        "variant:VARIATION9",
        3,
        2250,
        180,
    )
    assert (engraving.sku, engraving.quantity) == ("line:line-b", 1)
    assert order.shipping.price == 500  # delivery and a tip
    assert order.shipping_address is not None
    assert order.shipping_address.city == "Austin"


def test_a_sale_at_a_till_ships_nothing_and_its_tax_is_in_the_price() -> None:
    order = order_in("square", payload("square", "till_sale"))

    assert (order.ships, order.tax_included, order.tax) == (False, True, 83)
    assert (order.total, order.payment.captured, order.payment_hold) == (500, 500, "")


def test_money_that_is_due_holds_the_order_back() -> None:
    due = {"amount": 1430, "currency": "USD"}
    order = order_in("square", changed(net_amount_due_money=due))

    assert (order.payment.captured, order.payment_hold) == (2000, "2000 of 3430 were taken")


def test_what_is_picked_up_has_no_address() -> None:
    pickup = [{"uid": "f", "type": "PICKUP", "state": "PROPOSED", "pickup_details": {}}]
    order = order_in("square", changed(fulfillments=pickup))

    assert (order.shipping_address, order.tags, order.shipping.method) == (
        None,
        ["pickup"],
        "pickup",
    )


def test_states_of_an_order() -> None:
    done = [{"type": "SHIPMENT", "state": "COMPLETED"}]

    assert isinstance(said("square", changed(state="CANCELED"))[0], Cancelled)
    assert isinstance(said("square", changed(state="DRAFT"))[0], Ignored)
    assert isinstance(said("square", changed(fulfillments=done))[1], Fulfilled)
    assert said("square", changed(line_items=None)) == (Fetch("square", "OrdAbC123dEf"),)


def test_a_part_of_a_unit_is_refused() -> None:
    lines = json.loads(payload("square", "order"))["order"]["line_items"]
    lines[0]["quantity"] = "1.5"
    with pytest.raises(MalformedOrder):
        said("square", changed(line_items=lines))


def test_the_signature_is_over_the_address_and_the_body() -> None:
    body = payload("square", "order_updated")
    sent = {HEADER: signature(body, "key", URL)}
    again = json.dumps(json.loads(body), indent=1).encode()

    assert SQUARE.verify(Call(body, sent, url=URL), "key")
    assert SQUARE.verify(Call(body, sent, url="https://else.example"), f"key {URL}")
    assert not SQUARE.verify(Call(body, sent, url="https://else.example"), "key")
    assert not SQUARE.verify(Call(again, sent, url=URL), "key")
    assert not SQUARE.verify(Call(body, sent, url=URL), "another")
    assert not SQUARE.verify(Call(body, {HEADER: signature(body, "", URL)}, url=URL), "")
    assert not SQUARE.verify(Call(body, {}, url=URL), "key")


def test_an_address_with_a_query_is_signed_with_it() -> None:
    body = payload("square", "order_updated")
    sent = {HEADER: signature(body, "key", f"{URL}?shop=mugs")}

    assert SQUARE.verify(Call(body, sent, {"shop": "mugs"}, URL), "key")
    assert not SQUARE.verify(Call(body, sent, {"shop": "other"}, URL), "key")


@given(st.data())
def test_a_body_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    body = payload("square", "order_updated")
    place, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(body))

    assert not SQUARE.verify(Call(forged, {HEADER: signature(body, "k", URL)}, url=URL), "k")


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_payload_is_a_surprise(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(x.stem for x in PAYLOADS.glob("square/*.json"))))
    adds_up_or_is_refused("square", data.draw(one_thing_else(payload("square", name))))


def test_a_total_less_than_its_lines_is_refused() -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        said("square", changed(total_money={"amount": 100, "currency": "USD"}))


@real
def test_a_body_that_was_signed_elsewhere_is_accepted() -> None:
    vectors = json.loads((REAL / "signature_vectors" / "vectors.json").read_text())
    vector = next(each for each in vectors if each["provider"] == "square")
    call = Call(vector["body"].encode(), {HEADER: vector["signature"]}, url=vector["url"])
    again = Call(json.dumps(json.loads(vector["body"])).encode(), call.headers, url=call.url)

    assert SQUARE.verify(call, vector["secret"])
    assert not SQUARE.verify(again, vector["secret"])


@real
def test_every_real_payload_is_read() -> None:
    samples = REAL / "marketplace_doc_samples"
    pickup = samples / "square_order_fulfillment_updated_pickup.json"
    test = samples / "square_test_notification.json"

    assert adds_up_or_is_refused("square", pickup.read_bytes()) == "fetch"
    assert adds_up_or_is_refused("square", test.read_bytes()) == "ignored"
