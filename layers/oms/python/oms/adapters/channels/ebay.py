"""eBay's notifications, and its orders where one is handed over whole.

A notification about an order holds its id. Before it sends any, eBay asks the address, by GET, for
a digest of its challenge, of the token that whoever subscribed has chosen, and of the address.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from urllib.parse import urlencode

from oms.adapters.channels.base import Fetch, Ignored, Message, What, named, one
from oms.adapters.channels.ebay_keys import is_signed
from oms.adapters.channels.ebay_orders import READER, said_of
from oms.adapters.channels.reading import shop_name
from oms.adapters.channels.shop_fields import Json, text
from oms.adapters.webhooks import Call

SIGNATURE = "x-ebay-signature"
ACCOUNT_DELETION = "MARKETPLACE_ACCOUNT_DELETION"
ASKED = "challenge_code"
CHALLENGE = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)


class Ebay:
    code = "ebay"

    def shop(self, call: Call) -> str:
        """Of the address that was called: notifications name no seller."""
        return shop_name(call.query.get("shop"))

    def verify(self, call: Call, secret: str) -> bool:
        return bool(secret) and is_signed(call.header(SIGNATURE), call.body, secret)

    def shake(self, call: Call, token: str) -> Mapping[str, str] | None:
        asked = call.query.get(ASKED, "")
        if not token or not CHALLENGE.fullmatch(asked):
            return None
        return {"challengeResponse": response_to(asked, token, _address(call))}

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


def response_to(challenge: str, token: str, address: str) -> str:
    return hashlib.sha256((challenge + token + address).encode()).hexdigest()


def _address(call: Call) -> str:
    """As it is subscribed: with what names the shop, and without what eBay has added."""
    rest = urlencode([(name, value) for name, value in call.query.items() if name != ASKED])
    return f"{call.url}?{rest}" if rest else call.url


def _told(notification: Json, topic: str, channel: str) -> What:
    if topic == ACCOUNT_DELETION:
        return Ignored("a person left eBay: what is kept of a buyer is erased on request")
    data = READER.within(notification, "data")
    order_id = data.get("orderId") or READER.within(data, "order").get("orderId")
    if not order_id:
        return Ignored(f"the notification {topic[:60]!r} is about no order")
    return Fetch(channel, READER.identity(order_id, "the order's id"))
