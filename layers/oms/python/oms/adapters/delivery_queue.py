"""The queue of subscribers that have something to be told, and whom to wake when one is given up.

A message names a subscriber, or a replay of it."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from oms.adapters import aws
from oms.settings import setting

LONGEST_DELAY = 900  # seconds, of a message of SQS


class Errand(NamedTuple):
    """`replay` empty: tell the subscriber what is due."""

    subscriber_id: str
    replay: str = ""


class DeliveryQueue:
    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def nudge(self, subscriber_id: str, after: timedelta = timedelta(), replay: str = "") -> None:
        """Told twice it does no harm; one that is lost is made up for within a minute."""
        seconds = min(max(int(-(-after.total_seconds() // 1)), 0), LONGEST_DELAY)
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=json.dumps(Errand(subscriber_id, replay)._asdict()),
            DelaySeconds=seconds,
        )


class SubscriberFailures:
    """The dead letters of this room: their alarm wakes a person."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def tell(self, subscriber_id: str, why: str) -> None:
        said = {"subscriber_id": subscriber_id, "error": why}
        self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps(said))


def errand_of(body: str) -> Errand:
    said = json.loads(body)
    return Errand(str(said["subscriber_id"]), str(said.get("replay", "")))


@cache
def delivery_queue() -> DeliveryQueue:
    return DeliveryQueue(aws.client("sqs"), setting("DELIVERY_QUEUE"))


@cache
def subscriber_failures() -> SubscriberFailures:
    return SubscriberFailures(aws.client("sqs"), setting("SUBSCRIBER_FAILURES"))
