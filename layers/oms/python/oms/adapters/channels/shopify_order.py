"""An order of Shopify, as its webhooks and its REST API say it, in our words.

Amounts are decimal strings in the shop's currency (what the buyer saw may be another one). Every
discount, of the order too, is allocated to lines by Shopify; `total_discount` of a line counts only
where there are no allocations. Tips, fees and duties of the order are no goods: they are charged
with the shipping, wherever Shopify has put them. `quantity`, discounts, taxes and `total_price` are
of all units that were ever ordered, `current_quantity` is what edits and refunds have left of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from oms.adapters.channels.shop_fields import (
    Json,
    ShopFields,
    country,
    customer,
    first,
    full_name,
    mailbox,
    text,
    within,
)
from oms.contracts.api.orders import ChannelOrder
from oms.domain.money import unit_share

CODE = "shopify"
READ = ShopFields(CODE)
SETTLED = frozenset({"paid", "authorized"})
FEES = ("total_additional_fees", "total_duties")


def read_order(order: Json, channel: str) -> ChannelOrder:
    """As it was placed: all units that were ordered."""
    return ChannelOrder.read(_order(order, channel, now=False))


def read_order_now(order: Json, channel: str) -> ChannelOrder | None:
    """As it is now; None where no unit of it is left. What has left the shop stays in it: its money
    may have been given back, but it was not called off."""
    lines = [_with_what_is_left(x, order) for x in READ.objects(order, "line_items")]
    shape = _order({**order, "line_items": lines}, channel, now=True)
    return ChannelOrder.read(shape) if shape["lines"] else None


def was_more(order: Json) -> bool:
    """Whether units were taken out of it that had not left the shop."""
    lines = [_with_what_is_left(x, order) for x in READ.objects(order, "line_items")]
    return any(_left(x, now=True) != x.get("quantity") for x in lines)


def _with_what_is_left(line: Json, order: Json) -> Json:
    """Versions before 2024-01 tell it by their refunds alone."""
    ordered, left = line.get("quantity"), line.get("current_quantity")
    if not isinstance(ordered, int):
        return line
    if not isinstance(left, int):
        parts = (x for each in READ.objects(order, "refunds") for x in _refunded(each))
        left = ordered - _units(parts, "line_item_id", line.get("id"))
    parts = (x for each in READ.objects(order, "fulfillments") for x in _shipped(each))
    shipped = _units(parts, "id", line.get("id"))
    return {**line, "current_quantity": max(left, min(shipped, ordered), 0)}


def _refunded(refund: Json) -> list[Json]:
    return READ.objects(refund, "refund_line_items")


def _shipped(fulfillment: Json) -> list[Json]:
    done = text(fulfillment.get("status")) in ("success", "")
    return READ.objects(fulfillment, "line_items") if done else []


def _units(parts: Iterable[Json], name: str, known_as: Any) -> int:
    found = [x.get("quantity") for x in parts if str(x.get(name)) == str(known_as)]
    return sum(x for x in found if isinstance(x, int))


def _order(order: Json, channel: str, now: bool) -> Json:
    currency = READ.currency(order.get("currency"))
    given = _parts(order, channel, currency, now)
    total = READ.amount(order.get("total_price"), currency)
    placed = _parts(order, channel, currency, now=False) if now else given
    extra = _extras(order, placed, total, currency)
    if now and any(_left(x, now) != x.get("quantity") for x in order["line_items"]):
        extra = extra or _tip(order, currency)
        given["shipping"]["price"] += extra
        total = _sum_of_parts(given)
    else:
        given["shipping"]["price"] += extra
        total = _edited_total(order, given, total, currency) if now else total
    return {**given, "total": total, **_money(order, total, currency, now)}


def _parts(order: Json, channel: str, currency: str, now: bool) -> Json:
    lines = [x for x in READ.objects(order, "line_items") if _left(x, now)]
    tips = [_line(x, order, currency, now) for x in lines if is_tip(x)]
    return {
        "channel": channel,
        "external_id": READ.identity(order.get("id"), "the order's id"),
        "currency": currency,
        "customer": _customer(order),
        "shipping_address": _address(order.get("shipping_address")),
        "billing_country": country(within(order, "billing_address").get("country_code")),
        "lines": [_line(each, order, currency, now) for each in lines if not is_tip(each)],
        "shipping": _with_tips(_shipping(order, currency), tips),
        "tax_included": order.get("taxes_included") is True,
    }


def is_tip(line: Json) -> bool:
    """Tips of the checkout are lines of some versions."""
    return isinstance(line.get("tip"), dict)


def _with_tips(shipping: Json, tips: list[Json]) -> Json:
    return {
        **shipping,
        "price": shipping["price"] + sum(map(_net, filter(_is_counted, tips))),
        "taxes": [*shipping["taxes"], *(tax for x in tips for tax in x["taxes"])],
    }


def _edited_total(order: Json, given: Json, total: int, currency: str) -> int:
    """Lines that an edit has added may be in the current total alone."""
    if (said := order.get("current_total_price")) is None:
        return total
    current = READ.amount(said, currency)
    return current if current == _sum_of_parts(given) else total


def _left(line: Json, now: bool) -> Any:
    """Units of a line: as refused as they are where they are no number."""
    current = line.get("current_quantity")
    return current if now and current is not None else line.get("quantity")


def _line(line: Json, order: Json, currency: str, now: bool) -> Json:
    """Discounts and taxes are said for all units: what is left has the share of its units."""
    left, of = _left(line, now), line.get("quantity")
    return {
        "sku": _sku(line),
        "quantity": left,
        "external_id": _line_id(line),
        "unit_price": READ.amount(line.get("price"), currency),
        "discounts": [_part(x, left, of) for x in _discounts(line, order, currency)],
        "taxes": [_part(x, left, of) for x in _taxes(line, order, currency)],
        "requires_shipping": _ships(line),
    }


def _part(amount: Json, left: Any, of: Any) -> Json:
    if left == of or not isinstance(left, int) or not isinstance(of, int) or not 0 < left < of:
        return amount
    return {**amount, "amount": unit_share(amount["amount"], of, 0, left)}


def _ships(line: Json) -> bool:
    """A gift card is not shipped unless somebody says so."""
    if line.get("requires_shipping") is None:
        return line.get("gift_card") is not True
    return line["requires_shipping"] is not False


def _line_id(line: Json) -> str | None:
    return None if line.get("id") is None else READ.identity(line["id"], "a line's id")


def _sku(line: Json) -> str:
    """Shops that keep no SKUs have variants; what has neither is known by its product."""
    if sku := text(line.get("sku")):
        return sku
    for kind in ("variant", "product"):
        if line.get(f"{kind}_id") is not None:
            return f"{kind}:{READ.identity(line[f'{kind}_id'], f'a {kind}')}"
    return f"line:{READ.identity(line.get('id'), 'a line')}"


def _discounts(line: Json, order: Json, currency: str) -> Iterator[Json]:
    if line.get("discount_allocations") is None:
        allocated = [{"amount": line.get("total_discount") or "0"}]
    else:
        allocated = READ.objects(line, "discount_allocations")
    applied = READ.objects(order, "discount_applications")
    for each in allocated:
        if amount := READ.amount(each.get("amount"), currency):
            yield {"code": _code(each.get("discount_application_index"), applied), "amount": amount}


def _code(index: Any, applied: list[Json]) -> str:
    known = isinstance(index, int) and 0 <= index < len(applied)
    application = applied[index] if known else {}
    words = (application.get(name) for name in ("code", "title", "type"))
    return first(*words)[:100] or "discount"


def _taxes(line: Json, order: Json, currency: str) -> Iterator[Json]:
    """Duties are taxes, too; in prices that include taxes they are not included."""
    for tax in READ.objects(line, "tax_lines"):
        yield _tax(tax, currency)
    if order.get("taxes_included") is True:
        return
    for duty in READ.objects(line, "duties"):
        yield {"name": "duty", "rate": "0", "amount": _price(duty, currency)}
        for tax in READ.objects(duty, "tax_lines"):
            yield _tax(tax, currency)


def _price(duty: Json, currency: str) -> int:
    said = duty.get("price", within(duty, "shop_money").get("amount"))
    return READ.amount(said, currency)


def _tax(tax: Json, currency: str) -> Json:
    name, amount = (
        text(tax.get("title")) or "tax",
        READ.amount(tax.get("price"), currency),
    )
    return {"name": name, "rate": _rate(tax.get("rate")), "amount": amount}


def _rate(rate: Any) -> str:
    """Kept for people to read, to twelve decimals; no amount is computed from it."""
    try:
        exact = Decimal(str(rate or 0)).quantize(Decimal("1e-12")).normalize()
        return f"{exact:f}" if 0 <= exact < 100 else "0"
    except InvalidOperation:  # also of what is compared with no number
        return "0"


def _shipping(order: Json, currency: str) -> Json:
    lines = [x for x in READ.objects(order, "shipping_lines") if x.get("is_removed") is not True]
    methods = (first(line.get("code"), line.get("title")) for line in lines)
    return {
        "method": next(filter(None, methods), "standard"),
        "price": sum(_shipping_price(line, currency) for line in lines),
        "taxes": [_tax(tax, currency) for line in lines for tax in READ.objects(line, "tax_lines")],
    }


def _shipping_price(line: Json, currency: str) -> int:
    if line.get("discounted_price") is not None:
        return READ.amount(line["discounted_price"], currency)
    off = (READ.amount(x.get("amount"), currency) for x in _allocated(line))
    return READ.amount(line.get("price"), currency) - sum(off)


def _allocated(line: Json) -> list[Json]:
    return READ.objects(line, "discount_allocations")


def _extras(order: Json, placed: Json, total: int, currency: str) -> int:
    """Tips, fees and duties are in the total of what was `placed`, where nothing else says so:
    all of them, or one."""
    found = [_tip(order, currency), *_fees(order, currency)]
    short = total - _sum_of_parts(placed)
    return short if short > 0 and short in (sum(found), *found) else 0


def _tip(order: Json, currency: str) -> int:
    """A tip that is a line of the order already is none besides it."""
    said = order.get("total_tip_received")
    if said is None or any(map(is_tip, READ.objects(order, "line_items"))):
        return 0
    return READ.amount(said, currency)


def _fees(order: Json, currency: str) -> Iterator[int]:
    for name in FEES:
        money = within(within(order, f"original_{name}_set"), "shop_money").get("amount")
        if money is not None:
            yield READ.amount(money, currency)


def _net(line: Json) -> int:
    return int(line["unit_price"] * line["quantity"] - _sum(line["discounts"]))


def _is_counted(line: Json) -> bool:
    """Units that are no number are refused later."""
    return isinstance(line["quantity"], int)


def _sum_of_parts(given: Json) -> int:
    counted = [x for x in given["lines"] if _is_counted(x)]
    goods = sum(map(_net, counted))
    taxes = sum(_sum(x["taxes"]) for x in [*counted, given["shipping"]])
    return int(goods + given["shipping"]["price"] + (0 if given["tax_included"] else taxes))


def _sum(amounts: Iterable[Json]) -> int:
    return sum(each["amount"] for each in amounts)


def _money(order: Json, total: int, currency: str, now: bool) -> Json:
    """The channel holds the money. Nothing ships for money that it neither took nor reserved. Of
    an order that we may know, refunds say for themselves what was given back."""
    status = text(order.get("financial_status"))
    captured = _captured(order, status, total, currency)
    payment = {"provider": "external", "token": str(order["id"]), "captured": captured}
    if not total or status in SETTLED or (now and _is_settled(order, status)):
        return {"payment": payment}
    said = f"the payment is {status[:60] or 'not known'}: {captured} of {total} were taken"
    return {"payment": payment, "payment_hold": said}


def _is_settled(order: Json, status: str) -> bool:
    """With all of its money given back, what has not left yet does not leave."""
    return status == "partially_refunded" or (status == "refunded" and _has_left(order))


def _has_left(order: Json) -> bool:
    parts = [x for each in READ.objects(order, "fulfillments") for x in _shipped(each)]
    lines = [x for x in READ.objects(order, "line_items") if not is_tip(x)]
    return all(_units(parts, "id", x.get("id")) >= _count(_left(x, now=True)) for x in lines)


def _count(units: Any) -> int:
    return units if isinstance(units, int) else 0


def _captured(order: Json, status: str, total: int, currency: str) -> int:
    if status in ("paid", "partially_refunded"):
        return total
    outstanding = order.get("total_outstanding")
    if status != "partially_paid" or outstanding is None:
        return 0
    return min(max(total - READ.amount(outstanding, currency), 0), total)


def _customer(order: Json) -> Json | None:
    """A till knows nobody."""
    buyer = within(order, "customer")
    emails = (order.get("email"), order.get("contact_email"), buyer.get("email"))
    phone = first(order.get("phone"), buyer.get("phone"))
    return customer(mailbox(*emails), _name(buyer), phone)


def _name(person: Json) -> str:
    return full_name(person.get("first_name"), person.get("last_name"))


def _address(address: Any) -> Json | None:
    if not isinstance(address, dict) or not address.get("country_code"):
        return None
    return {
        "name": text(address.get("name")) or _name(address),
        "company": text(address.get("company")),
        "line1": text(address.get("address1")),
        "line2": text(address.get("address2")),
        "city": text(address.get("city")),
        "region": first(address.get("province_code"), address.get("province")),
        "postal_code": text(address.get("zip")),
        "country": text(address.get("country_code")),
        "phone": text(address.get("phone")),
    }
