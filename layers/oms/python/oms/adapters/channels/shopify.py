"""Shopify's `orders/create` webhook.

Amounts are decimal strings in the shop's currency (what the buyer saw may be another one). Every
discount, of the order too, is allocated to lines by Shopify; `total_discount` of a line counts
only where there are no allocations. The signature covers the body, not the headers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from oms.adapters.channels.base import (
    Ignored,
    MalformedOrder,
    Message,
    Placed,
    What,
    named,
    one,
)
from oms.adapters.webhooks import Call, same
from oms.contracts.api.orders import ChannelOrder
from oms.domain.currencies import NotAnAmount, minor_units

Json = dict[str, Any]

SHOP = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+", re.ASCII)
MAILBOX = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
SETTLED = frozenset({"paid", "authorized"})
OVER = frozenset({"voided", "refunded"})
LONGEST = 200


class Shopify:
    code = "shopify"

    def shop(self, call: Call) -> str:
        shop = call.header("x-shopify-shop-domain").lower()
        if shop and not (SHOP.fullmatch(shop) and len(shop) <= 100):
            raise MalformedOrder("shopify", "the shop's domain is none")
        return shop

    def verify(self, call: Call, secret: str) -> bool:
        given = call.header("x-shopify-hmac-sha256")
        return bool(secret) and same(given, signature(call.body, secret))

    def read(self, call: Call) -> Message:
        return one(self._said(call), call.header("x-shopify-webhook-id")[:LONGEST])

    def _said(self, call: Call) -> What:
        topic = call.header("x-shopify-topic")
        if topic != "orders/create":
            return Ignored(f"the topic {topic[:60]!r} makes no order")
        order = _parsed(call.body)
        if why := _no_business_of_ours(order):
            return Ignored(why)
        try:
            return Placed(ChannelOrder.read(_order(order, named(self.code, self.shop(call)))))
        except NotAnAmount as error:
            raise MalformedOrder(self.code, str(error)) from None


def signature(body: bytes, secret: str) -> str:
    """The value of `X-Shopify-Hmac-Sha256`."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _no_business_of_ours(order: Json) -> str:
    if order.get("test") is True:
        return "it is a test order"
    if order.get("cancelled_at") is not None:
        return "it was cancelled before it reached us"
    if (status := _text(order.get("financial_status"))) in OVER:
        return f"its payment is {status} already"
    return ""


def _order(order: Json, channel: str) -> Json:
    currency = _text(order.get("currency"))
    total = _amount(order.get("total_price"), currency)
    return {
        "channel": channel,
        "external_id": _identity(order.get("id"), "the order's id"),
        "currency": currency,
        "customer": _customer(order),
        "shipping_address": _address(order.get("shipping_address")),
        "lines": [_line(each, order, currency) for each in _lines(order)],
        "shipping": _shipping(order, currency),
        "tax_included": order.get("taxes_included") is True,
        "total": total,
        **_money(order, total, currency),
    }


def _lines(order: Json) -> Iterator[Json]:
    return (line for line in _objects(order, "line_items") if line.get("quantity") != 0)


def _line(line: Json, order: Json, currency: str) -> Json:
    duties = [{"title": "duty", **duty} for duty in _objects(line, "duties")]
    taxes = [*_objects(line, "tax_lines"), *duties]
    return {
        "sku": _sku(line),
        "quantity": line.get("quantity"),
        "external_id": _line_id(line),
        "unit_price": _amount(line.get("price"), currency),
        "discounts": list(_discounts(line, order, currency)),
        "taxes": [_tax(tax, currency) for tax in taxes],
        "requires_shipping": line.get("requires_shipping") is not False,
    }


def _line_id(line: Json) -> str | None:
    return None if line.get("id") is None else _identity(line["id"], "a line's id")


def _sku(line: Json) -> str:
    """Shops that keep no SKUs have variants; what has neither is known by its product."""
    if sku := _text(line.get("sku")):
        return sku
    for kind in ("variant", "product"):
        if line.get(f"{kind}_id") is not None:
            return f"{kind}:{_identity(line[f'{kind}_id'], f'a {kind}')}"
    return f"line:{_identity(line.get('id'), 'a line')}"


def _discounts(line: Json, order: Json, currency: str) -> Iterator[Json]:
    if line.get("discount_allocations") is None:
        allocated = [{"amount": line.get("total_discount") or "0"}]
    else:
        allocated = _objects(line, "discount_allocations")
    applied = _objects(order, "discount_applications")
    for each in allocated:
        if amount := _amount(each.get("amount"), currency):
            yield {"code": _code(each.get("discount_application_index"), applied), "amount": amount}


def _code(index: Any, applied: list[Json]) -> str:
    known = isinstance(index, int) and 0 <= index < len(applied)
    application = applied[index] if known else {}
    words = (_text(application.get(name)) for name in ("code", "title", "type"))
    return next(filter(None, words), "discount")


def _tax(tax: Json, currency: str) -> Json:
    name, amount = _text(tax.get("title")) or "tax", _amount(tax.get("price"), currency)
    return {"name": name, "rate": _rate(tax.get("rate")), "amount": amount}


def _rate(rate: Any) -> str:
    """Kept for people to read, to twelve decimals; no amount is computed from it."""
    try:
        exact = Decimal(str(rate or 0)).quantize(Decimal("1e-12")).normalize()
    except InvalidOperation:
        return "0"
    return f"{exact:f}" if 0 <= exact < 100 else "0"


def _shipping(order: Json, currency: str) -> Json:
    lines = [x for x in _objects(order, "shipping_lines") if x.get("is_removed") is not True]
    methods = (_text(line.get("code")) or _text(line.get("title")) for line in lines)
    return {
        "method": next(filter(None, methods), "standard"),
        "price": sum(_shipping_price(line, currency) for line in lines),
        "taxes": [_tax(tax, currency) for line in lines for tax in _objects(line, "tax_lines")],
    }


def _shipping_price(line: Json, currency: str) -> int:
    if line.get("discounted_price") is not None:
        return _amount(line["discounted_price"], currency)
    off = (_amount(x.get("amount"), currency) for x in _objects(line, "discount_allocations"))
    return _amount(line.get("price"), currency) - sum(off)


def _money(order: Json, total: int, currency: str) -> Json:
    """The channel holds the money. Nothing ships for money that it neither took nor reserved."""
    status = _text(order.get("financial_status"))
    captured = _captured(order, status, total, currency)
    payment = {"provider": "external", "token": str(order["id"]), "captured": captured}
    if not total or status in SETTLED:
        return {"payment": payment}
    said = f"the payment is {status[:60] or 'not known'}: {captured} of {total} were taken"
    return {"payment": payment, "payment_hold": said}


def _captured(order: Json, status: str, total: int, currency: str) -> int:
    if status in ("paid", "partially_refunded"):
        return total
    outstanding = order.get("total_outstanding")
    if status != "partially_paid" or outstanding is None:
        return 0
    return total - _amount(outstanding, currency)


def _customer(order: Json) -> Json | None:
    """A till knows nobody; an e-mail address that is none is left out rather than refused."""
    buyer = order.get("customer") if isinstance(order.get("customer"), dict) else {}
    buyer = buyer or {}
    emails = (
        _text(x) for x in (order.get("email"), order.get("contact_email"), buyer.get("email"))
    )
    email = next((x for x in emails if MAILBOX.fullmatch(x)), None)
    name = f"{_text(buyer.get('first_name'))} {_text(buyer.get('last_name'))}".strip()[:LONGEST]
    phone = _text(order.get("phone")) or _text(buyer.get("phone"))
    found = {"email": email, "name": name, "phone": phone}
    return found if any(found.values()) else None


def _address(address: Any) -> Json | None:
    if not isinstance(address, dict) or not address.get("country_code"):
        return None
    name = _text(address.get("name"))
    if not name:
        name = f"{_text(address.get('first_name'))} {_text(address.get('last_name'))}".strip()
    return {
        "name": name[:LONGEST],
        "company": _text(address.get("company")),
        "line1": _text(address.get("address1")),
        "line2": _text(address.get("address2")),
        "city": _text(address.get("city")),
        "region": _text(address.get("province_code")) or _text(address.get("province")),
        "postal_code": _text(address.get("zip")),
        "country": _text(address.get("country_code")),
        "phone": _text(address.get("phone")),
    }


def _amount(value: Any, currency: str) -> int:
    """A decimal string, or the number some versions send; whole minor units or refused."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MalformedOrder("shopify", "an amount is missing or is no number")
    return minor_units(str(value), currency)


def _identity(value: Any, what: str) -> str:
    """Ids are integers beyond 2^53: as text, digit for digit."""
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,20}", str(value), re.ASCII):
        raise MalformedOrder("shopify", f"{what} is missing or is no number")
    return str(value)


def _text(value: Any) -> str:
    """What a person typed, on one line, without control characters, cut to what we keep."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:LONGEST]


def _objects(holder: Json, name: str) -> list[Json]:
    found = holder.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise MalformedOrder("shopify", f"{name} is no list of objects")
    return found


def _parsed(body: bytes) -> Json:
    """Numbers with a point stay the text they are: a float would not be the amount."""
    try:
        order = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        raise MalformedOrder("shopify", "the body is no JSON") from None
    if not isinstance(order, dict):
        raise MalformedOrder("shopify", "the body is no object")
    return order
