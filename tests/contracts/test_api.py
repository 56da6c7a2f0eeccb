"""What a client may say, and what it is told when it says something else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from oms.contracts.api import (
    AvailabilityQuery,
    CancelOrder,
    ChannelOrder,
    OrderQuery,
    PlaceHold,
    PlaceOrder,
    ReceiveStock,
    Ship,
)
from oms.contracts.invalid import Fault, InvalidRequest

ORDER: dict[str, Any] = {
    "channel": "web",
    "external_id": "10001",
    "currency": "USD",
    "customer": {"email": "ada@example.com", "name": "Ada Byron"},
    "shipping_address": {
        "name": "Ada Byron",
        "line1": "1 Main St",
        "city": "Austin",
        "region": "TX",
        "postal_code": "78701",
        "country": "US",
    },
    "lines": [
        {
            "sku": "MUG-01",
            "quantity": 2,
            "unit_price": 1250,
            "discounts": [{"code": "TEN", "amount": 250}],
            "taxes": [{"name": "TX", "rate": "0.0825", "amount": 186}],
        }
    ],
    "discounts": [{"code": "WELCOME", "amount": 100}],
    "shipping": {"method": "standard", "price": 500, "taxes": []},
    "tax_included": False,
    "total": 2836,
    "payment": {"provider": "test", "token": "tok_ok"},
}


def faults_of(contract: Any, data: Any) -> tuple[Fault, ...]:
    with pytest.raises(InvalidRequest) as refused:
        contract.read(data)
    return refused.value.faults


def with_(path: str, value: Any) -> dict[str, Any]:
    """The order with another value at a path like `lines.0.sku`."""
    order: Any = copy.deepcopy(ORDER)
    *places, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    spot = order
    for place in places:
        spot = spot[place]
    spot[last] = value
    return order  # type: ignore[no-any-return]


def without(path: str) -> dict[str, Any]:
    order: Any = copy.deepcopy(ORDER)
    *places, last = path.split(".")
    spot = order
    for place in places:
        spot = spot[place]
    del spot[last]
    return order  # type: ignore[no-any-return]


def test_the_parts_of_an_order_add_up_to_its_total() -> None:
    order = PlaceOrder.read(ORDER)

    assert (order.subtotal, order.tax, order.sum_of_parts) == (2150, 186, 2836)


def test_a_wrong_total_is_refused_with_both_figures() -> None:
    (fault,) = faults_of(PlaceOrder, with_("total", 2835))

    assert fault.field == "total"
    assert "2836" in fault.reason
    assert "2835" in fault.reason


def test_included_taxes_are_not_added() -> None:
    order = PlaceOrder.read(with_("tax_included", True) | {"total": 2650})

    assert order.sum_of_parts == 2650


def test_taxes_on_shipping_are_added() -> None:
    taxed = {"price": 500, "taxes": [{"name": "TX", "amount": 41}]}

    assert PlaceOrder.read(ORDER | {"shipping": taxed, "total": 2877}).tax == 227


def test_every_fault_is_named_at_once() -> None:
    broken = with_("lines.0", {"sku": "", "quantity": 0, "unit_price": -1, "colour": "red"})
    broken |= {"currency": "XXX", "payment": {"provider": "test", "token": 1}}

    assert {fault.field for fault in faults_of(PlaceOrder, broken)} == {
        "lines[0].sku",
        "lines[0].quantity",
        "lines[0].unit_price",
        "lines[0].colour",
        "currency",
        "payment.token",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("lines.0.quantity", True),
        ("lines.0.quantity", 2.0),
        ("lines.0.quantity", "2"),
        ("lines.0.quantity", 0),
        ("lines.0.quantity", -3),
        ("lines.0.quantity", 1_000_001),
        ("lines.0.unit_price", 10**12 + 1),
        ("lines.0.unit_price", None),
        ("lines.0.sku", "MUG\n01"),
        ("lines.0.sku", "MUG\ud800"),
        ("lines.0.sku", " "),
        ("lines.0.sku", "x" * 101),
        ("lines.0.taxes.0.rate", 0.0825),
        ("lines.0.taxes.0.rate", "1e-2"),
        ("lines.0.taxes.0.rate", "NaN"),
        ("lines", []),
        ("lines", {}),
        ("lines", [ORDER["lines"][0]] * 5_001),
        ("currency", "usd"),
        ("currency", "XAU"),
        ("shipping_address.country", "USA"),
        ("shipping_address.country", "XX"),
        ("customer.email", "ada at example"),
        ("customer.email", "ada@exam\x00ple.com"),
        ("channel", "Web Shop"),
        ("channel", "web#1"),
        ("external_id", ""),
        ("external_id", 10001),
        ("total", -1),
        ("tax_included", 0),
        ("payment.provider", ""),
        ("discounts.0.amount", -100),
        ("surprise", 1),
    ],
)
def test_what_breaks_a_limit_is_refused_under_its_own_name(path: str, value: Any) -> None:
    place = path.replace(".0", "[0]")

    assert any(fault.field.startswith(place) for fault in faults_of(PlaceOrder, with_(path, value)))


@pytest.mark.parametrize(
    "path", ["customer", "shipping_address", "shipping_address.line1", "customer.email", "total"]
)
def test_what_is_missing_is_named(path: str) -> None:
    assert [fault.field for fault in faults_of(PlaceOrder, without(path))] == [path]


@pytest.mark.parametrize("body", [None, [], "order", 1, True])
def test_a_body_that_is_no_object_is_refused_as_a_whole(body: Any) -> None:
    assert [fault.field for fault in faults_of(PlaceOrder, body)] == ["body"]


def test_no_discount_is_bigger_than_what_it_is_taken_off() -> None:
    (line,) = faults_of(PlaceOrder, with_("lines.0.discounts.0.amount", 2501))
    (order,) = faults_of(PlaceOrder, with_("discounts.0.amount", 2251))

    assert (line.field, order.field) == ("lines[0].discounts", "discounts")


def test_a_line_costs_no_more_than_a_double_can_hold() -> None:
    dear = with_("lines.0", {"sku": "A", "quantity": 1_000_000, "unit_price": 10**12})

    assert "lines[0]" in {fault.field for fault in faults_of(PlaceOrder, dear)}


def test_a_guest_and_a_download_need_neither_customer_nor_address() -> None:
    order = with_("lines.0.requires_shipping", False)

    assert PlaceOrder.read(order | {"customer": None, "shipping_address": None}).ships is False


def test_a_channel_may_know_neither_customer_nor_address() -> None:
    order = ChannelOrder.read(with_("customer", None) | {"shipping_address": None})

    assert order.shipping_address is None


def test_only_a_channel_says_that_its_payment_is_open() -> None:
    doubtful = ORDER | {"payment_hold": "the channel calls it pending"}
    (fault,) = faults_of(PlaceOrder, doubtful)

    assert fault.field == "payment_hold"
    assert ChannelOrder.read(doubtful).payment_hold == "the channel calls it pending"


def test_only_an_external_payment_is_captured_already() -> None:
    (fault,) = faults_of(PlaceOrder, with_("payment.captured", 1))
    paid = {"provider": "external", "captured": 2836}

    assert fault.field == "payment.captured"
    assert PlaceOrder.read(ORDER | {"payment": paid}).payment.captured == 2836
    assert faults_of(PlaceOrder, ORDER | {"payment": paid | {"captured": 2837}})


def test_texts_are_trimmed() -> None:
    assert PlaceOrder.read(with_("external_id", " 10001 ")).external_id == "10001"


def test_reasons_do_not_quote_what_was_sent() -> None:
    faults = faults_of(PlaceOrder, with_("customer.email", "secret person"))

    assert all("secret" not in fault.reason for fault in faults)


def test_a_long_unknown_name_is_not_echoed_whole() -> None:
    (fault,) = faults_of(PlaceOrder, ORDER | {"x" * 10_000: 1})

    assert len(fault.field) < 100


def test_a_cancellation_needs_no_body_and_may_name_units() -> None:
    assert CancelOrder.read({}).lines is None
    assert faults_of(CancelOrder, {"lines": []})
    assert faults_of(CancelOrder, {"lines": [{"line_id": "line_1", "quantity": 0}]})


def test_a_query_reads_days_and_sizes_from_text() -> None:
    query = OrderQuery.read({"from": "2026-01-31", "to": "2026-02-01", "limit": "10"})

    assert (str(query.first_day), query.limit) == ("2026-01-31", 10)
    assert faults_of(OrderQuery, {"from": "2026-02-30"})[0].field == "from"
    assert faults_of(OrderQuery, {"from": "1700000000"})[0].field == "from"
    assert faults_of(OrderQuery, {"from": "2026-02-02", "to": "2026-02-01"})[0].field == "to"
    assert faults_of(OrderQuery, {"limit": "201"})[0].field == "limit"
    assert faults_of(OrderQuery, {"status": "lost"})[0].field == "status"


def test_one_sku_or_several_are_asked_for_alike() -> None:
    assert AvailabilityQuery.read({"sku": "A"}).sku == ["A"]
    assert AvailabilityQuery.read({"sku": ["A", "B"]}).sku == ["A", "B"]
    assert faults_of(AvailabilityQuery, {})[0].field == "sku"


def test_a_parcel_is_handed_over_once() -> None:
    parcel = {
        "carrier": "easypost",
        "tracking_number": "EZ1",
        "lines": [{"line_id": "line_1", "quantity": 1}],
    }

    assert Ship.read({"parcels": [parcel]}).parcels[0].carrier == "easypost"
    assert faults_of(Ship, {"parcels": [parcel, parcel]})[0].field == "parcels[1].tracking_number"


def test_holds_have_types_that_ops_know() -> None:
    assert PlaceHold.read({"type": "custom:vip-check", "reason": "call first"})
    assert faults_of(PlaceHold, {"type": "whim", "reason": "x"})[0].field == "type"


def test_stock_is_received_in_whole_units() -> None:
    assert ReceiveStock.read({"quantity": 100}).quantity == 100
    assert faults_of(ReceiveStock, {"quantity": 1.5})
