"""Which subscribers an event is for, and how one is queued for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oms.domain.subscribers import Delivery, Subscriber

Envelope = Mapping[str, Any]

MOST_REMEMBERED = 5_000


@dataclass(slots=True)
class Channels:
    """The channels of orders: one never changes."""

    ask: Callable[[str], str]
    known: dict[str, str] = field(default_factory=dict)

    def of(self, envelope: Envelope) -> str:
        """Empty for an event of no order."""
        order_id = str(envelope.get("order_id", ""))
        if not order_id:
            return ""
        if order_id not in self.known:
            if len(self.known) >= MOST_REMEMBERED:
                self.known.clear()
            self.known[order_id] = self.ask(order_id)
        return self.known[order_id]


def is_for(subscriber: Subscriber, envelope: Envelope, channels: Channels) -> bool:
    """Whenever it happened. The channel of an order is asked for only where it matters."""
    if not subscriber.wants(envelope["type"]):
        return False
    return not subscriber.channels or channels.of(envelope) in subscriber.channels


def concerned(
    subscribers: Iterable[Subscriber], envelope: Envelope, channels: Channels
) -> list[Subscriber]:
    """Those that are on, and were when it happened."""
    at = happened_at(envelope)
    on = (each for each in subscribers if each.enabled and at >= each.since)
    return [each for each in on if is_for(each, envelope, channels)]


def delivery_of(
    subscriber_id: str, envelope: Envelope, now: datetime, replay: str = ""
) -> Delivery:
    return Delivery(
        subscriber_id=subscriber_id,
        event_id=envelope["id"],
        type=envelope["type"],
        at=happened_at(envelope),
        since=now,
        due_at=now,
        replay=replay,
        order_id=str(envelope.get("order_id", "")),
    )


def happened_at(envelope: Envelope) -> datetime:
    return datetime.fromisoformat(envelope["at"])
