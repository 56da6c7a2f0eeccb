"""Etsy's webhooks, and its receipts where one is handed over whole.

An event holds the address of a receipt, which is asked for. Signed by the rules of Standard
Webhooks with a secret of the form `whsec_` and base64.
"""

from __future__ import annotations

import re

from oms.adapters.channels.base import Cancelled, Fetch, Ignored, Message, What, named, one
from oms.adapters.channels.etsy_receipts import READER, said_of
from oms.adapters.channels.reading import shop_name
from oms.adapters.channels.shop_fields import Json, text
from oms.adapters.channels.standard_webhooks import ID, is_signed, key_of
from oms.adapters.webhooks import Call

RECEIPT = re.compile(r"/receipts/([0-9]{1,20})(?:[/?#]|$)", re.ASCII)
CANCELLED = "order.canceled"


class Etsy:
    code = "etsy"

    def shop(self, call: Call) -> str:
        """The shop's number, of the address that was called or of the event."""
        asked = shop_name(call.query.get("shop"))
        return asked or shop_name(READER.peeked(call.body).get("shop_id"))

    def verify(self, call: Call, secret: str) -> bool:
        return is_signed(call, key_of(secret))

    def read(self, call: Call) -> Message:
        body = READER.parsed(call.body)
        channel = named(self.code, self.shop(call))
        if kind := text(body.get("event_type")):
            return one(_told(body, kind, channel), text(call.header(ID)))
        return Message(said_of(body, channel))


def _told(event: Json, kind: str, channel: str) -> What:
    found = RECEIPT.search(text(event.get("resource_url")))
    if not kind.startswith("order.") or found is None:
        return Ignored(f"the event {kind[:60]!r} is about no order")
    if kind == CANCELLED:
        return Cancelled(channel, found[1], "cancelled on Etsy")
    return Fetch(channel, found[1])
