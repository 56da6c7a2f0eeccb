"""eBay's notifications, and its orders where one is handed over whole.

A notification about an order holds its id. eBay asks a new address for an answer to its challenge
by GET: that is the work of whoever subscribes, and none of this.
"""

from __future__ import annotations

from oms.adapters.channels.base import Fetch, Ignored, Message, What, named, one
from oms.adapters.channels.ebay_keys import is_signed
from oms.adapters.channels.ebay_orders import READER, said_of
from oms.adapters.channels.reading import shop_name
from oms.adapters.channels.shop_fields import Json, text
from oms.adapters.webhooks import Call

SIGNATURE = "x-ebay-signature"
ACCOUNT_DELETION = "MARKETPLACE_ACCOUNT_DELETION"


class Ebay:
    code = "ebay"

    def shop(self, call: Call) -> str:
        """Of the address that was called: notifications name no seller."""
        return shop_name(call.query.get("shop"))

    def verify(self, call: Call, secret: str) -> bool:
        return bool(secret) and is_signed(call.header(SIGNATURE), call.body, secret)

    def read(self, call: Call) -> Message:
        body = READER.parsed(call.body)
        channel = named(self.code, self.shop(call))
        if "metadata" in body or "notification" in body:
            notification = READER.within(body, "notification")
            topic = text(READER.within(body, "metadata").get("topic"))
            return one(
                _told(notification, topic, channel), text(notification.get("notificationId"))
            )
        return Message(said_of(body, channel))


def _told(notification: Json, topic: str, channel: str) -> What:
    if topic == ACCOUNT_DELETION:
        return Ignored("a person left eBay: what is kept of a buyer is erased on request")
    data = READER.within(notification, "data")
    order_id = data.get("orderId") or READER.within(data, "order").get("orderId")
    if not order_id:
        return Ignored(f"the notification {topic[:60]!r} is about no order")
    return Fetch(channel, READER.identity(order_id, "the order's id"))
