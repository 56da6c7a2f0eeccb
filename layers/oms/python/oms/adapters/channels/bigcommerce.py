"""BigCommerce's callbacks. They hold only ids: what has changed is asked for.

Signed as Standard Webhooks with the app's client secret as it is written. The `hash` in a callback
is of its `data` alone, the same for every change of one order: it is no id of the message.
"""

from __future__ import annotations

import re

from oms.adapters.channels.base import Fetch, Ignored, Message, What, named, one
from oms.adapters.channels.bigcommerce_orders import READER
from oms.adapters.channels.shop_fields import LONGEST, Json, text, within
from oms.adapters.channels.standard_webhooks import ID, is_signed
from oms.adapters.webhooks import Call

PRODUCER = re.compile(r"stores/([a-z0-9]{1,60})", re.ASCII)
ORDER_CHANGES = "created updated archived statusUpdated transaction/created transaction/updated"
ORDERS = frozenset(f"store/order/{what}" for what in ORDER_CHANGES.split())
REFUND = "store/order/refund/created"
SHIPMENTS = frozenset({"store/shipment/created", "store/shipment/updated"})


class BigCommerce:
    code = "bigcommerce"

    def shop(self, call: Call) -> str:
        """The store's hash."""
        producer = READER.parsed(call.body).get("producer")
        found = PRODUCER.fullmatch(producer) if isinstance(producer, str) else None
        if found is None:
            raise READER.refused("the producer names no store")
        return found[1]

    def verify(self, call: Call, secret: str) -> bool:
        return is_signed(call, secret.encode())

    def read(self, call: Call) -> Message:
        channel = named(self.code, self.shop(call))
        return one(_said(READER.parsed(call.body), channel), call.header(ID)[:LONGEST])


def _said(callback: Json, channel: str) -> What:
    scope, data = text(callback.get("scope")), within(callback, "data")
    if scope in ORDERS:
        return Fetch(channel, READER.identity(data.get("id"), "the order's id"))
    if scope == REFUND:
        return Fetch(channel, READER.identity(data.get("id"), "the order's id"), "refunds")
    if scope in SHIPMENTS:
        return Fetch(channel, READER.identity(data.get("orderId"), "the order's id"), "shipments")
    return Ignored(f"the scope {scope[:60]!r} changes no order")
