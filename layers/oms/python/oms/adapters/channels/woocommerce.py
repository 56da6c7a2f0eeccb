"""WooCommerce's webhooks: the header names the topic, the body is the resource of the REST API.

When a webhook is created it sends one message that nobody has signed, `webhook_id=<n>`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import urlsplit

from oms.adapters.channels.base import Cancelled, Fetch, Ignored, Message, What, named
from oms.adapters.channels.shop_fields import Json, text, within
from oms.adapters.channels.woocommerce_order import CODE, READ, said_of
from oms.adapters.webhooks import Call, same

SIGNATURE = "x-wc-webhook-signature"
PING = re.compile(rb"webhook_id=\d{1,20}")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?", re.ASCII)
PATH = re.compile(r"(/[a-z0-9._-]+)*", re.ASCII)
UP = re.compile(r"/orders/([0-9]{1,20})(?![0-9/])", re.ASCII)
ORDERS = frozenset({"order.created", "order.updated", "order.restored"})
HOOKS = re.compile(
    r"woocommerce_(order_\w+|new_order|update_order|cancelled_order|payment_complete)", re.ASCII
)


class WooCommerce:
    code = CODE

    def shop(self, call: Call) -> str:
        """`https://example.com/shop/` is example.com:shop: a slash has no place in a channel."""
        source = call.header("x-wc-webhook-source").lower()
        if not source:
            return ""
        try:
            found = urlsplit(source)
        except ValueError:
            raise READ.refused("the shop's address is none") from None
        path = found.path.rstrip("/")
        known = HOST.fullmatch(found.netloc) and PATH.fullmatch(path)
        if not known or len(source) > 100:
            raise READ.refused("the shop's address is none")
        return found.netloc + path.replace("/", ":")

    def is_ping(self, call: Call) -> bool:
        return not call.header(SIGNATURE) and is_ping(call.body)

    def verify(self, call: Call, secret: str) -> bool:
        return bool(secret) and same(call.header(SIGNATURE), signature(call.body, secret))

    def read(self, call: Call) -> Message:
        """Its delivery id is of a webhook and a second: that of two orders may be the same."""
        return Message(self._said(call))

    def _said(self, call: Call) -> tuple[What, ...]:
        if is_ping(call.body):
            return (Ignored("ping"),)
        topic, channel = topic_of(call), named(self.code, self.shop(call))
        if topic.startswith("action."):
            return (_of_action(READ.parsed(call.body), channel),)
        if topic not in ORDERS and topic != "order.deleted":
            return (Ignored(f"the topic {topic[:60]!r} is about no order"),)
        return _of_order(READ.parsed(call.body), topic, channel)


def is_ping(body: bytes) -> bool:
    return PING.fullmatch(body.strip()) is not None


def topic_of(call: Call) -> str:
    resource, event = call.header("x-wc-webhook-resource"), call.header("x-wc-webhook-event")
    return call.header("x-wc-webhook-topic") or f"{resource}.{event}"


def signature(body: bytes, secret: str) -> str:
    """The value of `X-WC-Webhook-Signature`."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _of_order(body: Json, topic: str, channel: str) -> tuple[What, ...]:
    if "id" not in body and "code" in body and "message" in body:
        raise READ.refused("the webhook's user may not see orders there")
    if topic == "order.deleted":
        known_as = READ.identity(body.get("id"), "the order's id")
        return (Cancelled(channel, known_as, "deleted"),)
    if "amount" in body and "currency" not in body:
        return (Fetch(channel, _order_of_refund(body), "refunds"),)
    return said_of(body, channel, topic == "order.created")


def _order_of_refund(refund: Json) -> str:
    """A refund says neither its units' prices nor its currency; its order is above it."""
    up = refund.get("parent_id") or UP.findall(str(within(refund, "_links").get("up")))
    return READ.identity("".join(up) if isinstance(up, list) else up, "the refund's order")


def _of_action(body: Json, channel: str) -> What:
    """The first argument of a WordPress hook: of those of orders it is the order's id."""
    hook, order = text(body.get("action")), body.get("arg")
    if not HOOKS.fullmatch(hook) or not re.fullmatch(r"[1-9]\d{0,19}", str(order), re.ASCII):
        return Ignored(f"the hook {hook[:60]!r} is about no order")
    return Fetch(channel, str(order), "refunds" if "refund" in hook else "order")
