"""What Adobe Commerce and Magento send, in our words, to the cent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.access import PRIVATE, new_secrets
from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    MalformedOrder,
    Refunded,
    Units,
    Updated,
    What,
)
from oms.adapters.channels.magento_orders import fulfilled, refunded, said_of, units_of
from oms.adapters.webhooks import Call, relay_signature
from oms.contracts.api import ChannelOrder
from oms.contracts.invalid import InvalidRequest
from tests.adapters.channels.test_shopify import JSON
from tests.adapters.test_rsa_signatures import one_line, pem, sign

MAGENTO = CHANNELS["magento"]
PAYLOADS = Path(__file__).parents[2] / "contracts" / "channels" / "magento"
REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels" / "adobe_commerce_magento2"
SHOP = {"shop": "Mugs.Example"}
real = pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")


def body(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def case(name: str = "order") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body(name))
    return found


def said(value: Any, event: str = "", **headers: str) -> What:
    octets = value if isinstance(value, bytes) else json.dumps(value).encode()
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    (what,) = MAGENTO.read(Call(octets, named, SHOP | {"event": event})).said
    return what


def order_of(value: Any) -> ChannelOrder:
    what = said(value)
    assert isinstance(what, Updated), what
    return what.order


def changed(**order: Any) -> dict[str, Any]:
    return case() | order


def test_an_order_keeps_every_cent_in_the_currency_that_the_shop_is_paid_in() -> None:
    order = order_of(body("order"))

    assert (order.currency, order.total, order.subtotal, order.tax, order.shipping.price) == (
        "EUR",
        14280,
        11500,
        2280,
        500,
    )
    assert (order.payment.captured, order.payment_hold) == (14280, "")
    assert order.channel == "magento:mugs.example"


def test_each_unit_is_counted_once_with_its_part_of_the_money() -> None:
    order = order_of(body("order"))

    assert [(x.sku, x.quantity, x.external_id, x.discounted, x.taxed) for x in order.lines] == [
        ("HOODIE-M-GREY", 2, "801", 4700, 893),
        ("STRAP", 2, "804", 2667, 507),
        ("BALL", 1, "805", 1333, 253),
        ("PEN", 4, "807", 1200, 228),
        ("PAD", 1, "808", 1000, 190),
        ("MANUAL-PDF", 1, "809", 600, 114),
    ]
    assert [x.requires_shipping for x in order.lines] == [True] * 5 + [False]
    assert order.lines[0].discounts[-1].code == "FRÜHLING"


def test_children_that_are_not_linked_are_counted_once_all_the_same() -> None:
    linked, order = order_of(body("order")), case()
    for item in order["items"]:
        item.pop("parent_item_id", None)
        item.pop("parent_item", None)
    order["items"] = [x for x in order["items"] if x["item_id"] not in (806, 807, 808)]
    order |= {"base_grand_total": 116.62, "base_total_paid": 116.62}

    skus = ["HOODIE-M-GREY", "STRAP", "BALL", "MANUAL-PDF"]
    kept = [x for x in linked.lines if x.sku in skus]
    assert order_of(order).lines == kept


def test_children_that_are_charged_and_not_linked_are_counted_once_too() -> None:
    linked, order = order_of(body("order")), case()
    for item in order["items"]:
        item.pop("parent_item_id", None)
        item.pop("parent_item", None)
    order["items"] = order["items"][5:]
    order["items"][0] |= {"base_row_total": None, "base_tax_amount": None}
    order |= {"base_grand_total": 39.27, "base_total_paid": 39.27}

    assert order_of(order).lines == linked.lines[3:]


def test_both_numbers_of_an_order_are_told() -> None:
    order = order_of(body("order"))

    assert (order.external_id, order.payment.token) == ("5021", "2000000731")
    assert "increment_id:2000000731" in order.tags


def test_where_it_goes_is_told_in_two_lines() -> None:
    address = order_of(body("order")).shipping_address

    assert address is not None
    assert (address.name, address.line1, address.line2, address.region) == (
        "Grace Hopper",
        "2 Harbour Way",
        "Dock 7, Room 3",
        "BY",
    )


def test_an_event_lists_its_addresses_and_writes_its_numbers_as_text() -> None:
    order = order_of(body("event_order_saved"))

    assert (order.external_id, order.total, order.lines[0].quantity) == ("5022", 1900, 3)
    assert order.shipping_address is not None
    assert (order.shipping_address.line1, order.shipping_address.line2) == ("1 Road", "Back door")


def test_an_event_has_an_id() -> None:
    message = MAGENTO.read(Call(body("event_order_saved"), {}, SHOP))
    named = MAGENTO.read(Call(body("event_order_saved"), {"x-adobe-event-id": "e-7"}, SHOP))

    assert (message.message_id, named.message_id) == ("5b1e9a1c-6c1e-4a53-9f0e-4a8a2d1f0001", "e-7")
    assert MAGENTO.read(Call(body("order"), {}, SHOP)).message_id == ""


def test_an_event_of_the_old_form_and_several_at_once_are_read() -> None:
    cloud = case("event_order_saved")
    old = {"event_id": "old-1", "event": {"@type": cloud["type"], "data": cloud["data"]}}
    message = MAGENTO.read(Call(json.dumps(old).encode(), {}, SHOP))
    both = MAGENTO.read(Call(json.dumps([old, cloud]).encode(), {}, SHOP))

    assert message.message_id == "old-1"
    assert message.said == both.said[:1] == both.said[1:]


def test_tax_that_was_saved_with_a_discount_is_no_discount() -> None:
    """Prices with tax: 119.00 gross with 10 % off is 90.00 and 17.10 of tax."""
    item = {
        "item_id": 1,
        "product_type": "simple",
        "sku": "A",
        "qty_ordered": 1,
        "base_row_total": 100,
        "base_discount_amount": 11.9,
        "base_discount_tax_compensation_amount": 1.9,
        "base_tax_amount": 17.1,
    }
    totals = {"base_grand_total": 107.1, "base_shipping_amount": 0, "base_shipping_tax_amount": 0}
    order = order_of(changed(items=[item], **totals))

    assert (order.subtotal, order.tax, order.total) == (9000, 1710, 10710)


def test_amounts_of_four_decimals_are_rounded_together() -> None:
    item = {"product_type": "simple", "qty_ordered": 1, "base_row_total": "3.3350"}
    items = [item | {"item_id": n, "sku": f"S{n}"} for n in range(1, 5)]
    totals = {"base_grand_total": 13.34, "base_shipping_amount": 0, "base_shipping_tax_amount": 0}
    order = order_of(changed(items=items, **totals))

    assert [x.discounted for x in order.lines] == [334, 333, 333, 334]
    with pytest.raises(InvalidRequest):
        order_of(changed(items=items, **(totals | {"base_grand_total": 13.33})))


def test_a_total_of_half_a_cent_is_refused() -> None:
    with pytest.raises(MalformedOrder, match="grand_total"):
        said(changed(base_grand_total=142.805))


def test_a_row_that_does_not_divide_is_rounded_up_and_taken_off_again() -> None:
    item = {"item_id": 1, "product_type": "simple", "sku": "A", "qty_ordered": 3}
    totals = {"base_grand_total": 10, "base_shipping_amount": 0, "base_shipping_tax_amount": 0}
    (line,) = order_of(changed(items=[item | {"base_row_total": 10}], **totals)).lines

    assert (line.unit_price, [d.amount for d in line.discounts]) == (334, [2])


def test_gift_cards_and_store_credit_are_money_that_was_taken() -> None:
    paid = {"base_grand_total": 100, "base_total_paid": 100}
    attributes = case()["extension_attributes"] | {
        "base_gift_cards_amount": 40,
        "base_customer_balance_amount": 2.8,
    }
    order = order_of(changed(extension_attributes=attributes, **paid))

    assert (order.total, order.payment.captured, order.payment_hold) == (14280, 14280, "")


def test_gift_wrap_is_charged_with_the_shipping() -> None:
    attributes = case()["extension_attributes"] | {
        "gw_items_base_price": "2.5000",
        "gw_base_tax_amount": "0.5000",
    }
    money = {"base_grand_total": 145.8, "base_total_paid": 145.8}
    order = order_of(changed(extension_attributes=attributes, **money))

    assert (order.shipping.price, order.shipping.taxed) == (750, 145)


@pytest.mark.parametrize("state", ["holded", "payment_review", "pending_payment"])
def test_what_waits_there_waits_here(state: str) -> None:
    assert order_of(changed(state=state)).payment_hold


@pytest.mark.parametrize(
    ("payment", "paid", "waits"),
    [
        ({"method": "checkmo"}, 0, True),
        ({"method": "checkmo"}, None, True),
        ({"method": "stripe"}, 100, True),
        ({"method": "stripe", "base_amount_authorized": 142.8}, 0, False),
        ({"method": "cashondelivery"}, 0, False),
        ({"method": "stripe"}, 142.8, False),
    ],
)
def test_nothing_ships_for_money_that_nobody_took(payment: Any, paid: Any, waits: bool) -> None:
    order = order_of(changed(state="new", payment=payment, base_total_paid=paid))

    assert bool(order.payment_hold) is waits
    assert order.payment.captured == round((paid or 0) * 100)


def test_what_was_cancelled_there_is_cancelled() -> None:
    what = said(changed(state="canceled"))

    assert isinstance(what, Cancelled)
    assert (what.external_id, what.units) == ("5021", ())


@pytest.mark.parametrize("value", [{"id": 5021}, {"order_id": "5021"}, {"entity_id": 5021}])
def test_a_cancellation_holds_the_order_or_its_id(value: dict[str, Any]) -> None:
    what = said(value, "plugin.sales.api.order_management.cancel")

    assert isinstance(what, Cancelled)
    assert what.external_id == "5021"


def test_a_message_with_some_fields_is_asked_for() -> None:
    few = {"entity_id": 5021, "increment_id": "2000000731", "state": "processing"}

    assert said(few) == Fetch("magento:mugs.example", "5021")
    assert said({"order": few}, "observer.sales_order_save_after") == Fetch(
        "magento:mugs.example", "5021"
    )


def test_a_credit_memo_gives_back_each_unit_once() -> None:
    what = said(body("creditmemo"))

    assert isinstance(what, Refunded)
    assert (what.external_id, what.refund_id, what.amount, what.currency) == (
        "5021",
        "77",
        2896,
        "EUR",
    )
    assert what.units == (Units(1, "801", "HOODIE-M-GREY"),)
    with_order = refunded(case("creditmemo"), "magento", case())
    assert isinstance(with_order, Refunded)
    assert with_order.units == what.units


def test_a_bundle_is_not_given_back_beside_its_children() -> None:
    rows = [
        {"order_item_id": 806, "sku": "DESK-SET", "qty": 1, "base_price": 22},
        {"order_item_id": 807, "sku": "PEN", "qty": 4, "base_price": 3, "base_row_total": 12},
        {"order_item_id": 808, "sku": "PAD", "qty": 1, "base_price": 10, "base_row_total": 10},
    ]

    assert units_of(rows, None) == (Units(4, "807", "PEN"), Units(1, "808", "PAD"))
    assert units_of(rows, case()) == units_of(rows, None)


@pytest.mark.parametrize(
    "memo", [{"state": 3}, {"comments": [{"comment": "[Baton key-1] damaged"}]}]
)
def test_what_was_taken_back_or_is_ours_gives_nothing_back(memo: dict[str, Any]) -> None:
    assert isinstance(said(case("creditmemo") | memo), Ignored)


def test_a_shipment_tells_its_units_and_its_number() -> None:
    what = said({"shipment": case("shipment")}, "observer.sales_order_shipment_save_after")

    assert isinstance(what, Fulfilled)
    assert (what.external_id, what.fulfillment_id, what.carrier, what.tracking_number) == (
        "5021",
        "31",
        "dhl",
        "00340434161094",
    )


def test_a_bundle_that_is_shipped_as_one_is_its_units() -> None:
    what = fulfilled(case("shipment"), "magento", case())

    assert isinstance(what, Fulfilled)
    assert what.units == (
        Units(1, "801", "HOODIE-M-GREY"),
        Units(2, "804", "STRAP"),
        Units(1, "805", "BALL"),
    )


def test_a_part_of_a_bundle_that_is_no_whole_unit_is_not_told() -> None:
    order = case()
    order["items"][2]["qty_ordered"] = 2

    assert units_of([{"order_item_id": 803, "qty": 1}], order) == (Units(1, "804", "STRAP"),)


def collected() -> dict[str, Any]:
    order = case()
    order["extension_attributes"]["pickup_location_code"] = "brooklyn"
    return order


def test_what_is_collected_goes_to_our_location_where_it_is_known() -> None:
    what = said_of(collected(), "magento", {"brooklyn": "shop-7"})
    unknown = order_of(collected())

    assert isinstance(what, Updated)
    assert (what.order.pickup_location, what.order.shipping_address) == ("shop-7", None)
    assert (unknown.pickup_location, "pickup:brooklyn" in unknown.tags) == (None, True)


def test_a_closed_order_says_nothing_that_its_credit_memos_do_not() -> None:
    assert isinstance(said(changed(state="closed")), Ignored)


@pytest.mark.parametrize(
    "event", ["observer.catalog_product_save_after", "com.adobe.commerce.observer.customer_save"]
)
def test_other_events_are_ignored_and_it_is_said_why(event: str) -> None:
    what = said({"entity_id": 1, "sku": "A"}, event)

    assert isinstance(what, Ignored)
    assert event in what.why


def test_a_challenge_is_none_of_our_business() -> None:
    assert isinstance(said({"challenge": "8ec8d794", "type": "challenge"}), Ignored)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b"[1]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"sku":"A"}',
        json.dumps(changed(entity_id="a/b")).encode(),
        json.dumps(changed(items={})).encode()[:-1],
        json.dumps(changed(items=[1])).encode(),
        json.dumps(changed(base_currency_code="XAU")).encode(),
        json.dumps(changed(base_grand_total=True)).encode(),
        json.dumps(changed(base_grand_total="1,00")).encode(),
    ],
)
def test_what_is_malformed_is_a_typed_refusal(octets: bytes) -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        MAGENTO.read(Call(octets))


def test_half_a_unit_is_refused() -> None:
    order = case()
    order["items"][0]["qty_ordered"] = 1.5
    with pytest.raises(MalformedOrder, match="whole number"):
        said(order)


def test_an_empty_object_of_php_is_a_list() -> None:
    order = order_of(changed(extension_attributes=[], billing_address=[], payment=[]))

    assert (order.shipping_address, order.shipping.method) == (None, "standard")


def test_each_shop_is_a_channel_of_its_own() -> None:
    assert MAGENTO.shop(Call(b"{}", query={"shop": "Mugs"})) == "mugs"
    assert MAGENTO.shop(Call(b"{}")) == ""
    with pytest.raises(MalformedOrder):
        MAGENTO.shop(Call(b"{}", query={"shop": "no shop"}))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_order_is_a_surprise(data: st.DataObject) -> None:
    order = case()
    parts = [order, *order["items"], order["payment"], order["extension_attributes"]]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    try:
        what = said(order)
    except (MalformedOrder, InvalidRequest):
        return
    if isinstance(what, Updated):
        assert what.order.sum_of_parts == what.order.total


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["creditmemo", "shipment", "event_order_saved"]), st.data())
def test_no_message_is_a_surprise(name: str, data: st.DataObject) -> None:
    message = case(name)
    parts = [message, *message.get("items", []), *message.get("tracks", [])]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    try:
        MAGENTO.read(Call(json.dumps(message).encode()))
    except (MalformedOrder, InvalidRequest):
        return


kits = st.lists(
    st.tuples(
        st.sampled_from(["simple", "configurable", "fixed", "dynamic"]),
        st.integers(1, 4),
        st.integers(0, 100_000),
        st.lists(st.integers(1, 3), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200, deadline=None)
@given(kits)
def test_units_and_money_are_exact_whatever_was_bought(kits: list[Any]) -> None:
    items: list[dict[str, Any]] = []
    units = total = 0
    for number, (kind, quantity, cents, counts) in enumerate(kits):
        top = 1000 * (number + 1)
        parts = {"simple": [], "configurable": [1]}.get(kind, counts)
        total += cents
        units += quantity * (sum(parts) or 1)
        product = "bundle" if kind in ("fixed", "dynamic") else kind
        row = {"item_id": top, "product_type": product, "sku": f"S{top}", "qty_ordered": quantity}
        items.append(row | {"base_row_total": f"{cents / 100:.2f}"})
        left = cents
        for place, count in enumerate(parts):
            own = left if place == len(parts) - 1 else left // 2
            left -= own
            items.append(
                {
                    "item_id": top + place + 1,
                    "parent_item_id": top,
                    "product_type": "simple",
                    "sku": f"S{top}-{place}",
                    "qty_ordered": quantity * count,
                    "base_row_total": f"{own / 100:.2f}" if kind == "dynamic" else 0,
                }
            )
    money = {"base_grand_total": f"{total / 100:.2f}", "base_shipping_amount": 0}
    order = order_of(changed(items=items, base_shipping_tax_amount=0, **money))

    assert sum(line.quantity for line in order.lines) == units
    assert order.sum_of_parts == order.total == total
    assert len({line.external_id for line in order.lines}) == len(order.lines)


def verified(octets: bytes, headers: dict[str, str], key: str = "") -> bool:
    return MAGENTO.verify(Call(octets, headers), key or pem())


@pytest.mark.parametrize("form", [lambda x: x, base64.b64encode])
def test_a_webhook_is_signed_over_its_base64_or_itself(form: Callable[[bytes], bytes]) -> None:
    octets = body("order")
    headers = {"x-adobe-commerce-webhook-signature": sign(form(octets))}

    assert verified(octets, headers)
    assert verified(octets, headers, one_line())
    assert not verified(json.dumps(json.loads(octets)).encode(), headers)
    assert not verified(octets + b"\n", headers)
    assert not verified(octets, headers, pem("another"))
    assert not MAGENTO.verify(Call(octets, headers), "")


@pytest.mark.parametrize("place", ["1", "2"])
def test_an_event_is_signed_by_either_key_of_adobe(place: str) -> None:
    octets = body("event_order_saved")
    headers = {
        "x-adobe-digital-signature-1": sign(octets, "another"),
        "x-adobe-digital-signature-2": sign(octets, "another"),
        f"x-adobe-digital-signature-{place}": sign(octets),
        "x-adobe-public-key1-path": "https://evil.example/key.pem",
    }

    assert verified(octets, headers)
    assert not verified(octets[:-1] + b" ", headers)
    assert not verified(octets, headers, pem("third"))


def test_what_plays_magento_here_signs_with_what_is_printed() -> None:
    made = new_secrets(["magento"])
    printed = load_der_private_key(base64.b64decode(made["magento" + PRIVATE]), None)
    assert isinstance(printed, RSAPrivateKey)
    octets = body("shipment")
    signed = printed.sign(base64.b64encode(octets), PKCS1v15(), SHA256())
    headers = {"x-adobe-commerce-webhook-signature": base64.b64encode(signed).decode()}

    assert verified(octets, headers, made["magento"])


def test_a_public_key_is_no_secret_to_sign_with() -> None:
    octets = body("order")

    assert not verified(octets, {"baton-signature": relay_signature(octets, pem())})
    assert not verified(octets, {})


@given(st.data())
def test_a_body_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    octets = body("shipment")
    headers = {"x-adobe-commerce-webhook-signature": sign(base64.b64encode(octets))}
    place, flip = data.draw(st.integers(0, len(octets) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(octets))

    assert not verified(forged, headers)


def what_came_of(octets: bytes, event: str) -> str:
    """What was said, or the reason of a typed refusal."""
    try:
        message = MAGENTO.read(Call(octets, {}, {"event": event}))
    except (MalformedOrder, InvalidRequest) as refused:
        return f"{type(refused).__name__}: {refused}"
    return ", ".join(type(each).__name__ for each in message.said)


@real
@pytest.mark.parametrize("path", sorted(REAL.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_payload_is_read_or_refused_with_a_reason(path: Path) -> None:
    for event in ("", "sales_order_save_after", "sales_order_shipment_save", "sales_order_cancel"):
        assert what_came_of(path.read_bytes(), event)
