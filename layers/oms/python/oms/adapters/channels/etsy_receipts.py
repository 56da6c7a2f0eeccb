"""Etsy's receipts, in our words. Source: the Open API v3, `getShopReceipt`.

An amount is an integer and what it is divided by. Discounts and taxes are those of the receipt:
its taxes are spread over its lines by their price. Gift wrap is charged with the shipping.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any

from oms.adapters.channels.base import Cancelled, Fetch, Fulfilled, Ignored, Refunded, Updated, What
from oms.adapters.channels.reading import Reader, instant, sold, taken
from oms.adapters.channels.shop_fields import Json, customer, discount, first, mailbox, tax, text
from oms.contracts.api.orders import ChannelOrder
from oms.domain.currencies import EXPONENTS
from oms.domain.money import spread

READER = Reader("etsy")

CANCELLED = frozenset({"canceled", "cancelled"})
UNPAID = frozenset({"open", "payment processing"})
LARGEST_DIVISOR = 10**6


def said_of(receipt: Json, channel: str) -> tuple[What, ...]:
    receipt_id = READER.identity(receipt.get("receipt_id"), "the receipt's id")
    status, at = text(receipt.get("status")).lower(), _updated_at(receipt)
    if status in CANCELLED:
        return (Cancelled(channel, receipt_id, "cancelled on Etsy", at=at),)
    if receipt.get("is_paid") is False and status in UNPAID:
        return (Ignored("it is not paid; Etsy tells when it is"),)
    if not receipt.get("transactions") or not receipt.get("grandtotal"):
        return (Fetch(channel, receipt_id),)
    return tuple(_told(receipt, receipt_id, channel))


def _updated_at(receipt: Json) -> datetime | None:
    return _at(receipt.get("updated_timestamp") or receipt.get("update_timestamp"))


def _at(value: Any) -> datetime | None:
    """Etsy counts seconds."""
    known = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**11
    return instant(value * 1000) if known else None


def _told(receipt: Json, receipt_id: str, channel: str) -> Iterator[What]:
    at, order = _updated_at(receipt), _order(receipt, receipt_id, channel)
    yield Updated(order, at)
    for place, refund in enumerate(READER.objects(receipt, "refunds")):
        yield _refund(refund, place, order)
    shipments = READER.objects(receipt, "shipments")
    if receipt.get("is_shipped") is True:
        last = shipments[-1] if shipments else {}
        yield Fulfilled(
            channel,
            receipt_id,
            f"{receipt_id}:{last.get('receipt_shipping_id') or 'shipped'}"[:200],
            carrier=text(last.get("carrier_name")),
            tracking_number=text(last.get("tracking_code")),
            at=_at(last.get("shipment_notification_timestamp")) or at,
        )


def _refund(refund: Json, place: int, order: ChannelOrder) -> Refunded:
    """Etsy's refunds have no id: it is when they were made, and which of them it is."""
    made = refund.get("created_timestamp")
    return Refunded(
        order.channel,
        order.external_id,
        f"{order.external_id}:{text(str(made))[:40]}:{place}",
        _amount(refund, "amount", order.currency),
        order.currency,
        reason=text(refund.get("reason")),
        at=_at(made),
    )


def _order(receipt: Json, receipt_id: str, channel: str) -> ChannelOrder:
    money = READER.within(receipt, "grandtotal")
    currency = READER.currency(money.get("currency_code"))
    total = _amount(receipt, "grandtotal", currency)
    lines = [_line(x, currency) for x in READER.objects(receipt, "transactions")]
    off = _amount(receipt, "discount_amt", currency)
    taxes, name = _taxes(receipt, currency)
    shipping = _amount(receipt, "total_shipping_cost", currency)
    shipping += _amount(receipt, "gift_wrap_price", currency)
    goods = shipping - off + sum(line["unit_price"] * line["quantity"] for line in lines)
    _put_taxes(lines, taxes, name)
    paid = receipt.get("is_paid") is not False
    return sold(
        {
            "channel": channel,
            "external_id": receipt_id,
            "currency": currency,
            "customer": _customer(receipt),
            "shipping_address": _address(receipt),
            "lines": lines,
            "discounts": discount("discount", off),
            "shipping": {"method": "standard", "price": shipping},
            "total": total,
            "tags": ["gift"] if receipt.get("is_gift") is True else [],
            **taken(receipt_id, total if paid else 0, total),
        },
        including=goods,
        excluding=goods + taxes,
    )


def _amount(holder: Json, name: str, currency: str) -> int:
    """Exact, or refused."""
    if not (money := READER.within(holder, name)):
        return 0
    READER.same(money.get("currency_code"), currency)
    amount, divisor = READER.minor(money.get("amount")), READER.minor(money.get("divisor"))
    if not 0 < divisor <= LARGEST_DIVISOR:
        raise READER.refused(f"{name} is divided by {str(divisor)[:20]}")
    found = Fraction(amount, divisor) * 10 ** EXPONENTS[currency]
    if found.denominator != 1:
        raise READER.refused(f"{name} is no amount in {currency!r}")
    return int(found)


def _taxes(receipt: Json, currency: str) -> tuple[int, str]:
    """Value added tax is in the prices, and said where no other tax is."""
    if found := _amount(receipt, "total_tax_cost", currency):
        return found, "tax"
    return _amount(receipt, "total_vat_cost", currency), "VAT"


def _put_taxes(lines: list[Json], taxes: int, name: str) -> None:
    weights = [line["unit_price"] * line["quantity"] for line in lines]
    if min(weights, default=0) < 0:
        raise READER.refused("a price is less than nothing")
    shares = spread(taxes, weights if any(weights) else [1] * len(weights)) if weights else ()
    for line, share in zip(lines, shares, strict=True):
        line["taxes"] = tax(share, name)


def _line(line: Json, currency: str) -> Json:
    line_id = READER.identity(line.get("transaction_id"), "a transaction's id")
    return {
        "sku": _sku(line, line_id),
        "quantity": READER.count(line.get("quantity"), "a quantity"),
        "external_id": line_id,
        "unit_price": _amount(line, "price", currency),
        "requires_shipping": line.get("is_digital") is not True,
    }


def _sku(line: Json, line_id: str) -> str:
    if found := text(line.get("sku"))[:100]:
        return found
    for kind, name in (("variant", "product_id"), ("product", "listing_id")):
        if line.get(name) is not None:
            return f"{kind}:{READER.identity(line[name], name)}"[:100]
    return f"line:{line_id}"[:100]


def _customer(receipt: Json) -> Json | None:
    return customer(mailbox(receipt.get("buyer_email")), text(receipt.get("name")))


def _address(receipt: Json) -> Json | None:
    """None for what is downloaded."""
    if not text(receipt.get("country_iso")):
        return None
    return {
        "name": text(receipt.get("name")),
        "line1": text(receipt.get("first_line")),
        "line2": text(receipt.get("second_line")),
        "city": text(receipt.get("city")),
        "region": first(receipt.get("state")),
        "postal_code": text(receipt.get("zip")),
        "country": text(receipt.get("country_iso")),
    }
