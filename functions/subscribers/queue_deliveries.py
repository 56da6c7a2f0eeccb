"""Events of the bus, many at once: each is queued once for each subscriber that wants it.

What nobody wants is dropped at once. A message that could not be worked comes again; what it had
queued by then is there already.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from functions.subscribers.concerning import Channels, concerned, delivery_of
from oms.adapters.deliveries import Deliveries, deliveries
from oms.adapters.delivery_queue import delivery_queue
from oms.adapters.order_reader import order_reader
from oms.adapters.subscribers_table import SubscribersTable, subscribers_table
from oms.contracts.webhook_messages import kept
from oms.domain.subscribers import Subscriber
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = ("CHANNELS_TABLE", "ORDERS_TABLE", "DELIVERY_QUEUE")


class Queue(Protocol):
    def nudge(self, subscriber_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    subscribers: SubscribersTable
    deliveries: Deliveries
    queue: Queue
    channels: Channels
    clock: Callable[[], datetime]


@cache
def channels() -> Channels:
    return Channels(lambda order_id: order_reader().glance(order_id).channel)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    desk = Desk(
        subscribers_table(),
        deliveries(),
        delivery_queue(),
        channels(),
        lambda: datetime.now(UTC),
    )
    failed = queue_all(event["Records"], desk)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def queue_all(records: Iterable[Mapping[str, Any]], desk: Desk) -> list[str]:
    """The ids of messages that could not be worked. Subscribers are nudged also where all was
    queued before: perhaps nobody was told so."""
    subscribers = [each.subscriber for each in desk.subscribers.all() if each.subscriber.enabled]
    told, failed = set[str](), list[str]()
    for record in records if subscribers else ():
        try:
            told |= queue_event(json.loads(record["body"])["detail"], subscribers, desk)
        except Exception as error:  # noqa: BLE001  (whatever it is, the queue gives it again)
            logger().error("not queued", extra=describe(error))
            failed.append(record["messageId"])
    for subscriber_id in sorted(told):
        desk.queue.nudge(subscriber_id)
    return failed


def queue_event(
    envelope: dict[str, Any], subscribers: Sequence[Subscriber], desk: Desk
) -> set[str]:
    """Whose they are, new or not."""
    wanting = concerned(subscribers, envelope, desk.channels)
    for each in wanting:
        delivery = delivery_of(each.subscriber_id, envelope, desk.clock())
        desk.deliveries.put(delivery, kept(envelope))
    return {each.subscriber_id for each in wanting}
