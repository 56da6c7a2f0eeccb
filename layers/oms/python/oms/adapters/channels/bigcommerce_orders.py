"""BigCommerce's orders (v2), shipments and refunds (v3), in our words.

Amounts are decimal strings in the currency that the buyer paid in (`default_currency_code` of an
order; `currency_code` is what the storefront showed), with and without tax side by side. An order
is read in the way in which the shop enters its prices, or the other way where its parts add up only
there. Handling, wrapping and fees are no goods: they are charged with the shipping. What the order
says it took off is a discount of its lines where they tell it, else of the order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from oms.adapters.channels.base import (
    Cancelled,
    Fulfilled,
    Ignored,
    MalformedOrder,
    Refunded,
    Units,
    Updated,
    What,
)
from oms.adapters.channels.shop_calls import is_marked
from oms.adapters.channels.shop_fields import (
    ExactFields,
    Json,
    customer,
    discount,
    first,
    full_name,
    instant,
    mailbox,
    rounded_together,
    split,
    tax,
    text,
    unit_price,
    within,
)
from oms.contracts.api.orders import ChannelOrder
from oms.contracts.invalid import InvalidRequest

READER = ExactFields("bigcommerce")

INCOMPLETE, REFUNDED, CANCELLED, DECLINED, PARTIALLY_REFUNDED = 0, 4, 5, 6, 14
HELD = {
    1: "the checkout is not complete",
    7: "it awaits its payment",
    12: "the shop wants it verified",
    13: "the buyer disputes the payment",
}
UNSURE = frozenset({"declined", "held for review", "pending", "void", "void pending"})
RESERVED = frozenset({"authorized", "capture pending"})
EXTRAS = ("shipping_cost", "handling_cost", "wrapping_cost")


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of one order. `locations` are ours by theirs."""

    order: Json
    products: list[Json] = field(default_factory=list)
    addresses: list[Json] = field(default_factory=list)
    pickups: list[Json] = field(default_factory=list)
    fees: list[Json] = field(default_factory=list)
    locations: Mapping[str, str] = field(default_factory=dict)

    @property
    def currency(self) -> str:
        order = self.order
        return READER.currency(order.get("default_currency_code") or order.get("currency_code"))

    @property
    def total(self) -> int:
        return self.amount(self.order, "total_inc_tax")

    def exact(self, holder: Json, name: str) -> Decimal:
        given = holder.get(name)
        return READER.exact("0" if given is None else given, self.currency, name)

    def amount(self, holder: Json, name: str, missing: Any = None) -> int:
        given = holder.get(name)
        return READER.amount(missing if given is None else given, self.currency, name)


def status_of(order: Json) -> int:
    return READER.count(order.get("status_id"), "status_id")


def over(order: Json, channel: str) -> What | None:
    """What is said of an order that nobody is to ship; None where somebody is."""
    status, at = status_of(order), instant_of(order.get("date_modified"))
    if status == INCOMPLETE:
        return Ignored("the checkout was not completed: it is no order yet")
    if order.get("is_deleted") is True:
        return Ignored("it was archived there, which changes nothing of it")
    if status in (CANCELLED, DECLINED, REFUNDED):
        order_id, reason = (
            READER.identity(order.get("id"), "the order's id"),
            text(order.get("status")),
        )
        return Cancelled(channel, order_id, reason or "cancelled", at=at)
    return None


def updated(found: Found, channel: str) -> Updated:
    """Raises MalformedOrder, or InvalidRequest where the parts do not add up in either way."""
    inclusive = found.order.get("is_tax_inclusive_pricing") is True
    preferred, other = ("inc_tax", "ex_tax") if inclusive else ("ex_tax", "inc_tax")
    at = instant_of(found.order.get("date_modified"))
    try:
        return Updated(ChannelOrder.read(_order(found, channel, preferred)), at)
    except (MalformedOrder, InvalidRequest) as error:
        try:
            return Updated(ChannelOrder.read(_order(found, channel, other)), at)
        except (MalformedOrder, InvalidRequest):
            raise error from None


def refunds(order: Json, given: list[Json], channel: str) -> Iterator[Refunded]:
    """Those that are not ours, and of which some payment was not declined."""
    order_id, currency = READER.identity(order.get("id"), "the order's id"), Found(order).currency
    for refund in given:
        if is_ours(refund) or _declined(refund):
            continue
        yield Refunded(
            channel,
            order_id,
            READER.identity(refund.get("id"), "a refund's id"),
            READER.amount(refund.get("total_amount"), currency, "total_amount"),
            currency,
            tuple(_refunded_units(refund)),
            text(refund.get("reason")),
            instant(refund.get("created")),
        )


def is_ours(refund: Json) -> bool:
    reasons = [refund.get("reason"), *(x.get("reason") for x in READER.objects(refund, "items"))]
    return any(map(is_marked, reasons))


def shipments(order_id: str, given: list[Json], channel: str) -> Iterator[Fulfilled]:
    for shipment in given:
        if is_marked(shipment.get("comments")):
            continue
        yield Fulfilled(
            channel,
            order_id,
            READER.identity(shipment.get("id"), "a shipment's id"),
            tuple(_units(shipment, "order_product_id")),
            first(shipment.get("tracking_carrier"), shipment.get("shipping_provider")),
            text(shipment.get("tracking_number")),
            instant_of(shipment.get("date_created")),
        )


def instant_of(value: Any) -> datetime | None:
    """`Thu, 20 Jun 2019 16:07:08 +0000`, or ISO 8601 where a shop asks for that."""
    try:
        found = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return instant(value)
    return found.astimezone(UTC) if found.tzinfo and 2000 <= found.year < 2100 else None


def _declined(refund: Json) -> bool:
    payments = READER.objects(refund, "payments")
    return bool(payments) and all(each.get("is_declined") is True for each in payments)


def _refunded_units(refund: Json) -> Iterator[Units]:
    items = [x for x in READER.objects(refund, "items") if x.get("item_type") == "PRODUCT"]
    yield from _units({"items": [x for x in items if x.get("quantity")]}, "item_id")


def _units(holder: Json, name: str) -> Iterator[Units]:
    for item in READER.objects(holder, "items"):
        if quantity := READER.count(item.get("quantity"), "a quantity"):
            yield Units(quantity, READER.identity(item.get(name), "a line's id"))


def _order(found: Found, channel: str, basis: str) -> Json:
    lines = [_line(line, found, basis) for line in _lines(found)]
    for line, amount in zip(lines, _line_taxes(found), strict=True):
        line["taxes"] = tax(amount)
    order: Json = {
        "channel": channel,
        "external_id": READER.identity(found.order.get("id"), "the order's id"),
        "currency": found.currency,
        "customer": _customer(within(found.order, "billing_address")),
        "lines": lines,
        "shipping": _shipping(found, basis),
        "tax_included": basis == "inc_tax",
        "total": found.total,
        **_destination(found),
        **_money(found),
    }
    _discounted(order, found, basis)
    return order


def _lines(found: Found) -> list[Json]:
    return [x for x in found.products if READER.count(x.get("quantity"), "a quantity")]


def _line(line: Json, found: Found, basis: str) -> Json:
    quantity = READER.count(line.get("quantity"), "a quantity")
    each_costs, rounding = unit_price(found.amount(line, f"total_{basis}"), quantity)
    return {
        "sku": _sku(line),
        "quantity": quantity,
        "external_id": READER.identity(line.get("id"), "a line's id"),
        "unit_price": each_costs,
        "discounts": rounding,
        "requires_shipping": text(line.get("type")) in ("", "physical"),
    }


def _sku(line: Json) -> str:
    """What has none is known by its variant or product; what a person typed into an order by hand
    has neither."""
    if sku := text(line.get("sku")):
        return sku
    for kind in ("variant", "product"):
        if line.get(f"{kind}_id"):
            return f"{kind}:{READER.identity(line[f'{kind}_id'], f'a {kind}')}"
    return f"line:{READER.identity(line.get('id'), 'a line')}"


def _line_taxes(found: Found) -> list[int]:
    """As the lines say; where the order's tax is another, for discounts, by their weight."""
    told = [found.exact(line, "total_tax") for line in _lines(found)]
    if found.order.get("total_tax") is None or not sum(told):
        return list(rounded_together(told))
    rest = found.amount(found.order, "total_tax") - _extra(found, "tax")
    return list(
        rounded_together(told if rest == sum(told) or rest < 0 else split(Decimal(rest), told))
    )


def _extra(found: Found, basis: str) -> int:
    """What is charged besides the goods."""
    charged = sum(found.amount(found.order, f"{name}_{basis}", "0") for name in EXTRAS)
    return charged + sum(_fee(fee, found, basis) for fee in found.fees)


def _fee(fee: Json, found: Found, basis: str) -> int:
    if basis != "tax":
        return found.amount(fee, f"cost_{basis}")
    return found.amount(fee, "cost_inc_tax") - found.amount(fee, "cost_ex_tax")


def _shipping(found: Found, basis: str) -> Json:
    methods = (text(address.get("shipping_method")) for address in found.addresses)
    return {
        "method": next((x for x in methods if x and x != "None"), "standard"),
        "price": _extra(found, basis),
        "taxes": tax(_extra(found, "tax")),
    }


def _discounted(order: Json, found: Found, basis: str) -> None:
    """Of what was taken off, as much as is left between the parts and the total; the tax on it
    may be in that too. What the order does not speak of is not made up."""
    claimed = sum(found.amount(found.order, x, "0") for x in ("discount_amount", "coupon_discount"))
    left = _parts(order, basis) - found.total
    most = claimed + found.amount(found.order, "total_tax", "0")
    if not (claimed > 0 and 0 < left <= most):
        return
    applied = [_applied(line, found) for line in _lines(found)]
    if sum(amount for _, amount in applied) == left and _fit(order["lines"], applied):
        for line, (code, amount) in zip(order["lines"], applied, strict=True):
            line["discounts"] = [*line["discounts"], *discount(code, amount)]
    else:
        order["discounts"] = discount("discount", left)


def _fit(lines: list[Json], applied: list[tuple[str, int]]) -> bool:
    """Nothing is taken off a line that it does not cost."""
    told = zip(lines, applied, strict=True)
    return all(0 <= amount <= _costs(line) for line, (_, amount) in told)


def _costs(line: Json) -> int:
    off = sum(each["amount"] for each in line["discounts"])
    return int(line["unit_price"] * line["quantity"] - off)


def _parts(order: Json, basis: str) -> int:
    lines = sum(map(_costs, order["lines"]))
    holders = [*order["lines"], order["shipping"]] if basis == "ex_tax" else []
    taxes = sum(each["amount"] for holder in holders for each in holder["taxes"])
    return int(lines + order["shipping"]["price"] + taxes)


def _applied(line: Json, found: Found) -> tuple[str, int]:
    given = READER.objects(line, "applied_discounts")
    codes = (first(x.get("code"), x.get("name"), x.get("id")) for x in given)
    return next(filter(None, codes), "discount"), sum(found.amount(x, "amount") for x in given)


def _money(found: Found) -> Json:
    status, paid = status_of(found.order), text(found.order.get("payment_status")).lower()
    order_id, total = READER.identity(found.order.get("id"), "the order's id"), found.total
    why = HELD.get(status) or _elsewhere(found)
    if not why and paid in UNSURE:
        why = f"the payment is {paid}"
    captured = 0 if status in HELD or paid in UNSURE | RESERVED else total
    payment = {"provider": "external", "token": order_id, "captured": captured}
    return {"payment": payment, "payment_hold": why if total else _elsewhere(found)}


def _elsewhere(found: Found) -> str:
    """Why a person looks at where it goes before it goes there."""
    count = len(found.addresses) + len(found.pickups)
    if count > 1:
        return f"it goes to {count} places: the first of them is known here"
    if found.pickups and not _pickup_location(found):
        code = text(within(found.pickups[0], "location").get("code"))[:60]
        return f"it is collected at {code!r}, which is none of our locations"
    return ""


def _destination(found: Found) -> Json:
    if found.addresses:
        return {"shipping_address": _address(found.addresses[0])}
    return {"pickup_location": _pickup_location(found)} if found.pickups else {}


def _pickup_location(found: Found) -> str | None:
    location = within(found.pickups[0], "location")
    return found.locations.get(str(location.get("id")))


def _customer(billing: Json) -> Json | None:
    phone = text(billing.get("phone"))
    return customer(mailbox(billing.get("email")), _name(billing), phone)


def _name(holder: Json) -> str:
    return full_name(holder.get("first_name"), holder.get("last_name"))


def _address(address: Json) -> Json | None:
    if not text(address.get("country_iso2")):
        return None
    return {
        "name": _name(address),
        "company": text(address.get("company")),
        "line1": text(address.get("street_1")),
        "line2": text(address.get("street_2")),
        "city": text(address.get("city")),
        "region": text(address.get("state")),
        "postal_code": text(address.get("zip")),
        "country": text(address.get("country_iso2")),
        "phone": text(address.get("phone")),
    }
