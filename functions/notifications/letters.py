"""What customers read: one letter, as plain text and as simple HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from oms.adapters.mail import Mail
from oms.domain.currencies import amount_text
from oms.domain.fulfillment import COLLECT_WITHIN, Quantity, quantities, totals
from oms.domain.order import Order
from oms.domain.payment import OperationKind
from oms.domain.returns import Reception, Resolution, Return

MAX_ITEMS = 50
# Reasons of ours, by which customers learn why; any other is their own wish.
WHY = {
    "out_of_stock": "They could not be had in time.",
    "not_collected": "They were not collected in time.",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """`items` is the list in it; `closing` comes below."""

    subject: str
    opening: str
    items: tuple[str, ...] = ()
    closing: tuple[str, ...] = ()


def letter(kind: str, order: Order, data: Mapping[str, Any]) -> Letter:
    """The letter about an event of this kind, from what the order says now."""
    return LETTERS[kind](order, data)


def mail_of(letter: Letter, name: str) -> Mail:
    greeting = f"Dear {name}," if name else "Hello,"
    items = _shortened(letter.items)
    return Mail(
        subject=" ".join(letter.subject.split()),
        text=_text(greeting, letter, items),
        html=_html(greeting, letter, items),
    )


def _confirmed(order: Order, data: Mapping[str, Any]) -> Letter:  # noqa: ARG001
    return Letter(
        f"Your order {order.external_id} is confirmed",
        "Thank you. We have received your order and are getting it ready:",
        tuple(_item(line.quantity, line.sku) for line in order.lines),
        (f"Total: {amount_text(order.total, order.currency)}",),
    )


def _shipped(order: Order, data: Mapping[str, Any]) -> Letter:
    shipped = order.fulfillment_order(data["fulfillment_order_id"])
    parcels = (f"{parcel.carrier}, {parcel.tracking_number}" for parcel in shipped.parcels)
    return Letter(
        f"Your order {order.external_id} is on its way",
        "These items have left our warehouse:",
        _items(order, shipped.lines),
        tuple(f"Parcel: {parcel}" for parcel in parcels),
    )


def _delivered(order: Order, data: Mapping[str, Any]) -> Letter:
    delivered = order.fulfillment_order(data["fulfillment_order_id"])
    return Letter(
        f"Your order {order.external_id} has arrived",
        "These items were delivered:",
        _items(order, delivered.lines),
    )


def _cancelled(order: Order, data: Mapping[str, Any]) -> Letter:
    expired = "It was not completed in time." if data.get("expired") else ""
    reason = expired or WHY.get(data.get("reason", ""), "")
    return Letter(
        f"Your order {order.external_id} is cancelled",
        "Your order is cancelled; nothing will be sent.",
        closing=tuple(filter(None, (reason, _money_returned(order)))),
    )


def _lines_cancelled(order: Order, data: Mapping[str, Any]) -> Letter:
    units = (Quantity(each["line_id"], each["quantity"]) for each in data["units"])
    return Letter(
        f"A part of your order {order.external_id} is cancelled",
        f"These items will not come. {WHY[data['reason']]}",
        _items(order, quantities(totals(units))),
        tuple(filter(None, ("You do not pay for them.", _money_returned(order)))),
    )


def _backordered(order: Order, data: Mapping[str, Any]) -> Letter:
    short = tuple(Quantity(each["line_id"], each["quantity"]) for each in data["lines"])
    if data.get("preorder"):
        opening = "These items of your order are not released yet:"
    else:
        opening = "These items of your order are not in stock just now:"
    subject = f"Your order {order.external_id}: some items come later"
    return Letter(subject, opening, _items(order, short), (_expected(data),))


def _rescheduled(order: Order, data: Mapping[str, Any]) -> Letter:
    return Letter(
        f"Your order {order.external_id}: another date",
        "The date of these items has changed:",
        _items(
            order, quantities({each: order.line(each).backordered for each in data["line_ids"]})
        ),
        (_expected(data),),
    )


def _released(order: Order, data: Mapping[str, Any]) -> Letter:  # noqa: ARG001
    return Letter(
        f"Your order {order.external_id}: your items have come in",
        "What you have been waiting for is here. We are getting it ready.",
        _items(order, quantities(_open(order, [each.line_id for each in order.backorders]))),
    )


def _ready(order: Order, data: Mapping[str, Any]) -> Letter:
    ready = order.fulfillment_order(data["fulfillment_order_id"])
    return Letter(
        f"Your order {order.external_id} is ready",
        f"You can collect these items at {data['location_id']}:",
        _items(order, ready.lines),
        (f"We keep them for you for {COLLECT_WITHIN.days} days.",),
    )


def _edited(order: Order, data: Mapping[str, Any]) -> Letter:
    """As it is now; what was taken out, and what was not there before, it does not tell apart."""
    kept = (Quantity(x.line_id, x.quantity - x.cancelled) for x in order.lines)
    closing = [f"Total: {amount_text(order.payable, order.currency)}"]
    if data["edit"]["changes"].get("contact"):
        closing.append("What has not shipped yet goes to your new address.")
    return Letter(
        f"Your order {order.external_id} was changed",
        "We have changed your order as you asked. It is now for:",
        _items(order, (each for each in kept if each.quantity)),
        (*closing, *filter(None, [_money_of_the_edit(order)])),
    )


def _money_of_the_edit(order: Order) -> str:
    refund = order.payment.committed(OperationKind.REFUND) - order.payment.refunded
    return f"{amount_text(refund, order.currency)} will be returned to you." if refund else ""


def _return_approved(order: Order, data: Mapping[str, Any]) -> Letter:
    found = order.return_(data["return_id"])
    return Letter(
        f"Your order {order.external_id}: your return is accepted",
        _what_to_do(found),
        _items(order, (Quantity(each.line_id, each.quantity) for each in found.lines)),
        tuple(_conditions(order, found)),
    )


def _what_to_do(found: Return) -> str:
    if found.terms.keep:
        return "You need not send these items back:"
    if found.in_store:
        return f"Please bring these items to {found.in_store}:"
    return "Please send these items back to us:"


def _conditions(order: Order, found: Return) -> Iterator[str]:
    terms = found.terms
    if found.expires_at and not terms.keep:
        yield f"We expect that you hand them over by {found.expires_at:%Y-%m-%d}."
    if terms.restocking_fee_bp:
        yield f"A fee of {terms.restocking_fee_bp / 100:g} % of their price is taken off."
    if terms.return_shipping:
        cost = amount_text(terms.return_shipping, order.currency)
        yield f"For the way back, {cost} is taken off."


def _return_declined(order: Order, data: Mapping[str, Any]) -> Letter:
    found = order.return_(data["return_id"])
    return Letter(
        f"Your order {order.external_id}: about your return",
        "We are sorry that we cannot take these items back:",
        _items(order, (Quantity(each.line_id, each.quantity) for each in found.lines)),
    )


def _return_received(order: Order, data: Mapping[str, Any]) -> Letter:
    came = (x for x in data["lines"] if x.get("reception", Reception.RECEIVED) == "received")
    units = (Quantity(each["line_id"], each["quantity"]) for each in came)
    return Letter(
        f"Your order {order.external_id}: your return has arrived",
        "We have received these items, and will look at them:",
        _items(order, quantities(totals(units))),
    )


def _return_settled(order: Order, data: Mapping[str, Any]) -> Letter:
    found = order.return_(data["return_id"])
    amount = amount_text(data["credit"]["amount"], order.currency)
    for_what = "these items of your return" if data["lines"] else "your return"
    return Letter(
        f"Your order {order.external_id}: your refund",
        f"For {for_what}, {amount} {GIVEN[found.resolution]}{':' if data['lines'] else '.'}",
        _items(order, (Quantity(each["line_id"], each["quantity"]) for each in data["lines"])),
    )


def _refund_granted(order: Order, data: Mapping[str, Any]) -> Letter:
    amount = amount_text(data["credit"]["amount"], order.currency)
    return Letter(
        f"Your order {order.external_id}: your refund", f"{amount} will be returned to you."
    )


def _return_expired(order: Order, data: Mapping[str, Any]) -> Letter:
    found = order.return_(data["return_id"])
    return Letter(
        f"Your order {order.external_id}: your return has ended",
        "These items were not handed over in time, so we do not expect them any more:",
        _items(order, (Quantity(each.line_id, each.quantity) for each in found.lines)),
    )


def _promise_revised(order: Order, data: Mapping[str, Any]) -> Letter:
    day, before = data["deliver_by"], data["instead_of"]
    when = f"will arrive by {day}" if day else "will be late, and we do not know by when it comes"
    instead = f" instead of {before}" if day and before else ""
    undelivered = (Quantity(x.line_id, x.allocated + x.shipped) for x in order.lines)
    return Letter(
        f"Your order {order.external_id}: another day",
        f"We are sorry: your parcel {when}{instead}. This is what it is about:",
        _items(order, (each for each in undelivered if each.quantity)),
    )


GIVEN = {
    Resolution.REFUND: "will be returned to you",
    Resolution.STORE_CREDIT: "will be added to your store credit",
    Resolution.GIFT_CARD: "will be yours on a gift card",
    Resolution.EXCHANGE: "will count towards what you get instead",
    Resolution.REPLACEMENT: "will count towards what you get instead",
}
LETTERS: dict[str, Callable[[Order, Mapping[str, Any]], Letter]] = {
    "PaymentAuthorized": _confirmed,
    "OrderBackordered": _backordered,
    "BackorderRescheduled": _rescheduled,
    "BackorderReleased": _released,
    "FulfillmentOrderShipped": _shipped,
    "FulfillmentOrderDelivered": _delivered,
    "FulfillmentOrderReady": _ready,
    "OrderLinesCancelled": _lines_cancelled,
    "OrderCancelled": _cancelled,
    "OrderEdited": _edited,
    "ReturnApproved": _return_approved,
    "ReturnDeclined": _return_declined,
    "ReturnReceived": _return_received,
    "ReturnSettled": _return_settled,
    "ReturnExpired": _return_expired,
    "RefundGranted": _refund_granted,
    "PromiseRevised": _promise_revised,
}


def _expected(data: Mapping[str, Any]) -> str:
    day = data.get("expected_on", "")
    if not day:
        return "We do not know the day yet; we send them as soon as we can."
    return f"We expect them by {day}."


def _open(order: Order, line_ids: Iterable[str]) -> dict[str, int]:
    return {line.line_id: line.open for line in map(order.line, line_ids)}


def _money_returned(order: Order) -> str:
    refund = order.payment.committed(OperationKind.REFUND)
    if refund:
        return f"{amount_text(refund, order.currency)} will be returned to you."
    return "" if order.payment.captured else "You have not been charged."


def _items(order: Order, quantities: Iterable[Quantity]) -> tuple[str, ...]:
    skus = {line.line_id: line.sku for line in order.lines}
    return tuple(_item(each.quantity, skus[each.line_id]) for each in quantities)


def _item(quantity: int, sku: str) -> str:
    return f"{quantity:,} × {sku}"


def _shortened(items: tuple[str, ...]) -> tuple[str, ...]:
    more = len(items) - MAX_ITEMS
    return (*items[:MAX_ITEMS], f"and {more:,} more") if more > 0 else items


def _text(greeting: str, letter: Letter, items: Iterable[str]) -> str:
    listed = "\n".join(f"  {item}" for item in items)
    parts = (greeting, letter.opening, listed, "\n".join(letter.closing))
    return "\n\n".join(filter(None, parts)) + "\n"


def _html(greeting: str, letter: Letter, items: Iterable[str]) -> str:
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    parts = (greeting, letter.opening, *letter.closing)
    first, opening, *closing = (f"<p>{escape(part)}</p>" for part in parts)
    body = first + opening + (f"<ul>{listed}</ul>" if listed else "") + "".join(closing)
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><body>{body}</body></html>'
