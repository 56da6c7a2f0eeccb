"""The queue of everything that was told on the bus, until it is in the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from oms.adapters import aws
from oms.adapters.event_log import UNREADABLE
from oms.settings import setting

MOST = 10  # messages that one request takes, or deletes
LOOKS = 3  # at a queue that seems empty: a look does not reach all of its servers


@dataclass(frozen=True, slots=True)
class Message:
    """`receipt` deletes it."""

    message_id: str
    receipt: str
    body: str

    def envelope(self) -> dict[str, Any]:
        """The event, or what came instead of one, as it is."""
        try:
            detail = json.loads(self.body)["detail"]
        except (LookupError, TypeError, ValueError, RecursionError):
            detail = None
        return detail if is_event(detail) else {UNREADABLE: self.body}


class EventQueue:
    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url

    def receive(self) -> list[Message]:
        """At most ten; none when it is empty."""
        for _ in range(LOOKS):
            answer = self._client.receive_message(QueueUrl=self._url, MaxNumberOfMessages=MOST)
            if found := answer.get("Messages"):
                return [Message(m["MessageId"], m["ReceiptHandle"], m["Body"]) for m in found]
        return []

    def delete(self, messages: Sequence[Message]) -> int:
        """How many are not deleted: they come again, and are told twice."""
        return sum(self._delete(tens) for tens in _tens(messages))

    def _delete(self, messages: Sequence[Message]) -> int:
        entries = [
            {"Id": str(place), "ReceiptHandle": message.receipt}
            for place, message in enumerate(messages)
        ]
        answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return len(answer.get("Failed", ()))


def is_event(detail: Any) -> bool:
    """What every reader relies on."""
    return (
        isinstance(detail, dict)
        and UNREADABLE not in detail
        and all(isinstance(detail.get(name), str) for name in ("id", "type", "at"))
    )


def _tens(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    return (messages[start : start + MOST] for start in range(0, len(messages), MOST))


@cache
def event_queue() -> EventQueue:
    return EventQueue(aws.client("sqs"), setting("EVENT_QUEUE"))
