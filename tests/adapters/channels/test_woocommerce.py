"""WooCommerce's webhooks, in our words, to the cent."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    MalformedOrder,
    Placed,
    Updated,
    What,
)
from oms.adapters.channels.woocommerce import WooCommerce, signature
from oms.adapters.channels.woocommerce_order import modern, read_order, refunds_of
from oms.adapters.webhooks import Call
from oms.contracts.api.orders import ChannelOrder
from oms.contracts.invalid import InvalidRequest

WOO = WooCommerce()
FEE = {"id": 5, "name": "Gift wrap", "total": "300", "total_tax": "30", "taxes": []}
PAYLOADS = Path(__file__).parents[2] / "contracts" / "channels" / "woocommerce"
REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels"
SECRET = "woo-secret"
SOURCE = "https://Example.com/shop/"
CHANNEL = "woocommerce:example.com:shop"


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_bytes())
    return found


def said(topic: str, body: Any, **headers: str) -> tuple[What, ...]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    known = {"x-wc-webhook-topic": topic, "x-wc-webhook-source": SOURCE, **headers}
    return WOO.read(Call(raw, known)).said


def order_of(what: What) -> ChannelOrder:
    assert isinstance(what, Placed | Updated), what
    assert what.order.sum_of_parts == what.order.total
    return what.order


def read(name: str = "gross_prices", topic: str = "order.created", **more: Any) -> ChannelOrder:
    return order_of(said(topic, payload(name) | more)[0])


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_every_payload_becomes_an_order(path: Path) -> None:
    order = order_of(said("order.created", path.read_bytes())[0])

    assert order.channel == CHANNEL


def test_prices_with_tax_are_those_that_the_buyer_saw() -> None:
    order = read()

    assert order.tax_included
    mug, card = order.lines
    assert (mug.sku, mug.quantity, mug.unit_price, mug.discounted) == ("variant:31", 3, 1000, 2625)
    assert (card.sku, card.unit_price, card.discounted) == ("KARTE/1", 500, 375)
    assert [(x.code, x.amount) for x in mug.discounts] == [("frühling", 375)]
    assert [(x.name, x.amount) for x in mug.taxes] == [("MwSt.", 419)]
    assert (order.shipping.method, order.shipping.price, order.total) == ("flat_rate", 490, 3490)


def test_a_price_that_does_not_divide_is_exact_for_the_line() -> None:
    line = read("fees_without_shipping").lines[0]

    assert (line.quantity, line.unit_price, line.discounted) == (7, 715, 5000)
    assert [(x.code, x.amount) for x in line.discounts] == [("rounding", 5)]


def test_fees_are_charged_with_the_shipping_or_discounts() -> None:
    order = read("fees_without_shipping")

    assert [x.sku for x in order.lines] == ["PDF"]
    assert (order.shipping.price, [x.amount for x in order.shipping.taxes]) == (300, [30])
    assert [(x.code, x.amount) for x in order.discounts] == [("Member", 550)]
    assert order.total == 5280


@pytest.mark.parametrize("name", ["gross_prices", "legacy"])
def test_a_fee_holds_no_order_back(name: str) -> None:
    """Whatever it is called, and whether its tax is inside: all that is left are goods."""
    before = read(name)
    fee = {"id": 77, "name": "Gift wrap", "total": "3.00", "total_tax": "0.57", "taxes": []}
    inner = payload(name).get("order", payload(name))
    total = str(Decimal(inner["total"]) + Decimal("3.57"))
    body = {**inner, "fee_lines": [fee], "total": total}

    order = read_order(modern(body), "processing", CHANNEL)

    assert order.lines == before.lines
    assert all(line.requires_shipping for line in order.lines)
    added = order.shipping.price - before.shipping.price
    assert (added, order.tax - before.tax) == (357 if order.tax_included else 300, 57)
    assert order.total == before.total + 357


def test_an_order_of_nothing_but_fees_waits_for_a_person() -> None:
    order = read("fees_without_shipping", line_items=[], fee_lines=[FEE], total="330")

    assert [(x.sku, x.requires_shipping) for x in order.lines] == [("fee:Gift wrap", False)]


def test_taxes_have_the_names_of_their_rates_and_their_sum() -> None:
    line = read("fees_without_shipping").lines[0]

    assert [(x.name, x.amount) for x in line.taxes] == [("国税", 400), ("地方税", 100)]


def test_what_has_neither_a_way_nor_an_address_is_not_shipped() -> None:
    order = read("fees_without_shipping")

    assert not order.ships
    assert order.shipping_address is None


def test_what_ships_goes_to_the_buyer_where_nobody_else_is_named() -> None:
    address = read(shipping={"first_name": "", "address_1": "", "country": ""}).shipping_address

    assert address is not None
    assert (address.line1, address.city, address.country) == (
        "12 Hafenstraße Hinterhaus",
        "Köln",
        "DE",
    )


def test_the_legacy_api_says_the_same_by_other_names() -> None:
    (updated,) = said("order.updated", payload("legacy"))
    order = order_of(updated)

    assert isinstance(updated, Updated)
    assert updated.at == datetime(2015, 1, 26, 20, 0, 22, tzinfo=UTC)
    assert (order.total, order.tax, order.shipping.price) == (3650, 650, 500)
    assert (order.payment.captured, order.payment_hold) == (3650, "")


def test_times_are_the_ones_in_gmt() -> None:
    (updated,) = said("order.updated", payload("gross_prices"))

    assert isinstance(updated, Updated)
    assert updated.at == datetime(2025, 5, 2, 10, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "paid", "held", "captured"),
    [
        ("processing", "2025-05-02T10:31:00", False, 3490),
        ("processing", None, False, 3490),
        ("pending", None, True, 0),
        ("on-hold", None, True, 0),
        ("awaiting-stars", None, True, 0),
        ("awaiting-stars", "2025-05-02T10:31:00", False, 3490),
        ("", None, True, 0),
    ],
)
def test_what_is_not_paid_for_waits(
    status: str, paid: str | None, held: bool, captured: int
) -> None:
    order = read(status=status, date_paid=paid, date_paid_gmt=paid)

    assert (bool(order.payment_hold), order.payment.captured) == (held, captured)


def test_what_is_paid_on_delivery_ships_unpaid() -> None:
    order = read(payment_method="cod", date_paid=None, date_paid_gmt=None)

    assert (order.payment_hold, order.payment.captured) == ("", 0)


def test_a_payment_that_failed_holds_an_order_that_we_know() -> None:
    assert read(topic="order.updated", status="failed", date_paid_gmt="x").payment_hold
    assert isinstance(said("order.created", payload("legacy") | {"status": "failed"})[0], Placed)


@pytest.mark.parametrize("status", ["cancelled", "failed", "refunded", "trash", "checkout-draft"])
def test_what_is_over_or_a_draft_is_not_placed(status: str) -> None:
    (ignored,) = said("order.created", payload("gross_prices") | {"status": status})

    assert isinstance(ignored, Ignored)


@pytest.mark.parametrize("status", ["cancelled", "trash"])
def test_what_is_over_is_cancelled(status: str) -> None:
    (gone,) = said("order.updated", payload("gross_prices") | {"status": status})

    assert isinstance(gone, Cancelled)
    assert (gone.channel, gone.external_id, gone.reason) == (CHANNEL, "4711", status)


def test_an_order_whose_money_was_given_back_waits_for_its_refunds() -> None:
    body = payload("gross_prices") | {"status": "refunded", "refunds": [{"id": 9}]}
    updated, fetch = said("order.updated", body)

    assert order_of(updated).payment_hold == "the order is refunded"
    assert order_of(updated).payment.captured == 3490
    assert fetch == Fetch(CHANNEL, "4711", "refunds")


def test_a_deleted_order_is_cancelled_and_a_restored_one_is_back() -> None:
    assert said("order.deleted", {"id": 7}) == (Cancelled(CHANNEL, "7", "deleted"),)
    assert isinstance(said("order.restored", payload("gross_prices"))[0], Updated)


def test_a_completed_order_was_shipped_by_somebody() -> None:
    parcel = {"tracking_number": "1Z", "custom_tracking_provider": "UPS"}
    kept = [{"key": "_wc_shipment_tracking_items", "value": [parcel]}]
    body = payload("gross_prices") | {"status": "completed", "meta_data": kept}

    _, fulfilled = said("order.updated", body)
    assert isinstance(fulfilled, Fulfilled)
    assert (fulfilled.units, fulfilled.carrier, fulfilled.tracking_number) == ((), "UPS", "1Z")


def test_an_order_with_refunds_says_that_they_are_to_be_fetched() -> None:
    body = payload("gross_prices") | {"refunds": [{"id": 9, "total": "-1.00"}]}

    assert said("order.updated", body)[1:] == (Fetch(CHANNEL, "4711", "refunds"),)
    assert said("order.updated", {"id": 9, "parent_id": 4711, "amount": "1.00"}) == (
        Fetch(CHANNEL, "4711", "refunds"),
    )


def test_a_refund_by_itself_is_fetched_with_the_order_that_it_links_to() -> None:
    up = {"up": [{"href": "https://example.com/wp-json/wc/v3/orders/723"}]}

    assert said("order.updated", {"id": 9, "amount": "1.00", "_links": up}) == (
        Fetch(CHANNEL, "723", "refunds"),
    )
    with pytest.raises(MalformedOrder):
        said("order.updated", {"id": 9, "amount": "1.00"})


@pytest.mark.parametrize(
    ("hook", "what"),
    [
        ("woocommerce_order_refunded", "refunds"),
        ("woocommerce_order_partially_refunded", "refunds"),
        ("woocommerce_order_status_completed", "order"),
        ("woocommerce_payment_complete", "order"),
    ],
)
def test_hooks_of_orders_are_fetched(hook: str, what: str) -> None:
    body = {"action": hook, "arg": 723}

    assert said(f"action.{hook}", body) == (Fetch(CHANNEL, "723", what),)


@pytest.mark.parametrize(
    "body",
    [
        {"action": "woocommerce_add_to_cart", "arg": 1},
        {"action": "woocommerce_refund_created", "arg": 726},
        {"action": "woocommerce_order_refunded", "arg": None},
        {"action": "woocommerce_order_refunded", "arg": {"id": 1}},
        {},
    ],
)
def test_hooks_of_other_things_are_ignored(body: Any) -> None:
    assert isinstance(said("action.x", body)[0], Ignored)


@pytest.mark.parametrize("topic", ["product.updated", "customer.created", "coupon.deleted", ""])
def test_what_is_none_of_our_business_is_ignored_unread(topic: str) -> None:
    assert isinstance(said(topic, b"\xff")[0], Ignored)


def test_the_topic_may_be_in_two_headers() -> None:
    headers = {"x-wc-webhook-resource": "order", "x-wc-webhook-event": "deleted"}

    assert isinstance(said("", {"id": 1}, **headers)[0], Cancelled)


def test_a_ping_is_nobodys_and_does_nothing() -> None:
    for body in (b"webhook_id=42", b"webhook_id=42\n"):
        assert WOO.is_ping(Call(body))
        assert not WOO.verify(Call(body), SECRET)
        assert WOO.read(Call(body)).said == (Ignored("ping"),)
    assert not WOO.is_ping(Call(b"webhook_id=42&x=1"))
    assert not WOO.is_ping(Call(b"webhook_id=42", {"x-wc-webhook-signature": "no"}))


def test_a_webhook_that_may_not_see_orders_says_so() -> None:
    body = {"code": "woocommerce_rest_cannot_view", "message": "no", "data": {"status": 401}}
    with pytest.raises(MalformedOrder, match="may not see orders"):
        said("order.updated", body)


@pytest.mark.parametrize(
    ("source", "shop"),
    [
        ("https://example.com/", "example.com"),
        ("http://Shop.Example.com:8080", "shop.example.com:8080"),
        ("https://example.com/eu/shop/", "example.com:eu:shop"),
        ("", ""),
    ],
)
def test_each_shop_is_a_channel_of_its_own(source: str, shop: str) -> None:
    assert WOO.shop(Call(b"", {"x-wc-webhook-source": source})) == shop


@pytest.mark.parametrize(
    "source", ["no address", "https://", "https://a b/", "https://[", "https://x/ü", "x" * 200]
)
def test_an_address_that_is_none_is_refused(source: str) -> None:
    with pytest.raises(MalformedOrder):
        WOO.shop(Call(b"", {"x-wc-webhook-source": source}))


def test_two_messages_of_one_second_are_not_known_as_one_by_their_delivery() -> None:
    """The shop hashes the webhook's number and the second for it."""
    headers = {"x-wc-webhook-topic": "order.deleted", "x-wc-webhook-delivery-id": "d-1"}

    assert WOO.read(Call(b'{"id":1}', headers)).message_id == ""


def test_a_price_that_somebody_raised_is_the_price() -> None:
    line = payload("fees_without_shipping")["line_items"][0] | {"subtotal": "1000"}
    order = read("fees_without_shipping", line_items=[line])

    assert order.lines[0].discounted == 5000


def test_a_line_that_was_emptied_is_none() -> None:
    empty = {"id": 9, "quantity": 0, "subtotal": "0.00", "total": "0.00", "product_id": 1}
    lines = [*payload("gross_prices")["line_items"], empty]

    assert len(read(line_items=lines).lines) == 2


def test_roundings_are_no_mistake_but_more_than_those_is() -> None:
    assert read(total="34.92").total == 3492
    assert read(total="34.88").total == 3488
    with pytest.raises(InvalidRequest) as refused:
        read(total="34.97")
    assert [fault.field for fault in refused.value.faults] == ["total"]


def test_a_refund_names_the_lines_that_it_is_for() -> None:
    lines = [
        {"id": 1, "quantity": -2, "meta_data": [{"key": "_refunded_item_id", "value": "81"}]},
        {"id": 2, "quantity": 0, "total": "-1.00", "meta_data": []},
    ]
    refund = {"id": 5, "amount": "7.50", "reason": "late", "line_items": lines, "meta_data": []}
    (found,) = refunds_of(payload("gross_prices"), [refund], CHANNEL)

    assert (found.amount, found.currency, found.external_id) == (750, "EUR", "4711")
    assert [(x.line_id, x.quantity) for x in found.units] == [("81", 2)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"webhook_id=x",
        {},
        payload("gross_prices") | {"id": None},
        payload("gross_prices") | {"id": 1.5},
        payload("gross_prices") | {"currency": "XAU"},
        payload("gross_prices") | {"total": "1,00"},
        payload("gross_prices") | {"total": None},
        payload("gross_prices") | {"line_items": {}},
        payload("gross_prices") | {"line_items": ["x"]},
        payload("gross_prices") | {"line_items": [{"id": 1, "quantity": 0.5, "total": "1"}]},
        payload("gross_prices") | {"line_items": [{"id": 1, "quantity": 0, "total": "1"}]},
        payload("gross_prices") | {"line_items": [{"id": 1, "quantity": 1, "total": "1e99"}]},
        payload("gross_prices") | {"line_items": [{"id": 1, "quantity": 1, "total": "NaN"}]},
    ],
)
def test_what_is_malformed_is_a_typed_refusal(body: Any) -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        said("order.created", body)


CENT = Decimal("0.01")


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """As WooCommerce makes them: computed with six decimals, each said with two."""
    rate = draw(st.sampled_from([Decimal(0), Decimal("0.07"), Decimal("0.19"), Decimal("0.0825")]))
    inside = draw(st.booleans())
    exact = Decimal()
    lines = []
    for n in range(draw(st.integers(1, 5))):
        quantity = draw(st.integers(1, 12))
        price = Decimal(draw(st.integers(0, 20_000))) / 100 * quantity
        net = (price / (1 + rate) if inside else price).quantize(Decimal("1e-6"))
        kept = (net * draw(st.integers(0, 100)) / 100).quantize(Decimal("1e-6"))
        taxes = [(x * rate).quantize(Decimal("1e-6")) for x in (net, kept)]
        exact += kept + taxes[1]
        lines.append(
            {
                "id": n + 1,
                "product_id": n + 1,
                "quantity": quantity,
                "subtotal": str(rounded(net)),
                "subtotal_tax": str(rounded(taxes[0])),
                "total": str(rounded(kept)),
                "total_tax": str(rounded(taxes[1])),
                "taxes": [{"id": 5, "total": str(taxes[1])}],
            }
        )
    fixed = {"prices_include_tax": inside, "shipping_lines": [], "coupon_lines": []}
    return payload("gross_prices") | fixed | {"line_items": lines, "total": str(rounded(exact))}


@settings(deadline=None)
@given(orders())
def test_amounts_are_exact_however_they_were_rounded(body: dict[str, Any]) -> None:
    order = order_of(said("order.created", body)[0])

    assert order.total == int(Decimal(body["total"]) * 100)
    for line, given_line in zip(order.lines, body["line_items"], strict=True):
        assert line.quantity == given_line["quantity"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(found: Any) -> list[Any]:
    """All objects within."""
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    below = [place for each in inner for place in places(each)]
    return [found, *below] if isinstance(found, dict) and found else below


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_message_is_a_surprise(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(path.stem for path in PAYLOADS.glob("*.json"))))
    topic = data.draw(st.sampled_from(["order.created", "order.updated", "action.x"]))
    body = payload(name)
    place = data.draw(st.sampled_from(places(body)))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    try:
        said(topic, body)
    except (MalformedOrder, InvalidRequest):
        return


def signed(body: bytes, secret: str = SECRET) -> Call:
    return Call(body, {"x-wc-webhook-signature": signature(body, secret)})


def test_what_the_sender_did_not_sign_is_refused() -> None:
    body = (PAYLOADS / "gross_prices.json").read_bytes()
    call = signed(body)
    rewritten = json.dumps(json.loads(body)).encode()

    assert WOO.verify(call, SECRET)
    assert not WOO.verify(Call(rewritten, call.headers), SECRET)
    assert not WOO.verify(call, "another")
    assert not WOO.verify(signed(body, ""), "")
    assert not WOO.verify(Call(body), SECRET)


@given(st.data())
def test_a_body_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    body = (PAYLOADS / "legacy.json").read_bytes()
    place, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(body))

    assert not WOO.verify(Call(forged, signed(body).headers), SECRET)


real = pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")


@real
def test_a_body_that_was_signed_elsewhere_is_accepted() -> None:
    vectors = json.loads((REAL / "signature_vectors" / "vectors.json").read_text())
    vector = next(each for each in vectors if each["provider"] == "woocommerce")
    call = Call(vector["body"].encode(), {"x-wc-webhook-signature": vector["signature"]})

    assert WOO.verify(call, vector["secret"])
    assert not WOO.verify(call, vector["secret"] + "x")
    assert order_of(said("order.created", call.body)[0]).total == 2935


def bodies(path: Path) -> list[Any]:
    """Lists and envelopes of the REST API are not sent; what is in them is."""
    found = json.loads(path.read_bytes(), parse_float=str)
    if isinstance(found, dict) and set(found) <= {"create", "update", "delete"}:
        return [each for batch in found.values() for each in batch]
    for name in ("orders", "webhooks"):
        found = found.get(name, found) if isinstance(found, dict) else found
    return found if isinstance(found, list) else [found]


def topic_of(path: Path) -> str:
    kind = path.stem.split("_")[1]
    return {"orders": "order.updated", "order-refunds": "order.updated"}.get(
        kind, f"{kind}.updated"
    )


def outcome(topic: str, body: Any) -> str:
    try:
        what = said(topic, body)
    except (MalformedOrder, InvalidRequest) as refused:
        return type(refused).__name__
    return ", ".join(type(each).__name__ for each in what)


@real
def test_every_real_payload_is_read_or_refused_with_a_reason() -> None:
    kinds: dict[str, Counter[str]] = {}
    for path in sorted((REAL / "woocommerce").glob("*.json")):
        for body in bodies(path):
            kind = path.stem.split("_")[1]
            kinds.setdefault(kind, Counter())[outcome(topic_of(path), body)] += 1

    assert set(kinds["orders"]) <= {"Updated", "Updated, Fulfilled", "Updated, Fulfilled, Fetch"}
    assert set(kinds["order-refunds"]) == {"Fetch"}
    assert all(
        set(found) == {"Ignored"}
        for kind, found in kinds.items()
        if kind not in ("orders", "order-refunds")
    )
