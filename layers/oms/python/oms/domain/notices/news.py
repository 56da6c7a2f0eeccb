"""Whether a notice still is news: an event is told by what the order is when it is told.

So what comes late, or waited for the morning, is not told after what came later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oms.domain.edits import EditStatus
from oms.domain.fulfillment import FulfillmentStatus
from oms.domain.notices.variables import WHY
from oms.domain.order import Order, OrderStatus

PAID_ELSEWHERE = "external"
BY_CHANNEL = "channel:"
NEVER_SENT = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)
# Of a fulfillment order, as far as its customer has heard or will hear of it.
THERE = (
    FulfillmentStatus.DELIVERED,
    FulfillmentStatus.READY_FOR_PICKUP,
    FulfillmentStatus.COLLECTED,
)


def told_there(actor: str) -> str:
    """What its channel did itself, the channel tells its buyer."""
    return "told by its channel" if actor.startswith(BY_CHANNEL) else ""


def no_news(kind: str, order: Order, data: Mapping[str, Any]) -> str:
    """Why nobody is told of it any more, or at all; empty where it is news."""
    if kind == "PaymentAuthorized" and order.payment.provider == PAID_ELSEWHERE:
        return "confirmed by its channel"
    if kind != "OrderCancelled" and order.status in NEVER_SENT:
        return "cancelled meanwhile"
    return NOT_NEWS[kind](order, data) if kind in NOT_NEWS else ""


def _authorized(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    """A part of a split tender, a renewal, or what an edit costs more. A confirmation is owed: it
    is sent however far the order is."""
    return "" if data.get("confirms", True) else "not what confirms the order"


def _shipped(order: Order, data: Mapping[str, Any]) -> str:
    found = order.fulfillment_order(data["fulfillment_order_id"])
    return "there by now" if found.status in THERE else ""


def _ready(order: Order, data: Mapping[str, Any]) -> str:
    found = order.fulfillment_order(data["fulfillment_order_id"])
    waits = found.status is FulfillmentStatus.READY_FOR_PICKUP
    return "" if waits else "does not wait there any more"


def _backordered(order: Order, data: Mapping[str, Any]) -> str:
    """It may have come, or be told anew, before anybody has written."""
    if data.get("again"):
        return "told before"
    short = (order.line(each["line_id"]) for each in data["lines"])
    return "" if any(line.backordered for line in short) else "there by now"


def _rescheduled(order: Order, data: Mapping[str, Any]) -> str:
    waits = any(order.line(line_id).backordered for line_id in data["line_ids"])
    return "" if waits else "there by now"


def _released(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    return "waits again" if order.is_backordered else ""


def _edited(order: Order, data: Mapping[str, Any]) -> str:
    """It tells the order as it is now: of several edits, the last one does."""
    applied = [each.edit_id for each in order.edits if each.status is EditStatus.APPLIED]
    is_last = applied[-1:] == [data["edit"]["edit_id"]]
    return "" if is_last else "changed again since"


def _cancelled_in_part(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    return "" if data["reason"] in WHY else "the customer's own wish"


def _return_approved(order: Order, data: Mapping[str, Any]) -> str:
    found = order.return_(data["return_id"])
    return "" if found.is_open or found.terms.keep else "over by now"


def _return_received(order: Order, data: Mapping[str, Any]) -> str:
    """What is paid for in the same moment is told with the money."""
    found = order.return_(data["return_id"])
    came = any(x.get("reception", "received") == "received" for x in data["lines"])
    return "" if came and found.is_open else "nothing to wait for"


def _money(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    return "" if data["credit"]["amount"] else "no money"


def _revised(order: Order, data: Mapping[str, Any]) -> str:
    """What waits for stock was told as that; what has come, or is told anew by now, is no news."""
    promise = order.promise
    if order.is_backordered and not data["deliver_by"]:
        return "told that it waits for stock"
    if order.is_final or not any(x.is_under_way for x in order.fulfillment_orders):
        return "there by now"
    return "" if promise and promise.revised == data["deliver_by"] else "told another day since"


NOT_NEWS: Mapping[str, Callable[[Order, Mapping[str, Any]], str]] = {
    "PaymentAuthorized": _authorized,
    "OrderBackordered": _backordered,
    "BackorderRescheduled": _rescheduled,
    "BackorderReleased": _released,
    "FulfillmentOrderShipped": _shipped,
    "FulfillmentOrderReady": _ready,
    "OrderLinesCancelled": _cancelled_in_part,
    "OrderEdited": _edited,
    "ReturnApproved": _return_approved,
    "ReturnReceived": _return_received,
    "ReturnSettled": _money,
    "RefundGranted": _money,
    "PromiseRevised": _revised,
}
