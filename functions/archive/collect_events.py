"""Every minute: what was told on the bus goes into the archive, as the next segments.

The messages of a segment are deleted when it is there. What happens in between comes again, and is
told twice: readers count an event once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

from oms.adapters.event_log import UNREADABLE, Segment, event_log
from oms.adapters.event_queue import Message, event_queue
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = ("EVENT_QUEUE", "FILES_BUCKET", "REPORTS_TABLE")

SECONDS = 40.0  # of the minute that the function has; then it ends what it has begun
MOST_EVENTS = 4_000  # of a segment
MOST_CHARACTERS = 8_000_000  # likewise: a message has up to 256 K of them
THREADS = 8


class Queue(Protocol):
    def receive(self) -> list[Message]: ...
    def delete(self, messages: Sequence[Message]) -> int: ...


class Log(Protocol):
    def append(self, envelopes: Sequence[dict[str, Any]]) -> Segment: ...


@dataclass(slots=True)
class Collected:
    segments: int = 0
    events: int = 0
    unreadable: int = 0
    told_again: int = 0


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    done = collect(event_queue(), event_log(), lambda: time.monotonic() > late)
    counts = {"segments": done.segments, "events": done.events, "unreadable": done.unreadable}
    logger().info("archive", extra={**counts, "told_again": done.told_again})
    return {"outcome": "collected", **counts}


def collect(queue: Queue, log: Log, is_late: Callable[[], bool]) -> Collected:
    """Segment by segment, until nothing is left or the time is over."""
    done = Collected()
    with ThreadPoolExecutor(THREADS) as threads:
        while not is_late() and (messages := drained(queue, threads, is_late)):
            archive(messages, queue, log, done)
    return done


def archive(messages: Sequence[Message], queue: Queue, log: Log, done: Collected) -> None:
    envelopes = [message.envelope() for message in messages]
    strange = [m for m, e in zip(messages, envelopes, strict=True) if UNREADABLE in e]
    for message in strange:
        logger().warning("no event", extra={"message_id": message.message_id})
    log.append(envelopes)
    done.told_again += queue.delete(messages)
    done.segments += 1
    done.events += len(messages) - len(strange)
    done.unreadable += len(strange)


def drained(
    queue: Queue, threads: ThreadPoolExecutor, is_late: Callable[[], bool]
) -> list[Message]:
    """As many as a segment takes. One look first: an idle minute costs no more."""
    found = {message.message_id: message for message in queue.receive()}
    more = bool(found)
    while more and not is_full(found.values()) and not is_late():
        rounds = list(threads.map(lambda _: queue.receive(), range(THREADS)))
        found |= {message.message_id: message for each in rounds for message in each}
        more = any(rounds)
    return list(found.values())


def is_full(messages: Any) -> bool:
    return (
        len(messages) >= MOST_EVENTS
        or sum(len(message.body) for message in messages) >= MOST_CHARACTERS
    )
