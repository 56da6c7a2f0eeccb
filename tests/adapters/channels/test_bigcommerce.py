"""BigCommerce's callbacks and orders, in our words, to the cent."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
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
    Message,
    Refunded,
    Units,
    Updated,
    What,
)
from oms.adapters.channels.bigcommerce_api import BigCommerceApi
from oms.adapters.channels.shop_api import Access, Later, RefusedByShop
from oms.adapters.channels.standard_webhooks import ID, SIGNATURE, TIMESTAMP, signature
from oms.adapters.web import Answer
from oms.adapters.webhooks import Call
from oms.contracts.api import ChannelOrder
from oms.contracts.invalid import InvalidRequest
from tests.adapters.channels.test_shopify import JSON

BIGCOMMERCE = CHANNELS["bigcommerce"]
PAYLOADS = Path(__file__).parents[2] / "contracts" / "channels" / "bigcommerce"
REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels" / "bigcommerce"
SECRET = "client-secret-of-the-app"
AT = 1767607210
real = pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")


def body(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def read(octets: bytes, **headers: str) -> Message:
    return BIGCOMMERCE.read(Call(octets, {k.replace("_", "-"): v for k, v in headers.items()}))


class Answers:
    """A shop that answers each path with what is written down for it; else 404."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def call(self, method: str, url: str, **_: Any) -> Answer:
        path = url.partition("?")[0].removeprefix("https://api.example")
        if method != "GET" or path not in self.known:
            return Answer(404)
        return Answer(200, {}, json.dumps(self.known[path]).encode())


def case() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(body("order"))
    return found


def answers(found: dict[str, Any]) -> dict[str, Any]:
    path = "/v2/orders/7301"
    return {
        path: found["order"],
        **{f"{path}/{name}": each for name, each in found.items() if name != "order"},
    }


def fetched(
    found: dict[str, Any], what: str = "order", locations: dict[str, str] | None = None
) -> tuple[What, ...]:
    credentials = {"access_token": "secret"}
    access = Access(
        "bigcommerce",
        "m4gs1",
        "https://api.example",
        credentials,
        Answers(answers(found)),
        locations or {},
    )
    return tuple(BigCommerceApi().fetch(access, what, "7301"))


def order_of(found: dict[str, Any], **kept: Any) -> ChannelOrder:
    (said,) = fetched(found, **kept)
    assert isinstance(said, Updated), said
    return said.order


def changed(**order: Any) -> dict[str, Any]:
    found = case()
    found["order"] |= order
    return found


@pytest.mark.parametrize(
    ("name", "what"),
    [("order_created", "order"), ("refund_created", "refunds"), ("shipment_created", "shipments")],
)
def test_a_callback_holds_an_id_and_the_order_is_asked_for(name: str, what: str) -> None:
    message = read(body(name), webhook_id="msg_1")

    assert message == Message((Fetch("bigcommerce:m4gs1", "7301", what),), "msg_1")


def test_the_hash_of_a_callback_is_no_id_of_it() -> None:
    first = json.loads(body("order_created"))
    later = first | {"scope": "store/order/updated", "created_at": 1767607999}

    assert first["hash"] == later["hash"]
    assert read(json.dumps(later).encode()).message_id == ""


@pytest.mark.parametrize(
    "scope",
    ["store/cart/converted", "store/product/updated", "store/sku/inventory/updated", "", None, 7],
)
def test_what_is_no_order_is_ignored_and_it_is_said_why(scope: Any) -> None:
    changed = json.loads(body("order_created")) | {"scope": scope}
    (said,) = read(json.dumps(changed).encode()).said

    assert isinstance(said, Ignored)
    assert said.why


@pytest.mark.parametrize("producer", [None, "", "stores/", "stores/A/../b", "stores/{store_hash}"])
def test_a_callback_of_no_store_is_malformed(producer: Any) -> None:
    changed = json.loads(body("order_created")) | {"producer": producer}
    with pytest.raises(MalformedOrder):
        BIGCOMMERCE.shop(Call(json.dumps(changed).encode()))


def test_an_order_keeps_every_cent() -> None:
    order = order_of(case())

    assert (order.subtotal, order.tax, order.shipping.price, order.total) == (3950, 465, 700, 5115)
    assert (order.currency, order.external_id, order.channel) == (
        "USD",
        "7301",
        "bigcommerce:m4gs1",
    )
    assert [(x.sku, x.quantity, x.external_id, x.unit_price) for x in order.lines] == [
        ("MUG-BLUE", 3, "901", 1000),
        ("line:902", 1, "902", 1350),
    ]
    assert [(d.code, d.amount) for d in order.lines[0].discounts] == [("SPRING", 400)]
    assert (order.payment.captured, order.payment_hold) == (5115, "")


def test_an_order_is_read_with_its_taxes_where_the_shop_enters_prices_so() -> None:
    found = changed(
        is_tax_inclusive_pricing=True,
        total_inc_tax="55.5500",
        total_tax="5.0500",
        discount_amount="0.0000",
    )
    order = order_of(found)

    assert order.tax_included
    assert [line.unit_price for line in order.lines] == [1100, 1485]
    assert order.sum_of_parts == order.total == 5555


def test_prices_without_tax_that_are_no_cents_are_read_with_it() -> None:
    found = changed(total_inc_tax="55.5500", total_tax="5.0500", discount_amount="0.0000")
    found["products"][0] |= {"total_ex_tax": "30.0012", "total_tax": "2.9988"}
    order = order_of(found)

    assert order.tax_included
    assert order.sum_of_parts == order.total == 5555


def test_a_price_that_does_not_divide_is_rounded_up_and_taken_off_again() -> None:
    found = changed(total_inc_tax="56.1500", total_tax="5.6500", discount_amount="0.0000")
    found["order"] |= {"total_ex_tax": "50.5000"}
    found["products"][0] |= {"total_ex_tax": "29.9900", "quantity": 3}
    found["products"][1] |= {"total_ex_tax": "13.5100"}
    order = order_of(found)

    assert (order.lines[0].unit_price, order.lines[0].discounts[0].amount) == (1000, 1)
    assert order.sum_of_parts == order.total


def test_a_discount_that_nobody_claims_is_not_made_up() -> None:
    with pytest.raises(InvalidRequest) as refused:
        fetched(changed(discount_amount="0.0000"))

    assert "the parts add up to" in refused.value.faults[0].reason


def test_a_discount_of_the_order_is_one_where_its_lines_do_not_tell() -> None:
    found = case()
    found["products"][0]["applied_discounts"] = []
    order = order_of(found)

    assert [d.amount for d in order.discounts] == [400]
    assert order.sum_of_parts == order.total


def test_a_fee_is_charged_with_the_shipping() -> None:
    found = changed(total_inc_tax="53.3500", total_tax="4.8500")
    found["order"]["fees"] = [{"id": 1, "cost_ex_tax": "2.0000", "cost_inc_tax": "2.2000"}]

    assert order_of(found).shipping.price == 900


def test_fees_behind_a_link_are_asked_for() -> None:
    found = changed(total_inc_tax="53.3500", total_tax="4.8500", fees={"resource": "/fees"})
    found["fees"] = [{"id": 1, "cost_ex_tax": "2.0000", "cost_inc_tax": "2.2000"}]

    assert order_of(found).shipping.price == 900


@pytest.mark.parametrize("status", [1, 7, 12, 13])
def test_what_waits_there_waits_here(status: int) -> None:
    order = order_of(changed(status_id=status))

    assert order.payment_hold
    assert order.payment.captured == 0


@pytest.mark.parametrize(
    ("paid", "captured", "waits"),
    [
        ("captured", 5115, False),
        ("", 5115, False),
        ("authorized", 0, False),
        ("capture pending", 0, False),
        ("pending", 0, True),
        ("held for review", 0, True),
        ("declined", 0, True),
        ("void", 0, True),
    ],
)
def test_nothing_ships_for_money_that_is_not_sure(paid: str, captured: int, waits: bool) -> None:
    order = order_of(changed(payment_status=paid))

    assert (order.payment.captured, bool(order.payment_hold)) == (captured, waits)


@pytest.mark.parametrize(("status", "name"), [(5, "Cancelled"), (6, "Declined")])
def test_what_was_cancelled_there_is_cancelled(status: int, name: str) -> None:
    (said,) = fetched(changed(status_id=status, status=name))

    assert isinstance(said, Cancelled)
    assert (said.external_id, said.reason, said.units) == ("7301", name, ())


@pytest.mark.parametrize("order", [{"status_id": 0}, {"is_deleted": True}])
def test_what_is_no_order_yet_or_was_archived_is_ignored(order: dict[str, Any]) -> None:
    (said,) = fetched(changed(**order))

    assert isinstance(said, Ignored)


def test_an_order_that_is_gone_is_ignored() -> None:
    access = Access("bigcommerce", "m4gs1", "https://api.example", {}, Answers({}))

    assert isinstance(BigCommerceApi().fetch(access, "order", "7301")[0], Ignored)


def refunded(**refund: Any) -> dict[str, Any]:
    found = changed(status_id=14, refunded_amount="11.0000")
    given = {
        "id": 12,
        "order_id": 7301,
        "created": "2026-01-06T09:00:00+00:00",
        "reason": "broken",
        "total_amount": 11,
        "items": [
            {"item_type": "PRODUCT", "item_id": 901, "quantity": 1, "reason": ""},
            {"item_type": "SHIPPING", "item_id": 55, "quantity": None},
        ],
        "payments": [{"provider_id": "stripe", "amount": 11, "is_declined": False}],
    }
    return found | {"refunds": [given | refund]}


def with_refunds(found: dict[str, Any]) -> tuple[What, ...]:
    known = answers(found) | {
        "/v3/orders/7301/payment_actions/refunds": {"data": found["refunds"], "meta": {}}
    }
    access = Access("bigcommerce", "m4gs1", "https://api.example", {}, Answers(known))
    return tuple(BigCommerceApi().fetch(access, "order", "7301"))


def test_a_refund_is_told_with_its_units() -> None:
    said = with_refunds(refunded())[-1]

    assert isinstance(said, Refunded)
    assert (said.refund_id, said.amount, said.currency) == ("12", 1100, "USD")
    assert said.units == (Units(1, "901"),)


@pytest.mark.parametrize(
    "refund",
    [
        {"payments": [{"is_declined": True}]},
        {"items": [{"item_type": "ORDER", "item_id": 7301, "reason": "[Baton key-1] damaged"}]},
    ],
)
def test_what_was_declined_or_is_ours_is_no_refund(refund: dict[str, Any]) -> None:
    assert not any(isinstance(x, Refunded) for x in with_refunds(refunded(**refund)))


def test_an_order_whose_money_was_all_given_back_is_cancelled_after_it() -> None:
    found = refunded(total_amount=51.15)
    found["order"] |= {"status_id": 4, "status": "Refunded", "refunded_amount": "51.1500"}
    said = with_refunds(found)

    assert [type(each) for each in said] == [Refunded, Cancelled]


def test_somebody_elses_shipment_is_told_and_ours_is_not() -> None:
    found = changed(items_shipped=2)
    theirs = {
        "id": 40,
        "date_created": "Tue, 06 Jan 2026 08:00:00 +0000",
        "tracking_number": "1Z1",
        "shipping_provider": "ups",
        "tracking_carrier": "",
        "comments": "on its way",
        "items": [{"order_product_id": 901, "product_id": 31, "quantity": 2}],
    }
    found["shipments"] = [theirs, theirs | {"id": 41, "comments": "[Baton key-9]"}]
    said = fetched(found, "shipments")

    (done,) = said
    assert isinstance(done, Fulfilled)
    assert (done.fulfillment_id, done.units, done.carrier, done.tracking_number) == (
        "40",
        (Units(2, "901"),),
        "ups",
        "1Z1",
    )


def pickup() -> dict[str, Any]:
    found = changed()
    for line in found["products"]:
        line["order_address_id"] = 0
    place = {"id": 1, "code": "AUSTIN-1"}
    return found | {"shipping_addresses": [], "consignments": {"pickups": [{"location": place}]}}


def test_what_is_collected_goes_to_our_location() -> None:
    order = order_of(pickup(), locations={"shop-7": "1"})

    assert (order.pickup_location, order.shipping_address, order.payment_hold) == (
        "shop-7",
        None,
        "",
    )


def test_what_is_collected_where_we_are_not_waits_for_a_person() -> None:
    assert "AUSTIN-1" in order_of(pickup()).payment_hold


def test_an_order_to_two_addresses_waits_for_a_person() -> None:
    found = case()
    found["shipping_addresses"] *= 2

    assert "2 places" in order_of(found).payment_hold


def test_all_pages_of_lines_are_asked_for() -> None:
    class Pages(Answers):
        def call(self, method: str, url: str, **_: Any) -> Answer:
            if "/products?" not in url:
                return super().call(method, url)
            line = {"quantity": 1, "sku": "A", "total_ex_tax": "0", "total_inc_tax": "0"}
            count = 250 if url.endswith("page=1") else 3
            page = 1 if url.endswith("page=1") else 2
            rows = [{**line, "id": page * 1000 + n, "order_address_id": 1} for n in range(count)]
            return Answer(200, {}, json.dumps(rows).encode())

    costs = {"shipping_cost_ex_tax": "0", "handling_cost_ex_tax": "0", "total_inc_tax": "0"}
    taxes = {"shipping_cost_tax": "0", "handling_cost_tax": "0", "total_tax": "0"}
    found = answers(changed(**costs, **taxes, discount_amount="0"))
    access = Access("bigcommerce", "m4gs1", "https://api.example", {}, Pages(found))
    (said,) = BigCommerceApi().fetch(access, "order", "7301")

    assert isinstance(said, Updated)
    assert len(said.order.lines) == 253


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_order_is_a_surprise(data: st.DataObject) -> None:
    found = case()
    line = found["products"][0]
    parts = [
        found["order"],
        line,
        line["applied_discounts"][0],
        found["order"]["billing_address"],
        found["shipping_addresses"][0],
    ]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    try:
        said = fetched(found)
    except (MalformedOrder, InvalidRequest, Later, RefusedByShop):
        return
    for each in said:
        if isinstance(each, Updated):
            assert each.order.sum_of_parts == each.order.total
            assert len(each.order.lines) <= len(found["products"])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_callback_is_a_surprise(data: st.DataObject) -> None:
    callback = json.loads(body("order_created"))
    part = data.draw(st.sampled_from([callback, callback["data"]]))
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    try:
        read(json.dumps(callback).encode())
    except (MalformedOrder, InvalidRequest):
        return


def what_came_of(reading: Callable[[], tuple[What, ...]]) -> str:
    """What was said, or the reason of a typed refusal."""
    try:
        return ", ".join(type(each).__name__ for each in reading())
    except (MalformedOrder, InvalidRequest, Later, RefusedByShop) as refused:
        return f"{type(refused).__name__}: {refused}"


def signed(octets: bytes, secret: str = SECRET, at: int = AT) -> dict[str, str]:
    given = signature(secret.encode(), "msg_1", str(at), octets)
    return {ID: "msg_1", TIMESTAMP: str(at), SIGNATURE: given}


def verified(octets: bytes, headers: dict[str, str], secret: str = SECRET) -> bool:
    return BIGCOMMERCE.verify(
        Call(octets, headers, at=datetime.fromtimestamp(AT + 10, UTC)), secret
    )


def test_what_the_store_did_not_sign_is_refused() -> None:
    octets = body("order_created")
    headers = signed(octets)

    assert verified(octets, headers)
    assert not verified(json.dumps(json.loads(octets)).encode(), headers)
    assert not verified(octets + b"\n", headers)
    assert not verified(octets, headers, "another")
    assert not verified(octets, signed(octets, ""), "")
    assert not verified(octets, {})
    assert not verified(octets, signed(octets, at=AT - 301))
    assert not verified(octets, signed(octets, at=AT + 320))
    assert not verified(octets, headers | {ID: "msg_2"})
    assert not verified(octets, headers | {TIMESTAMP: str(AT + 1)})


@given(st.data())
def test_a_callback_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    octets = body("refund_created")
    place, flip = data.draw(st.integers(0, len(octets) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(octets))

    assert not verified(forged, signed(octets))


@real
@pytest.mark.parametrize("path", sorted(REAL.glob("*.json")), ids=lambda path: path.stem)
def test_every_published_payload_is_read_or_refused_with_a_reason(path: Path) -> None:
    """As a callback, of a store where it names none; as an order that is fetched; as the products
    or addresses of one."""
    given = json.loads(path.read_bytes())
    callback = given | {"producer": "stores/m4gs1"} if isinstance(given, dict) else given

    assert what_came_of(lambda: read(json.dumps(callback).encode()).said)
    for place in ("order", "products", "shipping_addresses", "shipments"):
        assert what_came_of(partial(fetched, case() | {place: given}))


@real
def test_a_published_order_and_its_products_are_read() -> None:
    order = json.loads((REAL / "v2_order_Resp_Multiple_Items.json").read_bytes())
    custom = json.loads((REAL / "v2_orderProductLineItem_Resp_Custom_Product.json").read_bytes())
    addresses = json.loads(
        (REAL / "v2_orderShippingAddressCollection_Resp_response.json").read_bytes()
    )
    order |= {"id": 7301, "total_inc_tax": "53.00", "total_tax": "4.04"}
    said = order_of(
        {"order": order, "products": [custom], "shipping_addresses": addresses[:1], "fees": []}
    )

    assert (said.lines[0].sku, said.lines[0].unit_price, said.total) == ("Jour-BLK", 4157, 5300)
    assert said.sum_of_parts == said.total
