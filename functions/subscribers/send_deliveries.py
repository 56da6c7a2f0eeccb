"""Send subscribers what is due: those that a message names, and each minute all that have something
due. One worker at a time sends to a subscriber; a worker that dies after a message was sent and
before that was marked sends it again under its id.

Each minute it is also seen to that events flow into the queue of the subscribers if, and only if,
there are any.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from functions.subscribers.queue_deliveries import channels
from functions.subscribers.replaying import Shelves, run_replay
from functions.subscribers.sending import Books, Round, send_all
from oms.adapters.deliveries import deliveries
from oms.adapters.delivery_queue import (
    LONGEST_DELAY,
    Errand,
    delivery_queue,
    errand_of,
    subscriber_failures,
)
from oms.adapters.event_log import event_log
from oms.adapters.event_tap import event_tap
from oms.adapters.shop_leases import ShopLeases, shop_leases
from oms.adapters.subscriber_secrets import subscriber_secrets
from oms.adapters.subscribers_table import subscribers_table
from oms.adapters.webhook_sender import webhook_sender
from oms.domain.errors import NotFound
from oms.domain.subscribers import ReplayState
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = (
    "CHANNELS_TABLE",
    "ORDERS_TABLE",
    "REPORTS_TABLE",
    "FILES_BUCKET",
    "VAULT_KEY_ID",
    "EVENT_BUS",
    "DELIVERY_QUEUE",
    "SUBSCRIBER_FAILURES",
    "SUBSCRIBER_RULE",
    "SUBSCRIBER_MAPPING",
)

SECONDS = 60.0  # of the two minutes that the function has
LEASE = timedelta(seconds=150)  # longer than any worker lives
SOON = timedelta(seconds=LONGEST_DELAY)


class Queue(Protocol):
    def nudge(self, subscriber_id: str, after: timedelta = ..., replay: str = ...) -> None: ...


class Tap(Protocol):
    def turn(self, *, on: bool) -> bool: ...


@dataclass(frozen=True, slots=True)
class Crew:
    leases: ShopLeases
    queue: Queue
    tap: Tap
    books: Books
    shelves: Shelves


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    crew = crew_for(time.monotonic() + SECONDS)
    if "Records" not in event:
        return {"outcome": look_after_all(crew)}
    errands = dict.fromkeys(errand_of(record["body"]) for record in event["Records"])
    return {"outcome": ", ".join(work(crew, errand) for errand in errands)}


def crew_for(deadline: float) -> Crew:
    def now() -> datetime:
        return datetime.now(UTC)

    def is_late() -> bool:
        return time.monotonic() > deadline

    table, kept = subscribers_table(), deliveries()
    books = Books(
        table,
        kept,
        subscriber_secrets(),
        webhook_sender(),
        subscriber_failures(),
        now,
        random.random,
        is_late,
    )
    shelves = Shelves(event_log(), table, kept, channels(), now, is_late)
    return Crew(shop_leases(), delivery_queue(), event_tap(), books, shelves)


def look_after_all(crew: Crew) -> str:
    known = [each.subscriber for each in crew.books.subscribers.all()]
    on = [each.subscriber_id for each in known if each.enabled]
    moved = turn_tap(crew, on=bool(on))
    nudged = sum([_look_after(crew, each) for each in on])
    return f"{nudged} nudged{', events flow or flow no more' if moved else ''}"


def turn_tap(crew: Crew, *, on: bool) -> bool:
    """Who came while it was being turned off finds it turned on."""
    moved = crew.tap.turn(on=on)
    if on or not moved:
        return moved
    if any(each.subscriber.enabled for each in crew.books.subscribers.all()):
        crew.tap.turn(on=True)
    return moved


def _look_after(crew: Crew, subscriber_id: str) -> int:
    due = crew.books.deliveries.next_due(subscriber_id)
    is_due = due is not None and due <= crew.books.now()
    if is_due:
        crew.queue.nudge(subscriber_id)
    replays = crew.books.subscribers.running(subscriber_id)
    for replay in replays:
        crew.queue.nudge(subscriber_id, replay=replay.replay_id)
    return is_due + len(replays)


def work(crew: Crew, errand: Errand) -> str:
    """What came of it."""
    try:
        return replayed(crew, errand) if errand.replay else tell(crew, errand.subscriber_id)
    except NotFound:
        return "no such subscriber"


def replayed(crew: Crew, errand: Errand) -> str:
    replay, queued = run_replay(crew.shelves, *errand)
    if queued:
        crew.queue.nudge(errand.subscriber_id)
    if replay.state is ReplayState.RUNNING and crew.shelves.is_late():
        crew.queue.nudge(errand.subscriber_id, replay=errand.replay)
    return f"{queued} queued by a replay"


def tell(crew: Crew, subscriber_id: str) -> str:
    """The lease of a worker that fails ends by itself."""
    owner, now = uuid4().hex, crew.books.now()
    if not crew.books.subscribers.get(subscriber_id).subscriber.enabled:
        return "it is not enabled"
    if not crew.leases.take(subscriber_id, owner, now, now + LEASE):
        return "another worker, or a pause"
    went = send_all(crew.books, crew.books.subscribers.get(subscriber_id))
    crew.leases.give_back(subscriber_id, owner, went.paused_until)
    if not went.is_over:
        _come_again(crew, went)
    return f"{went.sent} sent, {went.failed} failed"


def _come_again(crew: Crew, went: Round) -> None:
    """For what became due while others were sent, and found this worker at it; for what has failed
    now, where it is due soon."""
    identity, now = went.subscriber.subscriber_id, crew.books.now()
    waits = crew.books.deliveries.next_due(identity)
    if waits is not None and waits <= now:
        crew.queue.nudge(identity)
    elif went.again_at is not None and went.again_at - now <= SOON:
        crew.queue.nudge(identity, after=went.again_at - now)
