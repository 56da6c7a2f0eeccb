"""Amazon's notifications and orders, in our words, to the cent."""

from __future__ import annotations

import json
from collections import Counter
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
    Units,
    Updated,
)
from oms.adapters.webhooks import Call, relay_signature
from oms.contracts.invalid import InvalidRequest
from tests.adapters.channels.marketplace_cases import (
    PAYLOADS,
    REAL,
    adds_up_or_is_refused,
    answer_of,
    message,
    one_thing_else,
    order_in,
    payload,
    real,
    said,
)

AMAZON = CHANNELS["amazon"]
ORDERS = ("order_2026", "order_2026_vat", "order_v0", "order_v0_yen")


def changed(name: str, **order: Any) -> bytes:
    found = json.loads(payload("amazon", name))
    holder = "payload" if "payload" in found else "order"
    return json.dumps({holder: found[holder] | order}).encode()


def test_a_notification_is_a_reason_to_ask_for_the_order() -> None:
    for name, message_id in (("order_change", "n-0001"), ("order_change_eventbridge", "n-0002")):
        found = message("amazon", payload("amazon", name))

        assert found.said == (Fetch("amazon:a1seller2", "114-1000001-2000002"),)
        assert found.message_id == message_id


def test_what_amazon_ships_itself_is_ignored() -> None:
    notification = json.loads(payload("amazon", "order_change"))
    notification["Payload"]["OrderChangeNotification"]["Summary"]["FulfillmentType"] = "AFN"
    bodies = [
        json.dumps(notification).encode(),
        changed("order_v0", FulfillmentChannel="AFN"),
        changed(
            "order_2026", fulfillment={"fulfilledBy": "AMAZON", "fulfillmentStatus": "SHIPPED"}
        ),
    ]

    assert {said("amazon", body) for body in bodies} == {(Ignored("Amazon ships it itself"),)}


def test_notifications_about_no_order_are_ignored_by_their_name() -> None:
    (found,) = said("amazon", b'{"notificationType": "FEED_PROCESSING_FINISHED", "payload": {}}')

    assert isinstance(found, Ignored)
    assert "FEED_PROCESSING_FINISHED" in found.why


def test_every_cent_of_an_order_of_2026_is_there() -> None:
    order = order_in("amazon", payload("amazon", "order_2026"))

    assert (order.total, order.sum_of_parts, order.payment.captured) == (6073, 6073, 6073)
    assert order.tax_included is False
    mug, lid = order.lines
    assert (mug.sku, mug.quantity, mug.unit_price, mug.taxed) == ("MUG-1", 3, 1000, 223)
    assert [(d.code, d.amount) for d in mug.discounts] == [("SPRING", 300)]
    assert (lid.sku, lid.unit_price, lid.external_id) == (
        "product:B000000002",
        2350,
        "90071992547409932",
    )
    # shipping 6.00 less 1.00, gift wrap 2.50
    assert (order.shipping.price, order.shipping.taxed) == (750, 50)
    assert order.shipping.method == "EXPEDITED"


def test_an_order_says_who_gets_it_and_until_when() -> None:
    order = order_in("amazon", payload("amazon", "order_2026"), shop="mugs-us")
    address = order.shipping_address

    assert address is not None
    assert (address.line1, address.line2, address.region) == ("12 Elm St", "Apt 3, Rear", "TX")
    assert order.deliver_by is not None
    assert order.deliver_by.isoformat() == "2026-03-06"  # in Austin, not in Greenwich
    assert order.tags == ["prime", "business"]
    assert (order.channel, order.customer and order.customer.name) == ("amazon:mugs-us", "Ana Ruiz")


def test_prices_contain_the_tax_where_the_total_says_so() -> None:
    order = order_in("amazon", payload("amazon", "order_2026_vat"))

    assert order.tax_included is True
    assert (order.total, order.tax, order.sum_of_parts) == (3089, 493, 3089)
    (line,) = order.lines
    # 25.90 for three: 8.64 each and two cents off
    assert (line.unit_price, line.discounted) == (864, 2590)


def test_a_buyer_who_asks_to_cancel_holds_the_order_back() -> None:
    for name, why in (("order_2026_vat", "ORDERED_BY_MISTAKE"), ("order_v0_yen", "Found cheaper")):
        assert order_in("amazon", payload("amazon", name)).payment_hold == (
            f"the buyer asks to cancel: {why}"
        )
    assert order_in("amazon", payload("amazon", "order_v0")).payment_hold == ""


def test_parcels_that_amazon_knows_are_told_and_those_that_are_none_are_not() -> None:
    (_, parcel) = said("amazon", payload("amazon", "order_2026_vat"))

    assert isinstance(parcel, Fulfilled)
    assert (parcel.fulfillment_id, parcel.units) == ("77", (Units(1, "501"),))
    assert (parcel.carrier, parcel.tracking_number) == ("DHL", "JJD0001")


def test_an_order_of_v0_that_was_shipped_says_so_once() -> None:
    updated, shipped = said("amazon", payload("amazon", "order_v0_yen"))

    assert isinstance(updated, Updated)
    assert updated.order.total == 3300
    assert updated.order.lines[0].unit_price == 1100
    assert updated.order.tax_included is True
    assert isinstance(shipped, Fulfilled)
    assert shipped.units == ()


def test_every_cent_of_an_order_of_v0_is_there() -> None:
    order = order_in("amazon", payload("amazon", "order_v0"))
    (cup,) = order.lines

    assert (order.total, order.sum_of_parts, order.tax_included) == (3196, 3196, False)
    # 25.00 for three units; tax of 2.00 less 0.20 for the promotion
    assert (cup.unit_price, cup.discounted, cup.taxed) == (834, 2250, 180)
    # shipping 4.00 and gift wrap 3.19; 0.30 less 0.06, and 0.23
    assert (order.shipping.price, order.shipping.taxed) == (719, 47)
    assert order.tags == ["business"]


def test_an_order_that_waits_for_its_payment_is_not_placed() -> None:
    for status in ("Pending", "PendingAvailability"):
        (found,) = said("amazon", changed("order_v0", OrderStatus=status))
        assert isinstance(found, Ignored)
        assert "payment" in found.why


def test_a_cancelled_order_is_cancelled_at_amazons_time() -> None:
    (found,) = said("amazon", changed("order_v0", OrderStatus="Canceled"))

    assert isinstance(found, Cancelled)
    assert found.external_id == "114-3000001-4000002"
    assert found.at is not None


def test_an_order_of_which_no_unit_is_left_is_cancelled() -> None:
    for ordered in (0, "0", "0.0"):
        none = [item(QuantityOrdered=ordered)]
        assert isinstance(said("amazon", changed("order_v0", OrderItems=none))[0], Cancelled)


def test_an_order_without_its_items_is_asked_for() -> None:
    found = said("amazon", changed("order_v0", OrderItems=None), shop="mugs")

    assert found == (Fetch("amazon:mugs", "114-3000001-4000002"),)


def test_a_buyer_that_amazon_withholds_is_nobody() -> None:
    order = order_in("amazon", changed("order_v0", ShippingAddress=None))

    assert (order.customer, order.shipping_address) == (None, None)


def test_money_that_the_buyer_brings_later_holds_the_order_back() -> None:
    order = order_in("amazon", changed("order_v0", PaymentMethod="COD"))

    assert (order.payment.captured, order.payment_hold) == (0, "the buyer pays on delivery")


def item(**fields: Any) -> dict[str, Any]:
    return {**json.loads(payload("amazon", "order_v0"))["payload"]["OrderItems"][0], **fields}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"errors": [{"code": "InvalidInput", "message": "Invalid Input"}]}',
        b'{"orders": [1]}',
        changed("order_v0_yen", OrderTotal={"CurrencyCode": "JPY", "Amount": "25.99"}),
        changed(
            "order_v0", OrderItems=[item(BuyerInfo={"GiftWrapPrice": {"CurrencyCode": "GBP"}})]
        ),
        changed("order_v0", OrderItems=[item(ItemPrice={"CurrencyCode": "USD", "Amount": "1e9"})]),
        changed("order_v0", OrderItems=[item(QuantityOrdered=1.5)]),
        changed("order_v0", OrderItems=[item(OrderItemId=None)]),
        changed("order_v0", OrderTotal={"CurrencyCode": "USD", "Amount": "31.95"}),
        changed("order_v0", OrderTotal={"CurrencyCode": "XAU", "Amount": "31.96"}),
        changed("order_v0", AmazonOrderId="a b"),
        changed("order_2026", salesChannel=None, orderId=True),
        changed("order_2026", orderItems=[7]),
    ],
)
def test_what_is_malformed_is_a_typed_refusal(body: bytes) -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        said("amazon", body)


def test_gift_wrap_in_another_currency_is_refused_with_both_of_them() -> None:
    wrap = {"GiftWrapPrice": {"CurrencyCode": "GBP", "Amount": "1.99"}}
    with pytest.raises(MalformedOrder) as refused:
        said("amazon", changed("order_v0", OrderItems=[item(BuyerInfo=wrap)]))

    assert "'GBP'" in refused.value.why
    assert "'USD'" in refused.value.why


def test_only_what_somebody_relayed_is_believed() -> None:
    body = payload("amazon", "order_change")
    sent = {"baton-signature": relay_signature(body, "s")}

    assert AMAZON.verify(Call(body, sent), "s")
    assert not AMAZON.verify(Call(body + b"\n", sent), "s")
    assert not AMAZON.verify(Call(body, sent), "another")
    assert not AMAZON.verify(Call(body, {"baton-signature": relay_signature(body, "")}), "")
    assert not AMAZON.verify(Call(body), "s")


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_order_is_a_surprise(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(x.stem for x in PAYLOADS.glob("amazon/*.json"))))
    adds_up_or_is_refused("amazon", data.draw(one_thing_else(payload("amazon", name))))


@pytest.mark.parametrize("name", ORDERS)
def test_every_payload_of_an_order_adds_up(name: str) -> None:
    assert adds_up_or_is_refused("amazon", payload("amazon", name)).startswith("updated")


@real
def test_every_real_payload_is_accepted_ignored_or_refused_with_a_reason() -> None:
    paths = sorted((REAL / "amazon_sp_api").glob("*.json"))
    found = Counter(
        adds_up_or_is_refused("amazon", body).partition(":")[0]
        for path in paths
        for body in (path.read_bytes(), answer_of(path))
    )

    assert sum(found.values()) == 2 * len(paths)
    assert set(found) <= {
        "malformed",
        "invalid",
        "ignored",
        "fetch",
        "updated",
        "updated, fulfilled",
    }


@real
@pytest.mark.parametrize(
    ("name", "total", "currency"),
    [
        ("orders_2026-01-01__getOrder__200_ex", 10397, "GBP"),
        ("orders_2026-01-01__getOrder__200_sandbox0", 29990, "BRL"),
        ("orders_2026-01-01__getOrder__200_sandbox2", 4999, "USD"),
    ],
)
def test_amazons_own_examples_add_up(name: str, total: int, currency: str) -> None:
    order = order_in("amazon", answer_of(REAL / "amazon_sp_api" / f"{name}.json"))

    assert (order.total, order.sum_of_parts, order.currency) == (total, total, currency)
