"""Walmart's orders, in our words. Source: the Marketplace Orders API v3.

Amounts are numbers: their text is what counts. An order has no total: it is the sum of the charges
of its lines, which are for all units of a line. Quantities are text. Days are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    Refunded,
    Units,
    Updated,
    What,
)
from oms.adapters.channels.reading import Reader, instant, kept_day, taken
from oms.adapters.channels.shop_fields import (
    Json,
    customer,
    discount,
    first,
    mailbox,
    tax,
    text,
    unit_price,
)
from oms.contracts.api.orders import ChannelOrder
from oms.domain.money import unit_share

READER = Reader("walmart")

COUNTRIES = {"USA": "US", "CAN": "CA", "MEX": "MX", "CHL": "CL", "PRI": "PR", "GUM": "GU"}
BY_WALMART = frozenset({"WFSFULFILLED"})
CANCELLED = "Cancelled"
GONE = frozenset({"Shipped", "Delivered"})
GOODS, SHIPPING = "PRODUCT", "SHIPPING"


def said_of(order: Json, channel: str) -> tuple[What, ...]:
    order_id = READER.identity(order.get("purchaseOrderId"), "the order's id")
    if text(READER.within(order, "shipNode").get("type")).upper() in BY_WALMART:
        return (Ignored("Walmart ships it itself"),)
    if not (lines := READER.objects(READER.within(order, "orderLines"), "orderLine")):
        return (Fetch(channel, order_id),)
    at = _changed_at(lines)
    left = [line for line in lines if _left(line)]
    if not left:
        return (Cancelled(channel, order_id, "cancelled on Walmart", at=at),)
    return tuple(_told(order, order_id, left, channel))


def _told(order: Json, order_id: str, lines: list[Json], channel: str) -> Iterator[What]:
    found = _order(order, order_id, lines, channel)
    yield Updated(found, _changed_at(lines))
    for line in lines:
        if refund := _refunded(line, found):
            yield refund
    yield from _parcels(lines, found)


def _changed_at(lines: list[Json]) -> Any:
    return max(filter(None, (instant(line.get("statusDate")) for line in lines)), default=None)


def _statuses(line: Json) -> list[Json]:
    return READER.objects(READER.within(line, "orderLineStatuses"), "orderLineStatus")


def _units(holder: Json, name: str) -> int:
    return READER.count(READER.within(holder, name).get("amount"), "a quantity")


def _ordered(line: Json) -> int:
    return _units(line, "orderLineQuantity")


def _left(line: Json) -> int:
    """What is not cancelled of it."""
    off = (
        _units(x, "statusQuantity") for x in _statuses(line) if text(x.get("status")) == CANCELLED
    )
    return max(_ordered(line) - sum(off), 0)


def _order(order: Json, order_id: str, found: list[Json], channel: str) -> ChannelOrder:
    currency = READER.currency(_currency(found))
    lines = [_line(line, currency) for line in found]
    info = READER.within(order, "shippingInfo")
    shipping = _shipping(info, found, currency)
    asked = any(text(line.get("intentToCancel")).upper() in ("Y", "YES", "TRUE") for line in found)
    given = {
        "channel": channel,
        "external_id": order_id,
        "currency": currency,
        "customer": _customer(order, info),
        "shipping_address": _address(info),
        "lines": lines,
        "shipping": shipping,
        "deliver_by": kept_day(info.get("estimatedDeliveryDate")),
        "tags": ["replacement"] if text(order.get("orderType")) == "REPLACEMENT" else [],
    }
    total = sum(_goods_and_taxes(line) for line in lines) + shipping["price"]
    total += sum(each["amount"] for each in shipping["taxes"])
    money = taken(order_id, total, total, "the buyer asks to cancel" if asked else "")
    return ChannelOrder.read({**given, "total": total, **money})


def _currency(lines: list[Json]) -> Any:
    found = (READER.within(x, "chargeAmount") for line in lines for x in _charges(line))
    return next((each.get("currency") for each in found), None)


def _charges(line: Json) -> list[Json]:
    return READER.objects(READER.within(line, "charges"), "charge")


def _goods_and_taxes(line: Json) -> int:
    off = sum(each["amount"] for each in line["discounts"])
    on_top = sum(each["amount"] for each in line["taxes"])
    return int(line["unit_price"] * line["quantity"] - off + on_top)


def _line(line: Json, currency: str) -> Json:
    """Of what is left of it, its share of what is charged; less than nothing is a discount."""
    line_id = READER.identity(line.get("lineNumber"), "a line's number")
    goods = [x for x in _charges(line) if text(x.get("chargeType")) != SHIPPING]
    left, ordered = _left(line), _ordered(line)
    amounts = [_amount(x, "chargeAmount", currency) for x in goods]
    gross = unit_share(sum(x for x in amounts if x > 0), ordered, 0, left)
    off = unit_share(-sum(x for x in amounts if x < 0), ordered, 0, left)
    price, rounding = unit_price(gross, left)
    return {
        "sku": _sku(line, line_id),
        "quantity": left,
        "external_id": line_id,
        "unit_price": price,
        "discounts": [*rounding, *discount("discount", off)],
        "taxes": _taxes(goods, currency, ordered, left),
    }


def _sku(line: Json, line_id: str) -> str:
    return text(READER.within(line, "item").get("sku"))[:100] or f"line:{line_id}"[:100]


def _taxes(charges: list[Json], currency: str, ordered: int, left: int) -> list[Json]:
    found: list[Json] = []
    for charge in charges:
        said = READER.within(charge, "tax")
        amount = _amount(said, "taxAmount", currency) if said else 0
        found += tax(unit_share(amount, ordered, 0, left), text(said.get("taxName")))
    return found


def _amount(holder: Json, name: str, currency: str) -> int:
    money = READER.within(holder, name)
    READER.same(money.get("currency"), currency)
    return READER.amount(money.get("amount"), currency)


def _shipping(info: Json, lines: list[Json], currency: str) -> Json:
    price, taxes = 0, []
    for line in lines:
        charges = [x for x in _charges(line) if text(x.get("chargeType")) == SHIPPING]
        left, ordered = _left(line), _ordered(line)
        for charge in charges:
            price += unit_share(_amount(charge, "chargeAmount", currency), ordered, 0, left)
        taxes += _taxes(charges, currency, ordered, left)
    return {"method": text(info.get("methodCode")) or "standard", "price": price, "taxes": taxes}


def _refunded(line: Json, order: ChannelOrder) -> Refunded | None:
    refund = READER.within(line, "refund")
    if not refund.get("refundId"):
        return None
    refunds = READER.objects(READER.within(refund, "refundCharges"), "refundCharge")
    charges = [READER.within(each, "charge") for each in refunds]
    amount = sum(_amount(x, "chargeAmount", order.currency) for x in charges)
    on_top = sum(each["amount"] for each in _taxes(charges, order.currency, 1, 1))
    return Refunded(
        order.channel,
        order.external_id,
        READER.identity(refund["refundId"], "a refund's id"),
        abs(amount + on_top),
        order.currency,
        reason=first(*(each.get("refundReason") for each in refunds)),
    )


def _parcels(lines: list[Json], order: ChannelOrder) -> Iterator[Fulfilled]:
    """By their tracking number: what Walmart was told of already."""
    found: dict[str, list[tuple[Json, Units]]] = {}
    for line in lines:
        line_id = text(str(line.get("lineNumber")))
        for status in _statuses(line):
            if text(status.get("status")) in GONE and (units := _units(status, "statusQuantity")):
                tracked = READER.within(status, "trackingInfo")
                number = text(tracked.get("trackingNumber"))
                found.setdefault(number, []).append((tracked, Units(units, line_id)))
    for number, each in found.items():
        yield _parcel(number, each[0][0], tuple(units for _, units in each), order)


def _parcel(number: str, tracked: Json, units: tuple[Units, ...], order: ChannelOrder) -> Fulfilled:
    carrier = READER.within(tracked, "carrierName")
    return Fulfilled(
        order.channel,
        order.external_id,
        f"{order.external_id}:{number or 'shipped'}"[:200],
        units,
        first(carrier.get("carrier"), carrier.get("otherCarrier")),
        number,
        instant(tracked.get("shipDateTime")),
    )


def _customer(order: Json, info: Json) -> Json | None:
    address = READER.within(info, "postalAddress")
    email = mailbox(order.get("customerEmailId"))
    return customer(email, text(address.get("name")), text(info.get("phone")))


def _address(info: Json) -> Json | None:
    address = READER.within(info, "postalAddress")
    if not (country := text(address.get("country")).upper()):
        return None
    return {
        "name": text(address.get("name")),
        "line1": text(address.get("address1")),
        "line2": text(address.get("address2")),
        "city": text(address.get("city")),
        "region": text(address.get("state")),
        "postal_code": text(address.get("postalCode")),
        "country": COUNTRIES.get(country, country),
        "phone": text(info.get("phone")),
    }
