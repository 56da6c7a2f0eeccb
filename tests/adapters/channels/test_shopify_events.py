"""What Shopify says of an order after it was placed."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
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
    Placed,
    Refunded,
    Units,
    Updated,
    What,
)
from oms.adapters.channels.shopify import signature
from oms.adapters.webhooks import Call
from oms.contracts.api.orders import ChannelOrder
from oms.contracts.invalid import InvalidRequest

SHOPIFY = CHANNELS["shopify"]
REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels"
SHOP = {"x-shopify-shop-domain": "mugs.myshopify.com"}
CHANNEL = "shopify:mugs.myshopify.com"


def said(topic: str, body: Any, **headers: str) -> tuple[What, ...]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SHOPIFY.read(Call(raw, {**SHOP, "x-shopify-topic": topic, **headers})).said


def one(topic: str, body: Any) -> What:
    (only,) = said(topic, body)
    return only


def now_of(body: Any) -> ChannelOrder:
    """As it is now, after what it was."""
    *_, updated = said("orders/updated", body)
    assert isinstance(updated, Updated)
    return order_of(updated)


def order_of(what: What) -> ChannelOrder:
    assert isinstance(what, Placed | Updated), what
    assert what.order.sum_of_parts == what.order.total
    return what.order


def a_line(**more: Any) -> dict[str, Any]:
    return {
        "id": 11,
        "variant_id": 21,
        "sku": "MUG",
        "quantity": 3,
        "price": "10.00",
        "discount_allocations": [{"amount": "2.00", "discount_application_index": 0}],
        "tax_lines": [{"title": "VAT", "rate": 0.1, "price": "2.80"}],
        **more,
    }


def an_order(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One line of three at 10.00 less 2.00, 2.80 tax, 5.00 shipping: 35.80."""
    return {
        "id": 9007199254740993123,
        "currency": "USD",
        "financial_status": "paid",
        "taxes_included": False,
        "total_price": "35.80",
        "updated_at": "2025-03-01T10:00:00-05:00",
        "line_items": list(lines) or [a_line()],
        "shipping_lines": [{"code": "Std", "price": "5.00", "discounted_price": "5.00"}],
        "discount_applications": [{"type": "manual", "title": "Loyal"}],
        **more,
    }


@pytest.mark.parametrize(
    "topic",
    [
        "orders/updated",
        "orders/paid",
        "orders/partially_paid",
        "orders/fulfilled",
        "orders/partially_fulfilled",
    ],
)
def test_an_order_that_changed_is_said_as_it_is_now_and_since_when(topic: str) -> None:
    updated = one(topic, an_order())

    assert isinstance(updated, Updated)
    assert updated.at == datetime(2025, 3, 1, 15, tzinfo=UTC)
    assert (order_of(updated).total, updated.order.channel) == (3580, CHANNEL)


def test_units_that_were_taken_out_are_not_ordered_any_more() -> None:
    order = now_of(an_order(a_line(current_quantity=2)))

    (line,) = order.lines
    assert line.quantity == 2
    assert [d.amount for d in line.discounts] == [134]
    assert [t.amount for t in line.taxes] == [187]
    assert order.total == 2000 - 134 + 187 + 500


def test_a_whole_line_that_was_taken_out_leaves_what_shopify_says_is_left() -> None:
    gone = a_line(id=12, current_quantity=0, sku="CUP")
    body = an_order(a_line(), gone, total_price="66.60", current_total_price="35.80")

    order = now_of(body)
    assert [line.sku for line in order.lines] == ["MUG"]
    assert order.total == 3580


def test_what_was_placed_is_what_was_ordered_then() -> None:
    assert order_of(one("orders/create", an_order(a_line(current_quantity=2)))).total == 3580


def test_who_does_not_know_the_order_hears_first_what_was_taken_out_of_it() -> None:
    placed, updated = said("orders/updated", an_order(a_line(current_quantity=2)))

    assert isinstance(placed, Placed)
    assert isinstance(updated, Updated)
    assert (order_of(placed).lines[0].quantity, order_of(updated).lines[0].quantity) == (3, 2)


def test_versions_before_2024_say_by_their_refunds_what_is_left() -> None:
    refunds = [{"refund_line_items": [{"line_item_id": 11, "quantity": 1}]}]

    assert now_of(an_order(refunds=refunds)).lines[0].quantity == 2


def test_what_has_left_the_shop_was_not_called_off_when_it_is_refunded() -> None:
    parcel = {"status": "success", "line_items": [{"id": 11, "quantity": 2}]}
    body = an_order(a_line(current_quantity=0), fulfillments=[parcel])

    assert now_of(body).lines[0].quantity == 2


@pytest.mark.parametrize(("shipped", "held"), [(3, False), (2, True)])
def test_with_all_its_money_given_back_nothing_more_leaves(shipped: int, held: bool) -> None:
    parcel = {"status": "success", "line_items": [{"id": 11, "quantity": shipped}]}
    body = an_order(a_line(), fulfillments=[parcel], financial_status="refunded")

    assert bool(now_of(body).payment_hold) is held


def test_a_part_of_the_money_that_was_given_back_holds_up_nothing() -> None:
    assert now_of(an_order(financial_status="partially_refunded")).payment_hold == ""


def test_a_line_that_an_edit_has_added_may_be_in_the_current_total_alone() -> None:
    added = a_line(id=13, quantity=1, current_quantity=1, discount_allocations=[], tax_lines=[])
    body = an_order(a_line(), added, total_price="35.80", current_total_price="45.80")

    assert order_of(one("orders/updated", body)).total == 4580


def test_goodwill_changes_no_order() -> None:
    body = an_order(a_line(current_quantity=3), current_total_price="30.80")

    assert order_of(one("orders/updated", body)).total == 3580


def test_what_is_left_of_an_order_that_was_paid_ships() -> None:
    body = an_order(a_line(current_quantity=1), financial_status="partially_refunded")

    order = now_of(body)
    assert order.payment_hold == ""
    assert order.payment.captured == order.total


def test_an_order_of_which_nothing_is_left_is_ignored_for_its_refunds() -> None:
    ignored = one("orders/updated", an_order(a_line(current_quantity=0)))

    assert isinstance(ignored, Ignored)
    assert "refunds" in ignored.why


TIP = {"id": 14, "quantity": 1, "price": "5.00", "tip": {}, "requires_shipping": False}


def tipped(*lines: Any, **more: Any) -> dict[str, Any]:
    return an_order(*lines, total_price="40.80", total_tip_received="5.00", **more)


@pytest.mark.parametrize("lines", [(), (a_line(), TIP)])
def test_a_tip_is_charged_with_the_shipping_and_once(lines: tuple[Any, ...]) -> None:
    bare = order_of(one("orders/create", an_order()))

    order = order_of(one("orders/create", tipped(*lines)))

    assert order.lines == bare.lines
    assert order.shipping.price == bare.shipping.price + 500
    assert order.total == bare.total + 500


@pytest.mark.parametrize("tip", [(), (TIP,)])
def test_a_tip_stays_when_units_are_taken_out(tip: tuple[Any, ...]) -> None:
    """Else the order's money would be given back in part for no reason."""
    before = order_of(one("orders/create", tipped(a_line(), *tip)))

    now = now_of(tipped(a_line(current_quantity=1), *tip))

    assert now.shipping == before.shipping


def test_a_tip_that_was_given_back_is_no_unit_of_ours() -> None:
    of_tip = {"quantity": 1, "line_item_id": 14, "line_item": TIP}
    told = one("refunds/create", a_refund(refund_line_items=[of_tip]))

    assert isinstance(told, Refunded)
    assert told.units == ()


@pytest.mark.parametrize(
    "name", ["original_total_additional_fees_set", "original_total_duties_set"]
)
@pytest.mark.parametrize("left", [None, 1])
def test_fees_and_duties_of_the_order_are_charged_with_the_shipping(
    name: str, left: int | None
) -> None:
    fee = {"shop_money": {"amount": "1.50", "currency_code": "USD"}}
    bare = order_of(one("orders/create", an_order()))
    body = an_order(total_price="37.30", **{name: fee})

    order = order_of(one("orders/create", body))
    assert (order.lines, order.shipping.price) == (bare.lines, bare.shipping.price + 150)
    body["line_items"][0]["current_quantity"] = left
    assert now_of(body).shipping == order.shipping


def test_duties_of_lines_are_taxes_with_their_own() -> None:
    money = {"amount": "4.00", "currency_code": "USD"}
    duty = {"shop_money": money, "tax_lines": [{"title": "VAT", "price": "0.40", "rate": 0.1}]}
    body = an_order(a_line(duties=[duty]), total_price="40.20")

    assert [x.amount for x in order_of(one("orders/create", body)).lines[0].taxes] == [280, 400, 40]


def test_a_gift_card_is_not_shipped() -> None:
    order = order_of(one("orders/create", an_order(a_line(gift_card=True))))

    assert not order.ships


@pytest.mark.parametrize("properties", [[], {}, {"name": "x", "value": 3}, [{"name": 2}], None, 7])
def test_properties_of_lines_are_of_any_form(properties: Any) -> None:
    assert order_of(one("orders/create", an_order(a_line(properties=properties)))).total == 3580


def test_what_a_till_handed_over_is_placed_and_fulfilled() -> None:
    parcel = {"id": 5, "status": "success", "line_items": [{"id": 11, "quantity": 3}]}
    body = an_order(source_name="pos", fulfillments=[parcel], shipping_lines=[], total_price="30.8")

    placed, fulfilled = said("orders/create", body)
    assert order_of(placed).shipping_address is None
    assert isinstance(fulfilled, Fulfilled)
    assert (fulfilled.external_id, fulfilled.units) == ("9007199254740993123", (Units(3, "11"),))


def test_a_cancelled_order_says_why_and_when() -> None:
    body = an_order(cancelled_at="2025-03-02T00:00:00Z", cancel_reason="customer")
    at = datetime(2025, 3, 2, tzinfo=UTC)
    wanted = Cancelled(CHANNEL, "9007199254740993123", "customer", at=at)

    assert one("orders/cancelled", body) == wanted
    assert one("orders/updated", body) == wanted
    assert isinstance(one("orders/create", body), Ignored)


def test_a_deleted_order_is_cancelled() -> None:
    assert one("orders/delete", {"id": 7}) == Cancelled(CHANNEL, "7", "deleted")


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated", "orders/cancelled"])
def test_test_orders_are_ignored(topic: str) -> None:
    assert isinstance(one(topic, an_order(test=True)), Ignored)


def test_an_edit_holds_the_order_that_is_fetched() -> None:
    edit = {"id": 1, "order_id": 820982911946154508, "line_items": {"additions": []}}

    assert one("orders/edited", {"order_edit": edit}) == Fetch(CHANNEL, "820982911946154508")


def a_refund(**more: Any) -> dict[str, Any]:
    shop = {"shop_money": {"amount": "20.00", "currency_code": "USD"}}
    line = {
        "line_item_id": 11,
        "quantity": 2,
        "subtotal": 20.5,
        "subtotal_set": shop,
        "total_tax": "1.50",
        "line_item": {"sku": "MUG"},
        "restock_type": "return",
    }
    paid = {"kind": "refund", "status": "success", "amount": "20.00", "currency": "USD"}
    return {
        "id": 99,
        "order_id": 7,
        "note": "late",
        "processed_at": "2025-03-02T00:00:00Z",
        "refund_line_items": [line],
        "transactions": [paid],
        "order_adjustments": [],
        **more,
    }


def refund(**more: Any) -> Refunded:
    found = one("refunds/create", a_refund(**more))
    assert isinstance(found, Refunded), found
    return found


def test_a_refund_is_the_money_that_its_transactions_moved() -> None:
    found = refund()

    assert (found.amount, found.currency, found.refund_id) == (2000, "USD", "99")
    assert (found.external_id, found.reason) == ("7", "late")
    assert found.units == (Units(2, "11", "MUG"),)


def test_only_refunds_that_did_not_fail_count() -> None:
    kinds = [
        ("refund", "success"),
        ("refund", "pending"),
        ("refund", "failure"),
        ("void", "success"),
    ]
    paid = [{"kind": k, "status": s, "amount": "1.00", "currency": "USD"} for k, s in kinds]

    assert refund(transactions=paid).amount == 200


def test_units_that_are_taken_out_move_no_money() -> None:
    found = refund(transactions=[])

    assert (found.amount, found.units) == (0, (Units(2, "11", "MUG"),))


def test_without_any_transactions_a_refund_is_worth_its_lines_and_adjustments() -> None:
    adjusted = [
        {"kind": "shipping_refund", "amount": "-5.00", "tax_amount": "-0.50"},
        {"kind": "refund_discrepancy", "amount": "2.00", "tax_amount": "0.00"},
    ]
    assert refund(transactions=None, order_adjustments=adjusted).amount == 2050 + 150 + 550 - 200


def test_money_in_the_buyers_currency_is_counted_in_the_shops() -> None:
    foreign = {"kind": "refund", "status": "success", "amount": "18.00", "currency": "EUR"}
    assert refund(transactions=[foreign]).amount == 2200

    both = {**foreign, "amount_set": {"shop_money": {"amount": "20.00", "currency_code": "USD"}}}
    assert refund(transactions=[both]).amount == 2000


def test_a_refund_in_no_known_currency_is_fetched_with_its_order() -> None:
    body = a_refund(refund_line_items=[], transactions=[])

    assert one("refunds/create", body) == Fetch(CHANNEL, "7")


def test_a_refund_that_we_made_is_no_news_and_another_is() -> None:
    assert isinstance(one("refunds/create", a_refund(note="torn [Baton k-1]")), Ignored)
    assert refund(id=100, note="torn").amount == 2000


def a_parcel(**more: Any) -> dict[str, Any]:
    return {
        "id": 5,
        "order_id": 7,
        "status": "success",
        "created_at": "2025-03-02T00:00:00Z",
        "tracking_company": "UPS",
        "tracking_number": None,
        "tracking_numbers": ["1Z", "1Y"],
        "line_items": [{"id": 11, "quantity": 1, "sku": "MUG"}],
        **more,
    }


@pytest.mark.parametrize("topic", ["fulfillments/create", "fulfillments/update"])
def test_a_parcel_that_somebody_else_sent(topic: str) -> None:
    found = one(topic, a_parcel())

    assert isinstance(found, Fulfilled)
    assert (found.fulfillment_id, found.carrier, found.tracking_number) == ("5", "UPS", "1Z")
    assert found.units == (Units(1, "11", "MUG"),)


@pytest.mark.parametrize("status", ["pending", "open", "cancelled", "error", "failure"])
def test_a_parcel_that_did_not_leave_is_ignored(status: str) -> None:
    ignored = one("fulfillments/update", a_parcel(status=status))

    assert isinstance(ignored, Ignored)
    assert status in ignored.why


@pytest.mark.parametrize(
    "topic",
    [
        "fulfillment_events/create",
        "draft_orders/create",
        "checkouts/update",
        "products/update",
        "customers/create",
        "order_transactions/create",
        "inventory_levels/update",
        "app/uninstalled",
    ],
)
def test_what_is_none_of_our_business_is_ignored_unread(topic: str) -> None:
    assert isinstance(one(topic, b"\xff no JSON"), Ignored)


EVENT = {
    "shopify-topic": "Order",
    "shopify-action": "update",
    "shopify-event-id": "e-1",
    "shopify-shop-domain": "Mugs.myshopify.com",
    "shopify-resource-id": "gid://shopify/Order/820982911946154508",
}


def test_an_event_of_the_newer_kind_is_fetched() -> None:
    body = b'{"fields":"as somebody subscribed"}'
    headers = {**EVENT, "shopify-hmac-sha256": signature(body, "secret")}
    message = SHOPIFY.read(Call(body, headers))

    assert message.said == (Fetch(CHANNEL, "820982911946154508"),)
    assert message.message_id == "e-1"
    assert SHOPIFY.verify(Call(body, headers), "secret")
    assert not SHOPIFY.verify(Call(body, headers), "another")


def test_events_of_deletion_and_of_other_things() -> None:
    deleted = {**EVENT, "shopify-action": "delete"}
    product = {**EVENT, "shopify-resource-id": "gid://shopify/Product/1"}

    assert isinstance(SHOPIFY.read(Call(b"", deleted)).said[0], Cancelled)
    assert isinstance(SHOPIFY.read(Call(b"", product)).said[0], Ignored)


def test_a_message_is_known_by_the_senders_id_of_it() -> None:
    headers = {"x-shopify-topic": "orders/delete", "x-shopify-webhook-id": "w-1"}
    both = {**headers, "x-shopify-event-id": "e-1"}

    assert SHOPIFY.read(Call(b'{"id":1}', both)).message_id == "w-1"


@given(
    units=st.integers(1, 9),
    left=st.integers(1, 9),
    price=st.integers(0, 10_000),
    off=st.integers(0, 100),
    tax=st.integers(0, 3_000),
    included=st.booleans(),
)
def test_whatever_is_left_adds_up(
    units: int, left: int, price: int, off: int, tax: int, included: bool
) -> None:
    def text(amount: int) -> str:
        return f"{amount // 100}.{amount % 100:02}"

    off = price * units * off // 100
    total = price * units - off + (0 if included else tax) + 500
    line = a_line(
        quantity=units,
        current_quantity=min(left, units),
        price=text(price),
        discount_allocations=[{"amount": text(off)}],
        tax_lines=[{"title": "VAT", "price": text(tax), "rate": "0.1"}],
    )
    body = an_order(line, total_price=text(total), taxes_included=included)

    now = now_of(body)
    assert now.lines[0].quantity == min(left, units)
    assert now.total <= total
    if left >= units:
        assert now.total == total


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
BODIES = {
    "orders/updated": an_order(a_line(current_quantity=2), total_tip_received="1.00"),
    "orders/fulfilled": an_order(refunds=[a_refund()], fulfillments=[a_parcel()]),
    "orders/cancelled": an_order(cancelled_at="2025-03-02T00:00:00Z"),
    "orders/edited": {"order_edit": {"order_id": 1}},
    "refunds/create": a_refund(),
    "fulfillments/create": a_parcel(),
}


def places(found: Any) -> list[Any]:
    """All objects within."""
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    below = [place for each in inner for place in places(each)]
    return [found, *below] if isinstance(found, dict) and found else below


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_message_is_a_surprise(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(sorted(BODIES)))
    body = json.loads(json.dumps(BODIES[topic]))
    place = data.draw(st.sampled_from(places(body)))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    try:
        said(topic, body)
    except (MalformedOrder, InvalidRequest):
        return


real = pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")
TOPICS = {
    "orders": "orders/updated",
    "orders_edited": "orders/edited",
    "refunds_create": "refunds/create",
    "fulfillments": "fulfillments/create",
    "fulfillment_events": "fulfillment_events/create",
    "order_create": "orders/create",
    "refund_pos": "refunds/create",
    "go_order": "orders/updated",
    "go_orders": "orders/updated",
    "go_fulfillment": "fulfillments/update",
    "py_fulfillment": "fulfillments/update",
}


def topic_of(path: Path) -> str:
    stem = path.stem.partition("__")[0]
    known = [name for name in TOPICS if stem == name or stem.startswith(f"{name}_")]
    longest = max(known, key=len, default="")
    if stem.startswith(("go_fulfillment_", "go_order_risk", "py_order")):
        return f"{stem}/other"
    return TOPICS.get(longest, f"{stem}/other")


def outcome(path: Path) -> str:
    try:
        what = said(topic_of(path), path.read_bytes())
    except (MalformedOrder, InvalidRequest) as refused:
        return type(refused).__name__
    return ", ".join(type(each).__name__ for each in what)


@real
def test_every_real_payload_is_read_or_refused_with_a_reason() -> None:
    found = {
        folder: Counter(outcome(path) for path in (REAL / folder).glob("*.json"))
        for folder in (
            "shopify_official_sample_webhooks",
            "shopify_sdk_fixtures",
            "shopify_webhooks_live_devstore",
        )
    }

    assert found["shopify_webhooks_live_devstore"] == {"Placed": 3, "Refunded": 1}
    official = found["shopify_official_sample_webhooks"]
    assert (official["Refunded"], official["Fetch"]) == (2, 2)
    assert official["MalformedOrder"] == 1, "the one whose ids somebody's tool made doubles of"
    assert sum(map(Counter.total, found.values())) == 44 + 57 + 4


@real
def test_a_refund_at_a_till_is_its_lines_with_both_taxes() -> None:
    path = REAL / "shopify_webhooks_live_devstore" / "refund_pos_partial_cad_redacted.json"
    found = one("refunds/create", path.read_bytes())

    assert isinstance(found, Refunded)
    assert (found.amount, found.currency, found.units[0].quantity) == (16125, "CAD", 4)
    body = json.loads(path.read_bytes())
    worth = one("refunds/create", {k: v for k, v in body.items() if k != "transactions"})
    assert isinstance(worth, Refunded)
    assert worth.amount == 16125
