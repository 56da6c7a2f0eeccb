"""Square's webhooks, and its orders where one is handed over whole.

An event holds an order's id; a refund is told whole. The signature is made over the address that
Square was given and the body: where that is not the address that is called here (a domain of the
merchant's own), it stands behind the key in the secret, after a blank. Amounts are in minor units.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from urllib.parse import urlencode

from oms.adapters.channels.base import Fetch, Ignored, Message, What, named, one
from oms.adapters.channels.reading import shop_name
from oms.adapters.channels.shop_fields import Json, text
from oms.adapters.channels.square_orders import READER, refund_of, said_of
from oms.adapters.webhooks import Call, same

SIGNATURE = "x-square-hmacsha256-signature"
ORDER_EVENTS = {
    "order.created": "order_created",
    "order.updated": "order_updated",
    "order.fulfillment.updated": "order_fulfillment_updated",
}
REFUND_EVENTS = frozenset({"refund.created", "refund.updated"})
PAYMENT_EVENTS = frozenset({"payment.created", "payment.updated"})
PAID = frozenset({"COMPLETED", "CANCELED"})


class Square:
    code = "square"

    def shop(self, call: Call) -> str:
        """The merchant's id, of the address that was called or of the event."""
        asked = shop_name(call.query.get("shop"))
        return asked or shop_name(READER.peeked(call.body).get("merchant_id"))

    def verify(self, call: Call, secret: str) -> bool:
        key, _, known = secret.partition(" ")
        given = call.header(SIGNATURE)
        urls = [known] if known else list(_addresses(call))
        return bool(key) and any(same(given, signature(call.body, key, url)) for url in urls)

    def read(self, call: Call) -> Message:
        event = READER.parsed(call.body)
        channel = named(self.code, self.shop(call))
        if "type" in event and "data" in event:
            return one(_told(event, channel), text(event.get("event_id")))
        return Message(said_of(READER.within(event, "order") or event, channel))


def _addresses(call: Call) -> Iterator[str]:
    yield call.url
    if call.query:
        yield f"{call.url}?{urlencode(call.query)}"


def signature(body: bytes, key: str, url: str) -> str:
    """The value of `x-square-hmacsha256-signature`."""
    signed = url.encode(errors="replace") + body
    return base64.b64encode(hmac.digest(key.encode(), signed, hashlib.sha256)).decode()


def _told(event: Json, channel: str) -> What:
    kind = text(event.get("type"))
    holds = READER.within(READER.within(event, "data"), "object")
    if name := ORDER_EVENTS.get(kind):
        return Fetch(channel, _order_id(READER.within(holds, name)))
    if kind in REFUND_EVENTS:
        return _refund(READER.within(holds, "refund"), channel)
    if kind in PAYMENT_EVENTS:
        return _payment(READER.within(holds, "payment"), channel)
    return Ignored(f"the event {kind[:60]!r} is about no order")


def _order_id(holder: Json) -> str:
    return READER.identity(holder.get("order_id"), "the order's id")


def _payment(payment: Json, channel: str) -> What:
    """The order tells what was paid; it is asked for once that is settled."""
    status = text(payment.get("status"))
    if status not in PAID or not payment.get("order_id"):
        return Ignored(f"the payment is {status[:60] or 'of no state'} or of no order")
    return Fetch(channel, _order_id(payment))


def _refund(refund: Json, channel: str) -> What:
    status = text(refund.get("status"))
    if status != "COMPLETED" or not refund.get("order_id"):
        return Ignored(f"the refund is {status[:60] or 'of no state'} or of no order")
    return refund_of(refund, _order_id(refund), channel)
