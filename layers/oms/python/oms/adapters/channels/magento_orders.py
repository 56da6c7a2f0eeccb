"""Orders, credit memos and shipments of Adobe Commerce and Magento, in our words.

Money   in the shop's base currency, in which Magento takes payments and gives them back; the
        buyer may have seen another. Lines are without tax, taxes come on top, a discount is
        without the tax that was saved with it (`discount_tax_compensation_amount`). Amounts
        may have four decimals: those of all lines are rounded together, and what they add up to
        must be the total to the cent. Gift cards, store credit and rewards are payments.
Lines   a configurable's child is what is shipped: it has the child's SKU, the parent's money
        and the parent's id, by which Magento ships and refunds it. A bundle's children are
        its units: each has its own money, or its share of the parent's by quantity where the
        bundle has a price of its own. Where a payload does not link them, a child of a
        configurable has its SKU and costs nothing, those of a bundle follow it and cost nothing or
            what the bundle costs.
Ids     `external_id` is the `entity_id`; the number that people see, `increment_id`, is the
        payment's token and the tag `increment_id:<number>`.
Pickup  `pickup_location_code` is one of Magento's sources: with the shop's locations it is ours,
        without them it is the tag `pickup:<code>`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
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
from oms.adapters.channels.shop_calls import is_marked
from oms.adapters.channels.shop_fields import (
    LONGEST,
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

READER = ExactFields("magento")

HELD = {
    "holded": "the shop holds it",
    "payment_review": "the shop reviews the payment",
    "pending_payment": "it awaits its payment",
}
PAID_ON_DELIVERY = frozenset({"cashondelivery"})
PARENTS = frozenset({"configurable", "bundle"})
NOT_SHIPPED = frozenset({"virtual", "downloadable"})
MEMO_CANCELLED = 3
TAGGED = re.compile(r"[a-z0-9._-]{1,100}", re.ASCII)
OTHER_TENDERS = ("gift_cards_amount", "customer_balance_amount", "reward_currency_amount")
WRAPPED = ("", "items_", "card_")
SHORTENED = {
    "shipping_discount_tax_compensation_amount": "base_shipping_discount_tax_compensation_amnt",
    "weee_tax_applied_row_amount": "base_weee_tax_applied_row_amnt",
}


@dataclass(frozen=True, slots=True)
class Money:
    """Amounts of one order, all in the currency that is chosen once."""

    currency: str
    in_base: bool
    same: bool  # the base currency is the order's

    def of(self, holder: Json, name: str, base: str = "") -> Decimal:
        """In minor units, exact; 0 where it is missing."""
        given = holder.get(base or SHORTENED.get(name, f"base_{name}")) if self.in_base else None
        if given is None and (self.same or not self.in_base):
            given = holder.get(name)
        return READER.exact("0" if given is None else given, self.currency, name)

    def whole(self, amount: Decimal, what: str) -> int:
        return READER.whole(amount, what)


@dataclass(frozen=True, slots=True)
class Sold:
    """Units to ship, with their part of the money. `counted_by` is the item whose quantity counts
    them where Magento counts another: `per` of these to one of it."""

    item: Json
    line_id: str
    quantity: int
    row: Decimal
    off: Decimal
    taxed: Decimal
    parent_id: str = ""
    per: Decimal = Decimal(1)


def money_of(order: Json) -> Money:
    base, seen = order.get("base_currency_code"), order.get("order_currency_code")
    in_base = base is not None and order.get("base_grand_total") is not None
    return Money(READER.currency(base if in_base else seen or base), in_base, seen in (None, base))


def order_id(order: Json) -> str:
    return READER.identity(order.get("entity_id"), "the order's id")


def said_of(order: Json, channel: str, locations: Mapping[str, str] | None = None) -> What:
    """`locations` are ours by theirs. An order of which a message has only some fields is asked
    for."""
    state, at = text(order.get("state")).lower(), instant_of(order.get("updated_at"))
    if state == "canceled":
        return Cancelled(channel, order_id(order), "cancelled in the shop", at=at)
    if state == "closed":
        return Ignored("the order is closed: its credit memos say what was given back")
    if not order.get("items") or (order.get("grand_total", order.get("base_grand_total")) is None):
        return Fetch(channel, order_id(order))
    return Updated(ChannelOrder.read(_order(order, channel, locations or {})), at)


def refunded(memo: Json, channel: str, order: Json | None = None) -> What:
    """With the order at hand its units are those of its lines."""
    if memo.get("state") is not None and READER.count(memo["state"], "state") == MEMO_CANCELLED:
        return Ignored("the credit memo was cancelled")
    if _is_ours(memo):
        return Ignored("the credit memo is ours")
    money = money_of(memo if order is None else {**order, **_present(memo)})
    return Refunded(
        channel,
        READER.identity(memo.get("order_id"), "the order's id"),
        READER.identity(memo.get("entity_id"), "a credit memo's id"),
        money.whole(money.of(memo, "grand_total"), "grand_total"),
        money.currency,
        units_of(READER.objects(memo, "items"), order),
        "given back in the shop",
        instant_of(memo.get("created_at")),
    )


def fulfilled(shipment: Json, channel: str, order: Json | None = None) -> What:
    if _is_ours(shipment):
        return Ignored("the shipment is ours")
    track: Json = next(iter(READER.objects(shipment, "tracks")), {})
    return Fulfilled(
        channel,
        READER.identity(shipment.get("order_id"), "the order's id"),
        READER.identity(shipment.get("entity_id"), "a shipment's id"),
        units_of(READER.objects(shipment, "items"), order),
        text(track.get("carrier_code")),
        text(track.get("track_number")),
        instant_of(shipment.get("created_at")),
    )


def units_of(rows: list[Json], order: Json | None) -> tuple[Units, ...]:
    """Each unit once, though a parent and its child may both be there."""
    counted = {}
    for row in rows:
        if quantity := READER.count(row.get("qty") or 0, "qty"):
            counted[READER.identity(row.get("order_item_id"), "a line's id")] = (quantity, row)
    if order is None:
        return tuple(_alone(counted))
    return tuple(_of_lines(counted, sold_in(order)))


def sold_in(order: Json) -> list[Sold]:
    """Its lines. Raises MalformedOrder."""
    items = [x for x in READER.objects(order, "items") if _quantity(x)]
    parents = _parents(items)
    by_parent: dict[str, list[Json]] = {}
    for item in items:
        by_parent.setdefault(parents.get(_item_id(item), ""), []).append(item)
    money = money_of(order)
    return [
        sold
        for top in by_parent.get("", [])
        for sold in _sold(top, by_parent.get(_item_id(top), []), money)
    ]


def instant_of(value: Any) -> datetime | None:
    """`2026-01-05 10:00:00` is UTC."""
    if isinstance(value, str) and len(value) == len("2026-01-05 10:00:00"):
        return instant(f"{value}+00:00")
    found = instant(value) if isinstance(value, str) else None
    return found.astimezone(UTC) if found else None


def comments_of(holder: Json) -> str:
    """Of a credit memo or shipment, or of an order's history."""
    notes = [
        *READER.objects(holder, "comments"),
        *READER.objects(holder, "status_histories"),
    ]
    return " ".join(each["comment"] for each in notes if isinstance(each.get("comment"), str))


def _is_ours(holder: Json) -> bool:
    return is_marked(comments_of(holder))


def _present(holder: Json) -> Json:
    return {k: v for k, v in holder.items() if v is not None}


def _alone(counted: Mapping[str, tuple[int, Json]]) -> Iterator[Units]:
    """Without the order: what costs nothing is not told beside its parent of the same SKU, nor a
    bundle beside its children that are charged."""
    totals = any(_has_row(row) for _, row in counted.values())
    charged = {text(row.get("sku")) for _, row in counted.values() if _costs(row)}
    for line_id, (quantity, row) in counted.items():
        stands_for_others = totals and _costs(row) and not _has_row(row)
        if not stands_for_others and (_costs(row) or text(row.get("sku")) not in charged):
            yield Units(quantity, line_id, text(row.get("sku")))


def _costs(row: Json) -> bool:
    names = ("base_price", "price", "base_row_total", "row_total")
    return any(_is_some(row.get(name)) for name in names)


def _of_lines(counted: Mapping[str, tuple[int, Json]], lines: list[Sold]) -> Iterator[Units]:
    for line in lines:
        if line.line_id in counted:
            yield Units(counted[line.line_id][0], line.line_id, text(line.item.get("sku")))
        elif line.parent_id in counted:
            count = counted[line.parent_id][0] * line.per
            if count == count.to_integral_value():
                yield Units(int(count), line.line_id, text(line.item.get("sku")))


def _item_id(item: Json) -> str:
    return READER.identity(item.get("item_id"), "a line's id")


def _quantity(item: Json) -> int:
    given = item.get("qty_ordered")
    return READER.count(item.get("qty") if given is None else given, "qty_ordered")


def _parents(items: list[Json]) -> dict[str, str]:
    """The parent's id by the child's, as far as the parent is there."""
    told = {_item_id(x): parent for x in items if (parent := _parent_id(x))}
    there = {_item_id(x) for x in items}
    linked = {child: parent for child, parent in told.items() if parent in there - told.keys()}
    return linked if told else dict(_guessed(items))


def _parent_id(item: Json) -> str:
    given = item.get("parent_item_id") or within(item, "parent_item").get("item_id")
    return READER.identity(given, "a line's parent") if given else ""


def _guessed(items: list[Json]) -> Iterator[tuple[str, str]]:
    parent, left = None, Decimal(0)
    for item in items:
        if text(item.get("product_type")) in PARENTS:
            parent, left = item, Decimal(0) if _has_row(item) else _worth(item)
        elif parent is not None and _worth(item) <= left and _may_be_in(parent, item):
            yield _item_id(item), _item_id(parent)
            left -= _worth(item)
        else:
            parent = None


def _may_be_in(parent: Json, item: Json) -> bool:
    return text(parent.get("product_type")) == "bundle" or parent.get("sku") == item.get("sku")


def _has_row(row: Json) -> bool:
    """A bundle whose children are charged has a price and no total of its own."""
    return any(_is_some(row.get(name)) for name in ("base_row_total", "row_total"))


def _worth(item: Json) -> Decimal:
    price = next((item[x] for x in ("base_price", "price") if item.get(x) is not None), 0)
    return READER.number(price, "a price") * _quantity(item)


def _is_some(amount: Any) -> bool:
    return amount is not None and str(amount).strip("-0.") != ""


def _sold(top: Json, children: list[Json], money: Money) -> Iterator[Sold]:
    if not children:
        yield Sold(top, _item_id(top), _quantity(top), *_parts(top, money))
        return
    single = text(top.get("product_type")) == "configurable" and len(children) == 1
    weights = [_quantity(child) for child in children]
    shares = zip(*_shares(top, children, weights, money), strict=True)
    for child, count, (row, off, taxed) in zip(children, weights, shares, strict=True):
        line_id = _item_id(top) if single else _item_id(child)
        per = Decimal(count) / _quantity(top)
        yield Sold(child, line_id, count, row, off, taxed, _item_id(top), per)


def _shares(
    top: Json, children: list[Json], weights: list[int], money: Money
) -> Iterator[list[Decimal]]:
    """Of each kind of money: the children's own, or the parent's by quantity."""
    own = [_parts(child, money) for child in children]
    for kind, whole_of_it in enumerate(_parts(top, money)):
        told = [parts[kind] for parts in own]
        yield told if any(told) else split(whole_of_it, weights)


def _parts(item: Json, money: Money) -> tuple[Decimal, Decimal, Decimal]:
    """What the row costs, what is taken off, what its taxes are."""
    row = money.of(item, "row_total")
    if not row:
        row = money.of(item, "price") * _quantity(item)
    saved = money.of(item, "discount_tax_compensation_amount")
    weee = money.of(item, "weee_tax_applied_row_amount")
    off = money.of(item, "discount_amount") - saved
    return row, off, money.of(item, "tax_amount") + weee


def _order(order: Json, channel: str, locations: Mapping[str, str]) -> Json:
    money, attributes = money_of(order), within(order, "extension_attributes")
    others = sum((_tender(name, order, attributes, money) for name in OTHER_TENDERS), Decimal(0))
    total = money.whole(money.of(order, "grand_total") + others, "grand_total")
    code = _pickup_code(order)
    return {
        "channel": channel,
        "external_id": order_id(order),
        "currency": money.currency,
        "customer": _customer(order),
        "shipping_address": None if locations.get(code) else _address(_destination(order)),
        "pickup_location": locations.get(code),
        "lines": list(_lines(sold_in(order), order)),
        "shipping": _shipping(order, attributes, money),
        "total": total,
        "tags": [*_tags("increment_id", order.get("increment_id")), *_tags("pickup", code)],
        **_payment(order, total, money.whole(others, "a gift card"), money),
    }


def _tender(name: str, order: Json, attributes: Json, money: Money) -> Decimal:
    holder = attributes if attributes.get(f"base_{name}", attributes.get(name)) else order
    return money.of(holder, name)


def _lines(sold: list[Sold], order: Json) -> Iterator[Json]:
    rows = rounded_together(each.row for each in sold)
    offs = rounded_together(each.off for each in sold)
    taxes = rounded_together(each.taxed for each in sold)
    code = first(order.get("coupon_code"), order.get("discount_description"))
    for each, row, off, taxed in zip(sold, rows, offs, taxes, strict=True):
        each_costs, rounding = unit_price(row, each.quantity)
        yield {
            "sku": text(each.item.get("sku")) or f"line:{each.line_id}",
            "quantity": each.quantity,
            "external_id": each.line_id,
            "unit_price": each_costs,
            "discounts": [*rounding, *discount(code, off)],
            "taxes": tax(taxed, rate=_rate(each.item.get("tax_percent"))),
            "requires_shipping": _ships(each.item),
        }


def _ships(item: Json) -> bool:
    virtual = str(item.get("is_virtual")) in ("1", "True", "true")
    return not virtual and text(item.get("product_type")) not in NOT_SHIPPED


def _rate(percent: Any) -> str:
    """For people to read; no amount is computed from it."""
    if percent is None:
        return "0"
    found = READER.number(percent, "tax_percent") / 100
    return f"{found.quantize(Decimal('1e-12')).normalize():f}" if 0 <= found < 100 else "0"


def _shipping(order: Json, attributes: Json, money: Money) -> Json:
    """Gift wrap is no goods: it is charged with the shipping."""
    saved = money.of(order, "shipping_discount_tax_compensation_amount")
    off = money.of(order, "shipping_discount_amount") - saved
    wrap = _wrapping(attributes, "price", money)
    taxed = money.of(order, "shipping_tax_amount") + _wrapping(attributes, "tax_amount", money)
    method = first(order.get("shipping_method"), _assignment(order).get("method"))
    return {
        "method": method or "standard",
        "price": money.whole(money.of(order, "shipping_amount") - off + wrap, "shipping_amount"),
        "taxes": tax(money.whole(taxed, "shipping_tax_amount")),
    }


def _wrapping(attributes: Json, what: str, money: Money) -> Decimal:
    given = (money.of(attributes, f"gw_{x}{what}", f"gw_{x}base_{what}") for x in WRAPPED)
    return sum(given, Decimal(0))


def _payment(order: Json, total: int, others: int, money: Money) -> Json:
    """Nothing ships for money that the shop neither took nor reserved."""
    payment = within(order, "payment")
    paid = money.whole(money.of(order, "total_paid"), "total_paid") + others
    reserved = money.whole(money.of(payment, "amount_authorized"), "amount_authorized") + others
    token = text(order.get("increment_id")) or order_id(order)
    given = {"provider": "external", "token": token, "captured": max(0, min(paid, total))}
    why = HELD.get(text(order.get("state")).lower(), "")
    sure = max(paid, reserved) >= total or text(payment.get("method")) in PAID_ON_DELIVERY
    if not why and not sure:
        why = f"{given['captured']} of {total} were taken"
    return {"payment": given, "payment_hold": why}


def _customer(order: Json) -> Json | None:
    billing = within(order, "billing_address")
    name = full_name(order.get("customer_firstname"), order.get("customer_lastname"))
    emails = (order.get("customer_email"), billing.get("email"))
    return customer(mailbox(*emails), name or _name(billing), text(billing.get("telephone")))


def _name(address: Json) -> str:
    return full_name(address.get("firstname"), address.get("lastname"))


def _assignment(order: Json) -> Json:
    attributes = within(order, "extension_attributes")
    found = READER.objects(attributes, "shipping_assignments")
    return within(found[0], "shipping") if found else {}


def _destination(order: Json) -> Json:
    """Of the API's order, or of an event's, which lists its addresses."""
    listed = (x for x in READER.objects(order, "addresses") if x.get("address_type") == "shipping")
    found: Iterable[Json] = (
        within(_assignment(order), "address"),
        within(order, "shipping_address"),
        *listed,
    )
    return next(filter(None, found), {})


def _pickup_code(order: Json) -> str:
    places = (
        order,
        _assignment(order),
        within(_assignment(order), "address"),
        _destination(order),
    )
    attributes = (within(place, "extension_attributes") for place in places)
    return first(*(each.get("pickup_location_code") for each in attributes))


def _tags(name: str, value: Any) -> list[str]:
    found = text(value).lower()
    return [f"{name}:{found}"] if TAGGED.fullmatch(found) else []


def _address(address: Json) -> Json | None:
    if not text(address.get("country_id")):
        return None
    street = address.get("street")
    given = street if isinstance(street, list) else str(street or "").splitlines()
    line1, *rest = [x for x in map(text, given) if x] or [""]
    return {
        "name": _name(address),
        "company": text(address.get("company")),
        "line1": line1,
        "line2": ", ".join(rest)[:LONGEST],
        "city": text(address.get("city")),
        "region": first(address.get("region_code"), address.get("region")),
        "postal_code": text(address.get("postcode")),
        "country": text(address.get("country_id")),
        "phone": text(address.get("telephone")),
    }
