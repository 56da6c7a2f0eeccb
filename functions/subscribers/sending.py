"""Send one subscriber what is due, the longest due first, for as long as it takes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from oms.adapters.deliveries import Deliveries, Queued
from oms.adapters.subscribers_table import Known, SubscribersTable
from oms.adapters.webhook_sender import Outcome
from oms.contracts.webhook_messages import message
from oms.domain.subscribers import DeliveryState, Health, Subscriber, Verdict, next_try, verdict

TAKEN_OFF = "it answered 410: it wants no more messages"
HOPELESS = "it has failed for days"
NEVER_TAKEN = "it has not taken a message for three days"


class Sender(Protocol):
    def send(
        self, url: str, message_id: str, body: bytes, secrets: Sequence[str], at: datetime
    ) -> Outcome: ...


class Secrets(Protocol):
    def valid(self, subscriber_id: str, now: datetime) -> tuple[str, ...]: ...


class Failures(Protocol):
    def tell(self, subscriber_id: str, why: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Books:
    """`jitter` is between 0 and 1; `is_late`: there is no time for another message."""

    subscribers: SubscribersTable
    deliveries: Deliveries
    secrets: Secrets
    sender: Sender
    failures: Failures
    now: Callable[[], datetime]
    jitter: Callable[[], float]
    is_late: Callable[[], bool]


@dataclass(slots=True)
class Round:
    """What came of it. `paused_until`: when the subscriber is asked the next time; `again_at`: when
    something that failed now is due, the first of it."""

    subscriber: Subscriber
    health: Health
    sent: int = 0
    failed: int = 0
    died: int = 0
    is_over: bool = False
    paused_until: datetime | None = None
    again_at: datetime | None = None

    def note_again(self, due_at: datetime) -> None:
        self.again_at = min(due_at, self.again_at or due_at)

    def pause(self, until: datetime) -> None:
        self.paused_until, self.is_over = until, True


def send_all(books: Books, known: Known) -> Round:
    """While its messages fail in a row, one of them asks whether the subscriber is back."""
    went = Round(known.subscriber, known.health)
    for queued in books.deliveries.due(known.subscriber.subscriber_id, books.now()):
        if went.is_over or books.is_late():
            break
        _send(books, went, queued)
    if went.died:
        books.failures.tell(known.subscriber.subscriber_id, NEVER_TAKEN)
    return went


def _send(books: Books, went: Round, queued: Queued) -> None:
    """The secrets are read for every message: a new one is signed with from the next on."""
    subscriber, delivery, at = went.subscriber, queued.delivery, books.now()
    outcome = books.sender.send(
        subscriber.url,
        delivery.message_id,
        message(json.loads(queued.envelope), delivery.replay),
        books.secrets.valid(subscriber.subscriber_id, at),
        at,
    )
    if verdict(outcome.attempt.status) is Verdict.ACCEPTED:
        _accepted(books, went, queued, outcome)
    else:
        _failed(books, went, queued, outcome)


def _accepted(books: Books, went: Round, queued: Queued, outcome: Outcome) -> None:
    books.deliveries.mark(queued, queued.delivery.delivered(outcome.attempt))
    went.sent += 1
    if went.health.failures:
        went.health = Health()
        books.subscribers.feel(went.subscriber.subscriber_id, went.health)


def _failed(books: Books, went: Round, queued: Queued, outcome: Outcome) -> None:
    now = books.now()
    due_at = next_try(queued.delivery, now, books.jitter(), outcome.wished)
    changed = queued.delivery.failed(outcome.attempt, due_at)
    books.deliveries.mark(queued, changed)
    went.failed += 1
    went.died += changed.state is DeliveryState.DEAD
    if due_at:
        went.note_again(due_at)
    went.health = went.health.failed(now)
    books.subscribers.feel(went.subscriber.subscriber_id, went.health)
    _rest(books, went, outcome, now)


def _rest(books: Books, went: Round, outcome: Outcome, now: datetime) -> None:
    """Whether it is asked no more, later, or with its next message."""
    said = verdict(outcome.attempt.status)
    if said is Verdict.GONE or went.health.is_hopeless(now):
        went.is_over = True
        _give_up(books, went, TAKEN_OFF if said is Verdict.GONE else HOPELESS)
        return
    wished = outcome.wished if said is Verdict.BUSY else timedelta()
    if rest := max(went.health.rest, wished):
        went.pause(now + rest)


def _give_up(books: Books, went: Round, why: str) -> None:
    """What waits is kept, and sent when somebody has enabled it again."""
    identity = went.subscriber.subscriber_id
    if books.subscribers.disable(identity, why):
        books.failures.tell(identity, why)
