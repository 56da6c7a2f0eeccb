"""Shopify's orders, in our words, to the cent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import Ignored, MalformedOrder, Placed
from oms.adapters.channels.shopify import signature
from oms.adapters.webhooks import Call
from oms.contracts.api import ChannelOrder
from oms.contracts.invalid import InvalidRequest

SHOPIFY = CHANNELS["shopify"]


def heard(body: bytes, headers: Mapping[str, str]) -> ChannelOrder | Ignored:
    """What one message says; an order that was placed is the order."""
    (said,) = SHOPIFY.read(Call(body, headers)).said
    assert isinstance(said, Placed | Ignored)
    return said.order if isinstance(said, Placed) else said


def verified(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    return SHOPIFY.verify(Call(body, headers), secret)


PAYLOADS = Path(__file__).parents[2] / "contracts" / "channels"
REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels"
CREATED = {"x-shopify-topic": "orders/create"}
SECRET = "shpss_test"


def payload(name: str) -> bytes:
    return (PAYLOADS / "shopify" / f"{name}.json").read_bytes()


def read(body: bytes, headers: dict[str, str] = CREATED) -> ChannelOrder:
    order = heard(body, headers)
    assert isinstance(order, ChannelOrder), order
    return order


def changed(name: str = "discounts_and_taxes", **order: Any) -> bytes:
    return json.dumps(json.loads(payload(name)) | order).encode()


@pytest.mark.parametrize(
    "path", sorted(PAYLOADS.glob("shopify/*.json")), ids=lambda path: path.stem
)
def test_every_payload_becomes_an_order(path: Path) -> None:
    order = heard(path.read_bytes(), CREATED)

    assert isinstance(order, ChannelOrder)
    assert order.sum_of_parts == order.total


def test_an_order_keeps_every_cent_of_its_discounts_and_taxes() -> None:
    order = read(payload("discounts_and_taxes"))

    assert (order.subtotal, order.tax, order.shipping.price, order.total) == (6000, 537, 500, 7037)
    assert [(d.code, d.amount) for d in order.lines[0].discounts] == [
        ("SPRING", 357),
        ("夏のセール", 500),
    ]
    assert [(t.name, t.rate, t.amount) for t in order.lines[0].taxes] == [
        ("State", "0.0625", 259),
        ("City", "0.02", 83),
    ]


@pytest.mark.parametrize("rate", ["NaN", "sNaN", "-Infinity", "1e999", "x", 101, -0.5])
def test_a_rate_that_is_none_is_zero_and_the_order_is_read(rate: Any) -> None:
    body = json.loads(payload("discounts_and_taxes"))
    body["line_items"][0]["tax_lines"][0]["rate"] = rate

    order = read(json.dumps(body).encode())

    assert order.lines[0].taxes[0].rate == "0"


def test_ids_beyond_a_double_are_exact() -> None:
    assert read(payload("discounts_and_taxes")).external_id == "9007199254740993123"


def test_the_shops_currency_counts_not_the_buyers() -> None:
    order = read(payload("discounts_and_taxes"))

    assert (order.currency, order.lines[0].unit_price) == ("USD", 2500)


def test_what_has_no_sku_is_known_by_its_variant_product_or_line() -> None:
    assert [line.sku for line in read(payload("discounts_and_taxes")).lines] == [
        "MUG 01/β",
        "variant:102",
    ]
    assert [line.sku for line in read(payload("till_in_yen")).lines] == ["product:301", "line:32"]


def test_yen_have_no_cents() -> None:
    order = read(payload("till_in_yen"))

    assert (order.total, order.lines[0].unit_price, order.tax) == (3300, 1000, 273)
    with pytest.raises(MalformedOrder):
        read(changed("till_in_yen", total_price="3300.50"))


def test_a_till_knows_neither_customer_nor_address() -> None:
    order = read(payload("till_in_yen"))

    assert (order.customer, order.shipping_address, order.ships) == (None, None, False)


def test_an_address_is_put_on_single_lines() -> None:
    address = read(payload("discounts_and_taxes")).shipping_address

    assert address is not None
    assert (address.line1, address.city, address.country) == (
        "2 Harbour Way Dock 7",
        "München",
        "DE",
    )


def test_an_address_that_is_no_mailbox_is_left_out() -> None:
    customer = read(changed(email="nobody", contact_email=None)).customer

    assert customer is not None
    assert customer.email == "old@example.com"


@pytest.mark.parametrize(
    ("status", "captured"),
    [("paid", 7037), ("authorized", 0), ("pending", 0), (None, 0), ("partially_refunded", 7037)],
)
def test_the_channel_holds_the_money(status: str | None, captured: int) -> None:
    payment = read(changed(financial_status=status)).payment

    assert (payment.provider, payment.captured) == ("external", captured)


@pytest.mark.parametrize("status", ["paid", "authorized"])
def test_what_the_channel_took_or_reserved_may_ship(status: str) -> None:
    assert read(changed(financial_status=status)).payment_hold == ""


@pytest.mark.parametrize(
    "status", ["pending", "partially_paid", "partially_refunded", "expired", "new", "", None, 7]
)
def test_what_the_channel_has_not_been_paid_for_waits(status: Any) -> None:
    assert read(changed(financial_status=status)).payment_hold
    assert "2000 of 3300" in read(payload("till_in_yen")).payment_hold


def test_what_costs_nothing_needs_no_payment() -> None:
    line = {"id": 1, "variant_id": 2, "quantity": 1, "price": "5.00", "total_discount": "5.00"}
    free: dict[str, Any] = {"line_items": [line], "shipping_lines": [], "total_price": "0.00"}

    assert read(changed(financial_status="pending", **free)).payment_hold == ""


def test_what_is_outstanding_is_not_captured() -> None:
    assert read(payload("till_in_yen")).payment.captured == 2000


@pytest.mark.parametrize(
    "change",
    [{"test": True}, {"cancelled_at": "2026-01-01T00:00:00Z"}, {"financial_status": "voided"}],
)
def test_what_is_no_business_of_ours_is_ignored_and_it_is_said_why(change: dict[str, Any]) -> None:
    answer = heard(changed(**change), CREATED)

    assert isinstance(answer, Ignored)
    assert answer.why


@pytest.mark.parametrize("topic", ["", "draft_orders/create", "products/create", "ORDERS/CREATE"])
def test_other_topics_are_ignored(topic: str) -> None:
    answer = heard(b"anything", {"x-shopify-topic": topic})

    assert isinstance(answer, Ignored)
    assert topic in answer.why


def test_each_shop_is_a_channel_of_its_own() -> None:
    shop = CREATED | {"x-shopify-shop-domain": "Ada-Mugs.myshopify.com"}

    assert read(payload("till_in_yen"), shop).channel == "shopify:ada-mugs.myshopify.com"
    assert read(payload("till_in_yen")).channel == "shopify"
    with pytest.raises(MalformedOrder):
        read(payload("till_in_yen"), CREATED | {"x-shopify-shop-domain": "no domain"})


def test_an_order_that_does_not_add_up_is_refused_with_both_figures() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(changed(total_price="70.38"))

    (fault,) = refused.value.faults
    assert fault.field == "total"
    assert "7037" in fault.reason
    assert "7038" in fault.reason


def test_discounts_without_allocations_are_those_of_the_line() -> None:
    line = {"id": 1, "variant_id": 2, "quantity": 1, "price": "5.00", "total_discount": "5.00"}
    order = read(changed(line_items=[line], shipping_lines=[], total_price="0.00"))

    assert [(d.code, d.amount) for d in order.lines[0].discounts] == [("discount", 500)]


def test_lines_that_were_taken_out_are_no_lines() -> None:
    gone = {"id": 33, "product_id": 1, "quantity": 0, "price": "9"}
    lines = json.loads(payload("till_in_yen"))["line_items"]

    assert len(read(changed("till_in_yen", line_items=[*lines, gone])).lines) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"webhook_id=1",
        b"{}",
        changed(id=None),
        changed(id=True),
        changed(id=1.5),
        changed(id="1e5"),
        changed(total_price=None),
        changed(total_price=True),
        changed(total_price="1,00"),
        changed(total_price="NaN"),
        changed(line_items={}),
        changed(line_items=["x"]),
        changed(currency="XAU"),
        changed(currency=None),
        changed(shipping_lines=[1]),
        changed(discount_applications=5),
    ],
)
def test_what_is_malformed_is_a_typed_refusal(body: bytes) -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        read(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_order_is_a_surprise(data: st.DataObject) -> None:
    order = json.loads(payload("discounts_and_taxes"))
    line = order["line_items"][0]
    parts = [
        order,
        line,
        line["discount_allocations"][0],
        line["tax_lines"][0],
        order["shipping_lines"][0],
        order["customer"],
        order["shipping_address"],
    ]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    try:
        heard(json.dumps(order).encode(), CREATED)
    except (MalformedOrder, InvalidRequest):
        return


def sent(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-shopify-hmac-sha256": signature(body, secret)}


def test_a_known_answer_of_the_signature() -> None:
    assert (
        signature('{"title":"測試"}'.encode(), "clé")
        == "cFA55ydUlMFTY0zafg7Gn08FIouNoldPEK8HYoCkgLA="
    )


def test_what_the_sender_did_not_sign_is_refused() -> None:
    body = payload("discounts_and_taxes")
    rewritten = json.dumps(json.loads(body)).encode()

    assert verified(sent(body), body, SECRET)
    assert not verified(sent(body), rewritten, SECRET)
    assert not verified(sent(body), body + b"\n", SECRET)
    assert not verified(sent(body), body, "another")
    assert not verified(sent(body, ""), body, "")
    assert not verified({}, body, SECRET)
    assert not verified({"x-shopify-hmac-sha256": "\ud800"}, body, SECRET)


@given(st.data())
def test_a_body_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    body = payload("till_in_yen")
    place, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(body))

    assert not verified(sent(body), forged, SECRET)


real = pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")


@real
def test_a_body_that_was_signed_elsewhere_is_accepted() -> None:
    vectors = json.loads((REAL / "signature_vectors" / "vectors.json").read_text())
    vector = next(each for each in vectors if each["provider"] == "shopify")
    body = (REAL / "signature_vectors" / vector["body_file"]).read_bytes()

    assert verified({"x-shopify-hmac-sha256": vector["signature"]}, body, vector["secret"])


@real
@pytest.mark.parametrize(
    ("name", "total", "skus", "captured"),
    [
        ("order_create_dis", 39400, 4, 39400),
        ("order_create_dis2", 30400, 3, 30400),
        ("order_create_no_dis", 43900, 4, 43900),
    ],
)
def test_orders_of_a_live_shop_add_up(name: str, total: int, skus: int, captured: int) -> None:
    order = read((REAL / "shopify_webhooks_live_devstore" / f"{name}.json").read_bytes())

    assert (order.total, len(order.lines), order.payment.captured) == (total, skus, captured)
    assert all(line.sku.startswith("variant:") for line in order.lines)
