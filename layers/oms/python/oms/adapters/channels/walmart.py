"""Walmart's notifications, and its orders where one is handed over whole.

Whoever subscribes chooses how Walmart shows who it is, in the header `authorization`: by user and
password (the secret is `user:password`), by an HMAC-SHA256 of the body (base64 or hex), or not at
all: then whoever brings a message here signs it (`Baton-Signature`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator

from oms.adapters.channels.base import Fetch, Ignored, Message, What, named, one
from oms.adapters.channels.reading import shop_name
from oms.adapters.channels.shop_fields import Json, text, within
from oms.adapters.channels.walmart_orders import READER, said_of
from oms.adapters.webhooks import Call, is_relayed, same

TELLING = frozenset(
    {"PO_CREATED", "PO_LINE_AUTOCANCELLED", "INTENT_TO_CANCEL", "FRAUD_CANCEL", "ORDER_UPDATES"}
)


class Walmart:
    code = "walmart"

    def shop(self, call: Call) -> str:
        """The partner's id, of the address that was called or of the notification."""
        asked = shop_name(call.query.get("shop"))
        return asked or shop_name(within(READER.peeked(call.body), "payload").get("partnerId"))

    def verify(self, call: Call, secret: str) -> bool:
        if is_relayed(call, secret):
            return True
        given = call.header("authorization").removeprefix("Basic ")
        return bool(secret) and any(same(given, each) for each in _shown(call.body, secret))

    def read(self, call: Call) -> Message:
        body = READER.parsed(call.body)
        channel = named(self.code, self.shop(call))
        if "source" in body or "payload" in body:
            source = READER.within(body, "source")
            said = _told(source, READER.within(body, "payload"), channel)
            return one(said, text(source.get("eventId")))
        return Message(tuple(x for order in orders_in(body) for x in said_of(order, channel)))


def _shown(body: bytes, secret: str) -> Iterator[str]:
    if ":" in secret:
        yield base64.b64encode(secret.encode()).decode()
    else:
        digest = hmac.digest(secret.encode(), body, hashlib.sha256)
        yield base64.b64encode(digest).decode()
        yield digest.hex()


def orders_in(body: Json) -> list[Json]:
    """One order, or those of a list. Raises MalformedOrder."""
    if "list" in body:
        elements = READER.within(READER.within(body, "list"), "elements")
        return READER.objects(elements, "order")
    return [READER.within(body, "order") or body]


def _told(source: Json, payload: Json, channel: str) -> What:
    kind = text(source.get("eventType"))
    if kind not in TELLING:
        return Ignored(f"the event {kind[:60]!r} is about no order")
    order = READER.within(payload, "order") or payload
    return Fetch(channel, READER.identity(order.get("purchaseOrderId"), "the order's id"))
