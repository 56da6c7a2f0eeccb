"""What Shopify says of an order after it was placed: refunds and fulfillments, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from oms.adapters.channels.base import Cancelled, Fetch, Fulfilled, Ignored, Refunded, Units, What
from oms.adapters.channels.shop_calls import MARK
from oms.adapters.channels.shop_fields import Json, instant, text, within
from oms.adapters.channels.shopify_order import READ, is_tip

OURS = re.compile(rf"\[{MARK} ([^\]]+)\]")  # how a note says which of our deeds it is
DONE = frozenset({"success", "pending"})  # a refund that is on its way has left the shop's books


def marked(reason: str, key: str) -> str:
    """A note that is known again as ours."""
    return f"{reason[:150]} [{MARK} {key}]".strip()


def mark_of(note: Any) -> str:
    """Of all of the note: the mark is at its end."""
    found = OURS.search(note) if isinstance(note, str) else None
    return found[1] if found else ""


def cancelled(order: Json, channel: str) -> Cancelled:
    known_as = READ.identity(order.get("id"), "the order's id")
    at = instant(order.get("cancelled_at"))
    return Cancelled(channel, known_as, text(order.get("cancel_reason")), at=at)


def refunded(refund: Json, channel: str, currency: str = "") -> What:
    """`currency` of the shop; where nobody says it, the order has to be fetched."""
    if mark_of(refund.get("note")):
        return Ignored("the refund is ours")
    order = READ.identity(refund.get("order_id"), "the refund's order")
    if not (currency := currency or _currency(refund)):
        return Fetch(channel, order)
    known_as = READ.identity(refund.get("id"), "the refund's id")
    at = instant(refund.get("processed_at")) or instant(refund.get("created_at"))
    amount, reason = _given_back(refund, currency), text(refund.get("note"))
    units = tuple(_refunded_units(refund))
    return Refunded(channel, order, known_as, amount, currency, units, reason, at)


def _currency(refund: Json) -> str:
    """The shop's, as any of its amounts says."""
    lines = READ.objects(refund, "refund_line_items")
    sets = [within(x, "subtotal_set") for x in lines] + [within(refund, "total_duties_set")]
    codes = (within(each, "shop_money").get("currency_code") for each in sets)
    spoken = (x.get("currency") for x in READ.objects(refund, "transactions"))
    known = [found for code in (*codes, *spoken) if (found := text(code))]
    return READ.currency(known[0]) if known else ""


def _given_back(refund: Json, currency: str) -> int:
    """What its transactions moved. With an empty list of them no money was moved: units were taken
    out of an order that was not paid for, or is paid back later."""
    if refund.get("transactions") is None:
        return max(_worth(refund, currency), 0)
    moved = [x for x in READ.objects(refund, "transactions") if _is_refund(x)]
    amounts = [_in_shop_money(x, currency) for x in moved]
    if None in amounts:
        return max(_worth(refund, currency), 0)
    return sum(x for x in amounts if x is not None)


def _is_refund(transaction: Json) -> bool:
    status = text(transaction.get("status"))
    return transaction.get("kind") == "refund" and (not status or status in DONE)


def _in_shop_money(transaction: Json, currency: str) -> int | None:
    """None where it is said only in the buyer's currency."""
    money = within(within(transaction, "amount_set"), "shop_money")
    if money.get("amount") is not None:
        return abs(READ.amount(money["amount"], currency))
    if text(transaction.get("currency")) in ("", currency):
        return abs(READ.amount(transaction.get("amount"), currency))
    return None


def _worth(refund: Json, currency: str) -> int:
    """Of its lines, and of its shipping and other adjustments, which are below zero."""
    lines, adjusted = _objects(refund, "refund_line_items"), _objects(refund, "order_adjustments")
    worth = sum(_sum(x, ("subtotal", "total_tax"), currency) for x in lines)
    worth -= sum(_sum(x, ("amount", "tax_amount"), currency) for x in adjusted)
    names = ("subtotal_amount_set", "tax_amount_set")
    for line in _objects(refund, "refund_shipping_lines"):
        money = {name: within(within(line, name), "shop_money").get("amount") for name in names}
        worth += _sum(money, names, currency)
    return worth


def _objects(holder: Json, name: str) -> list[Json]:
    return READ.objects(holder, name)


def _sum(holder: Json, names: Iterable[str], currency: str) -> int:
    return sum(READ.amount(holder.get(name) or 0, currency) for name in names)


def _refunded_units(refund: Json) -> Iterator[Units]:
    for line in _objects(refund, "refund_line_items"):
        if is_tip(within(line, "line_item")):
            continue
        if count := READ.count(line.get("quantity", 0), "a quantity"):
            bought = within(line, "line_item")
            said = bought.get("id") if line.get("line_item_id") is None else line["line_item_id"]
            known_as = READ.identity(said, "a refunded line's id")
            yield Units(count, known_as, text(bought.get("sku")))


def fulfilled(fulfillment: Json, channel: str) -> What:
    status = text(fulfillment.get("status"))
    if status not in ("success", ""):
        return Ignored(f"the fulfillment is {status[:60]}")
    return Fulfilled(
        channel,
        READ.identity(fulfillment.get("order_id"), "the fulfillment's order"),
        READ.identity(fulfillment.get("id"), "the fulfillment's id"),
        tuple(_fulfilled_units(fulfillment)),
        text(fulfillment.get("tracking_company")),
        _number(fulfillment),
        instant(fulfillment.get("created_at")),
    )


def _fulfilled_units(fulfillment: Json) -> Iterator[Units]:
    for line in _objects(fulfillment, "line_items"):
        if count := READ.count(line.get("quantity", 0), "a quantity"):
            known_as = READ.identity(line.get("id"), "a line's id")
            yield Units(count, known_as, text(line.get("sku")))


def _number(fulfillment: Json) -> str:
    several = fulfillment.get("tracking_numbers")
    numbers = several if isinstance(several, list) else []
    return next(filter(None, map(text, [fulfillment.get("tracking_number"), *numbers])), "")[:100]


def refunds_of(order: Json, channel: str) -> list[What]:
    """Those that are not ours. Only of the API: in the body of a webhook that tells of an order,
    the transactions of its refunds are not always there yet."""
    currency = READ.currency(order.get("currency"))
    of = {"order_id": order.get("id")}
    found = [refunded({**of, **x}, channel, currency) for x in _objects(order, "refunds")]
    return [each for each in found if not isinstance(each, Ignored)]


def fulfillments_of(order: Json, channel: str) -> list[What]:
    """As if each had come by itself."""
    of = {"order_id": order.get("id")}
    found = [fulfilled({**of, **x}, channel) for x in _objects(order, "fulfillments")]
    return [each for each in found if not isinstance(each, Ignored)]
