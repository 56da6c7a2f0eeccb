"""What Adobe Commerce and Magento send: Commerce webhooks and Adobe I/O Events.

Both are signed with a private key of theirs. The secret of a shop is the public half: the one
that Commerce shows beside its webhooks, and for events those that Adobe publishes under the paths
in `x-adobe-public-key1-path`, stored as further secrets: no key is loaded on a sender's word.
Commerce signs the base64 of the body, as its documentation verifies it; some versions the body.

The address that a shop calls names it (`?shop=mugs`). Fields of a webhook are chosen in the shop,
and nothing in it names its event: `?event=` may, else what it holds tells. Neither scheme signs a
time: a message that comes again says nothing that was not said.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

from oms.adapters.channels.base import Cancelled, Ignored, Message, What, named
from oms.adapters.channels.magento_orders import (
    READER,
    fulfilled,
    instant_of,
    refunded,
    said_of,
)
from oms.adapters.channels.shop_fields import LONGEST, Json, first, text, within
from oms.adapters.rsa_signatures import is_signed
from oms.adapters.webhooks import Call

BY_COMMERCE = "x-adobe-commerce-webhook-signature"
BY_EVENTS = ("x-adobe-digital-signature-1", "x-adobe-digital-signature-2")
MEMO, SHIPMENT, CANCEL, ORDER = "credit memo", "shipment", "cancellation", "order"
TOPICS = (
    ("sales_order_creditmemo", MEMO),
    ("creditmemo_repository.save", MEMO),
    ("sales_order_shipment", SHIPMENT),
    ("shipment_repository.save", SHIPMENT),
    ("order_cancel", CANCEL),
    ("order_management.cancel", CANCEL),
    ("sales_order_save", ORDER),
    ("sales_order_place", ORDER),
    ("order_management.place", ORDER),
    ("order_repository.save", ORDER),
)
WRAPPERS = ("event", "data", "value", "order", "creditmemo", "shipment", "result")
SHOP = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}", re.ASCII)
DEEPEST = 6
MOST_EVENTS = 100
CHALLENGE = re.compile(r"[A-Za-z0-9._-]{1,200}", re.ASCII)
GO_ON = {"op": "success"}  # what Commerce waits for, with the buyer, in a webhook


class Magento:
    code = "magento"

    def shop(self, call: Call) -> str:
        shop = text(call.query.get("shop")).lower()
        if shop and not SHOP.fullmatch(shop):
            raise READER.refused("the shop's name is none")
        return shop

    def verify(self, call: Call, secret: str) -> bool:
        if given := call.header(BY_COMMERCE):
            wanted = (base64.b64encode(call.body), call.body)
            return bool(secret) and any(is_signed(each, given, secret) for each in wanted)
        return bool(secret) and any(
            is_signed(call.body, call.header(name), secret) for name in BY_EVENTS
        )

    def shake(self, call: Call, token: str) -> str | None:
        """Adobe wants its own word back, and knows no secret."""
        asked = call.query.get("challenge", "")
        return asked if CHALLENGE.fullmatch(asked) else None

    def answer(self, call: Call) -> Mapping[str, str] | None:
        return GO_ON if call.header(BY_COMMERCE) else None

    def read(self, call: Call) -> Message:
        channel = named(self.code, self.shop(call))
        events = _events(call.body)
        message_id = call.header("x-adobe-event-id")
        if len(events) == 1:
            message_id = first(message_id, events[0].get("event_id"), _cloud_id(events[0]))
        topic = first(call.header("x-adobe-event-code"), call.query.get("event"))
        return Message(
            tuple(what for event in events for what in _said(event, topic, channel)),
            message_id[:LONGEST],
        )


def _events(body: bytes) -> list[Json]:
    """One, or as many as Adobe delivers together."""
    if not body.lstrip().startswith(b"["):
        return [READER.parsed(body)]
    found = READER.objects(READER.parsed(b'{"events":' + body + b"}"), "events")
    if not 0 < len(found) <= MOST_EVENTS:
        raise READER.refused(f"{len(found)} events in one message")
    return found


def _cloud_id(event: Json) -> str:
    return text(event.get("id")) if "specversion" in event else ""


def _said(event: Json, topic: str, channel: str) -> Iterator[What]:
    if "challenge" in event:
        yield Ignored("a challenge: whoever registers the address opens its validationUrl")
        return
    inner = within(event, "event") if isinstance(event.get("event"), dict) else {}
    named_by = first(topic, event.get("type"), inner.get("@type"), inner.get("type"))
    value = _unwrapped(event)
    kind = _kind(named_by, value)
    if kind:
        yield _read_as(kind, value, channel)
    else:
        yield Ignored(f"the event {named_by[:80]!r} changes no order")


def _unwrapped(event: Json) -> Json:
    """The object that the event is about."""
    for _ in range(DEEPEST):
        inside = (event.get(name) for name in WRAPPERS)
        found = next((x for x in inside if isinstance(x, dict)), None)
        if found is None or "entity_id" in event:
            break
        event = found
    return event


def _kind(topic: str, value: Json) -> str:
    """By the event's name, else by what it holds; empty where it is none of our business."""
    if topic:
        return next((kind for words, kind in TOPICS if words in topic), "")
    if "order_id" in value and ("creditmemo_status" in value or "adjustment" in value):
        return MEMO
    if "order_id" in value and ("tracks" in value or "shipment_status" in value):
        return SHIPMENT
    if "entity_id" in value and ("increment_id" in value or "items" in value):
        return ORDER
    raise READER.refused("neither an order, a credit memo nor a shipment")


def _read_as(kind: str, value: Json, channel: str) -> What:
    if kind == MEMO:
        return refunded(value, channel)
    if kind == SHIPMENT:
        return fulfilled(value, channel)
    if kind == CANCEL:
        return _cancelled(value, channel)
    return said_of(value, channel)


def _cancelled(value: Json, channel: str) -> Cancelled:
    """Of the order, or of a call that holds its id."""
    given = next((value[x] for x in ("entity_id", "order_id", "id") if value.get(x)), None)
    at = instant_of(value.get("updated_at"))
    return Cancelled(
        channel, READER.identity(given, "the order's id"), "cancelled in the shop", at=at
    )
