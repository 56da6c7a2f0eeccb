"""Shopify's webhooks: the header names the topic, the body is the resource of the REST API.

The signature covers the body, not the headers. Subscriptions of the newer kind, Events, have
headers without `X-`, and bodies that whoever subscribed has chosen: what they are about is fetched.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Ignored,
    MalformedOrder,
    Message,
    Placed,
    Updated,
    What,
    named,
)
from oms.adapters.channels.shop_fields import LONGEST, Json, instant, text, within
from oms.adapters.channels.shopify_events import cancelled, fulfilled, fulfillments_of, refunded
from oms.adapters.channels.shopify_order import CODE, READ, read_order, read_order_now, was_more
from oms.adapters.webhooks import Call, same
from oms.contracts.invalid import InvalidRequest

SHOP = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9-]+)+", re.ASCII)
OVER = frozenset({"voided", "refunded"})
CHANGED = frozenset(
    f"orders/{what}"
    for what in ("updated", "paid", "partially_paid", "fulfilled", "partially_fulfilled")
)
GID = re.compile(r"gid://shopify/(\w+)/([0-9]{1,20})", re.ASCII)


class Shopify:
    code = CODE

    def shop(self, call: Call) -> str:
        shop = _header(call, "shop-domain").lower()
        if shop and not (SHOP.fullmatch(shop) and len(shop) <= 100):
            raise MalformedOrder(self.code, "the shop's domain is none")
        return shop

    def verify(self, call: Call, secret: str) -> bool:
        given = _header(call, "hmac-sha256")
        return bool(secret) and same(given, signature(call.body, secret))

    def read(self, call: Call) -> Message:
        channel = named(self.code, self.shop(call))
        known_as = call.header("x-shopify-webhook-id") or _header(call, "event-id")
        if not call.header("x-shopify-topic") and call.header("shopify-topic"):
            return Message((_of_event(call, channel),), known_as[:LONGEST])
        said = _of_topic(call.header("x-shopify-topic"), call.body, channel)
        return Message(said, known_as[:LONGEST])


def signature(body: bytes, secret: str) -> str:
    """The value of `X-Shopify-Hmac-Sha256`."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _header(call: Call, name: str) -> str:
    return call.header(f"x-shopify-{name}") or call.header(f"shopify-{name}")


def _of_event(call: Call, channel: str) -> What:
    """What happened is in the headers; the order is the resource, or below it in the body."""
    resource = GID.fullmatch(call.header("shopify-resource-id"))
    if resource is None or resource[1] != "Order":
        return Ignored(f"the event {call.header('shopify-topic')[:60]!r} is about no order")
    if call.header("shopify-action") == "delete":
        return Cancelled(channel, resource[2], "deleted")
    return Fetch(channel, resource[2])


def _of_topic(topic: str, body: bytes, channel: str) -> tuple[What, ...]:
    if topic == "orders/create":
        return _placed(_inside(body, "order"), channel)
    if topic in CHANGED:
        return _updated(_inside(body, "order"), channel, topic.endswith("fulfilled"))
    if topic == "orders/edited":
        edit = _inside(body, "order_edit")
        return (Fetch(channel, READ.identity(edit.get("order_id"), "the edit's order")),)
    if topic == "orders/cancelled":
        order = _inside(body, "order")
        return (cancelled(order, channel) if order.get("test") is not True else _test(),)
    return (_of_other_topic(topic, body, channel),)


def _of_other_topic(topic: str, body: bytes, channel: str) -> What:
    if topic == "orders/delete":
        known_as = READ.identity(READ.parsed(body).get("id"), "the order's id")
        return Cancelled(channel, known_as, "deleted")
    if topic == "refunds/create":
        return refunded(_inside(body, "refund"), channel)
    if topic in ("fulfillments/create", "fulfillments/update"):
        return fulfilled(_inside(body, "fulfillment"), channel)
    if topic.startswith("fulfillment_events/"):
        return Ignored("carriers say themselves where a parcel is")
    return Ignored(f"the topic {topic[:60]!r} is about no order of ours")


def _placed(order: Json, channel: str) -> tuple[What, ...]:
    """What a till handed over is fulfilled in the same body."""
    if why := _no_business_of_ours(order):
        return (Ignored(why),)
    return Placed(read_order(order, channel)), *fulfillments_of(order, channel)


def _no_business_of_ours(order: Json) -> str:
    if order.get("test") is True:
        return "it is a test order"
    if order.get("cancelled_at") is not None:
        return "it was cancelled before it reached us"
    if (status := text(order.get("financial_status"))) in OVER:
        return f"its payment is {status} already"
    return ""


def _test() -> Ignored:
    return Ignored("it is a test order")


def _updated(order: Json, channel: str, fulfilled_there: bool) -> tuple[What, ...]:
    """Refunds and fulfillments come by topics of their own; where one of these says that the order
    is fulfilled, its body is taken at its word."""
    said = state_of(order, channel)
    return *said, *(fulfillments_of(order, channel) if fulfilled_there else ())


def state_of(order: Json, channel: str) -> tuple[What, ...]:
    """The order as it is now."""
    if order.get("test") is True:
        return (_test(),)
    if order.get("cancelled_at") is not None:
        return (cancelled(order, channel),)
    if (found := read_order_now(order, channel)) is None:
        return (Ignored("no unit of it is left: its refunds say what became of them"),)
    now = Updated(found, instant(order.get("updated_at")))
    return *_placed_before(order, channel), now


def _placed_before(order: Json, channel: str) -> tuple[Placed, ...]:
    """Where units were taken out, who does not know the order yet hears of all of them first: its
    refunds speak of those. Of what does not add up any more, only what is left counts."""
    try:
        return (Placed(read_order(order, channel)),) if was_more(order) else ()
    except InvalidRequest:
        return ()


def _inside(body: bytes, name: str) -> Json:
    """What the REST API wraps into an object, webhooks do not; edits are wrapped in both."""
    found = READ.parsed(body)
    return within(found, name) or found
