"""Amazon's notifications, and its orders where somebody hands them over.

Amazon signs nothing: it writes to a queue or an event bus, and whoever brings a message here by
HTTP signs it (`Baton-Signature`). A notification holds the id of an order, which is asked for.
The names in it begin with capitals or not, by the type of notification.
"""

from __future__ import annotations

from typing import Any

from oms.adapters.channels.amazon_orders import said_of
from oms.adapters.channels.amazon_sales import READER
from oms.adapters.channels.base import Fetch, Ignored, Message, What, named, one
from oms.adapters.channels.reading import shop_name
from oms.adapters.channels.shop_fields import Json, text
from oms.adapters.webhooks import Call, is_relayed

TELLING = frozenset({"ORDER_CHANGE", "ORDER_STATUS_CHANGE", "MFN_ORDER_STATUS_CHANGE"})


class Amazon:
    code = "amazon"

    def shop(self, call: Call) -> str:
        """The seller's id, of the notification or of the address that was called."""
        if shop := shop_name(call.query.get("shop")):
            return shop
        notification = _notification(READER.peeked(call.body))
        return shop_name(_of(_change(notification), "SellerId"))

    def verify(self, call: Call, secret: str) -> bool:
        return is_relayed(call, secret)

    def read(self, call: Call) -> Message:
        body = READER.parsed(call.body)
        channel = named(self.code, self.shop(call))
        notification = _notification(body)
        if kind := text(_of(notification, "NotificationType")):
            return one(_told(notification, kind, channel), _message_id(notification))
        return Message(tuple(what for order in orders_in(body) for what in said_of(order, channel)))


def orders_in(body: Json) -> list[Json]:
    """Those of an answer of either version of the API. Raises MalformedOrder."""
    found = body.get("payload", body)
    if isinstance(found, dict) and "AmazonOrderId" in found:
        return [found]
    if isinstance(found, dict) and "orderId" in found and "orderItems" in found:
        return [found]
    for holder in (found, body):
        for name in ("order", "orders", "Orders"):
            if isinstance(holder, dict) and holder.get(name):
                return _listed(holder, name)
    if errors := READER.objects(body, "errors"):
        raise READER.refused(f"an error of Amazon's: {text(errors[0].get('code'))[:60]}")
    raise READER.refused("neither a notification nor an order")


def _listed(holder: Json, name: str) -> list[Json]:
    if isinstance(holder[name], dict):
        return [holder[name]]
    return READER.objects(holder, name)


def _notification(body: Json) -> Json:
    """As it is in a queue, or inside an event of EventBridge."""
    return _within(body, "detail") if "detail" in body else body


def _of(holder: Json, name: str) -> Any:
    """By a name that begins with a capital, or not."""
    found = holder.get(name)
    return holder.get(name[:1].lower() + name[1:]) if found is None else found


def _within(holder: Json, name: str) -> Json:
    found = _of(holder, name)
    return found if isinstance(found, dict) else {}


def _change(notification: Json) -> Json:
    payload = _within(notification, "Payload")
    return next(
        (
            each
            for name in ("OrderChange", "OrderStatusChange")
            if (each := _within(payload, f"{name}Notification"))
        ),
        {},
    )


def _message_id(notification: Json) -> str:
    return text(_of(_within(notification, "NotificationMetadata"), "NotificationId"))


def _told(notification: Json, kind: str, channel: str) -> What:
    if kind not in TELLING:
        return Ignored(f"the notification {kind[:60]!r} is about no order")
    change = _change(notification)
    summary = _within(change, "Summary")
    by = text(_of(summary, "FulfillmentType")) or text(_of(change, "FulfillmentChannel"))
    if by == "AFN":
        return Ignored("Amazon ships it itself")
    return Fetch(channel, READER.identity(_of(change, "AmazonOrderId"), "the order's id"))
