"""Other systems that are told of events: what they want, when they are tried again, and when not.

A message to a subscriber is named after the event and the subscriber, however often it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from oms.domain.ids import name_of

TRIED_FOR = timedelta(days=3)
PAUSES = (  # after each failed try of a message
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
OPEN_AFTER = 5  # failures in a row: from then on one message asks whether the subscriber is back
FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=5)  # of failures alone: then nobody is asked any more
LONGEST_WISH = timedelta(hours=1)  # that a subscriber may ask us to wait
KEEP = timedelta(days=30)  # of a delivery in the log
MOST_ATTEMPTS = 12  # that a delivery remembers
MOST_SECRETS = 4  # that are valid at once
TEST = "SubscriberTest"  # the type of a message that tells of nothing
GONE = 410
BUSY = (429, 503)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Without `types` it wants all that are published; with `channels`, events of the orders of
    these alone. Events before `since` are not for it. `why_disabled`: where nobody has asked for
    it to be."""

    subscriber_id: str
    url: str
    created_at: datetime
    since: datetime
    types: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    description: str = ""
    enabled: bool = True
    why_disabled: str = ""

    def wants(self, type_name: str) -> bool:
        return not self.types or type_name in self.types


@dataclass(frozen=True, slots=True)
class Health:
    """`failures` in a row, and since when."""

    failures: int = 0
    failing_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.failures >= OPEN_AFTER

    def failed(self, at: datetime) -> Health:
        return Health(self.failures + 1, self.failing_since or at)

    @property
    def rest(self) -> timedelta:
        """How long nothing is sent; none while its messages fail now and then."""
        if not self.is_open:
            return timedelta()
        return min(FIRST_REST * (1 << min(self.failures - OPEN_AFTER, 12)), LONGEST_REST)

    def is_hopeless(self, now: datetime) -> bool:
        since = self.failing_since
        return self.is_open and since is not None and now - since >= GIVEN_UP_AFTER


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`status` 0: there was no answer. `error` is a word or two of ours; `excerpt` is of the
    answer."""

    at: datetime
    status: int = 0
    milliseconds: int = 0
    error: str = ""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`at`: when the event happened. `since`: when it was queued, or asked for again; tries count
    from then. `replay` names the one that it was last sent by."""

    subscriber_id: str
    event_id: str
    type: str
    at: datetime
    since: datetime
    due_at: datetime
    state: DeliveryState = DeliveryState.WAITING
    tries: int = 0
    replay: str = ""
    order_id: str = ""
    finished_at: datetime | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def delivery_id(self) -> str:
        """They sort as their events happened; the same event is the same delivery."""
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{name_of('delivery', self.event_id)}"

    @property
    def message_id(self) -> str:
        return f"msg_{name_of('message to', self.subscriber_id, self.event_id)}"

    def is_due(self, now: datetime) -> bool:
        return self.state is DeliveryState.WAITING and self.due_at <= now

    def delivered(self, attempt: Attempt) -> Delivery:
        done = replace(self, state=DeliveryState.DELIVERED, finished_at=attempt.at)
        return done._after(attempt)

    def failed(self, attempt: Attempt, due_at: datetime | None) -> Delivery:
        """Without another moment it is not tried again."""
        if due_at is not None:
            return replace(self, due_at=due_at)._after(attempt)
        return replace(self, state=DeliveryState.DEAD, finished_at=attempt.at)._after(attempt)

    def again(self, now: datetime, replay_id: str = "") -> Delivery:
        """As if for the first time, under the same name."""
        waiting = replace(self, state=DeliveryState.WAITING, finished_at=None, tries=0)
        return replace(waiting, since=now, due_at=now, replay=replay_id or self.replay)

    def _after(self, attempt: Attempt) -> Delivery:
        attempts = (*self.attempts, attempt)[-MOST_ATTEMPTS:]
        return replace(self, tries=self.tries + 1, attempts=attempts)


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    BUSY = "busy"
    GONE = "gone"
    REFUSED = "refused"


def verdict(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.ACCEPTED
    if status in BUSY:
        return Verdict.BUSY
    return Verdict.GONE if status == GONE else Verdict.REFUSED


def next_try(
    delivery: Delivery, now: datetime, jitter: float, wished: timedelta = timedelta()
) -> datetime | None:
    """After another failure; None, when it was tried for long enough. The last try is at the end
    of the three days. `jitter` is between 0 and 1; `wished` by the subscriber."""
    end = delivery.since + TRIED_FOR
    if now >= end or delivery.tries >= len(PAUSES):
        return None
    pause = PAUSES[delivery.tries] * (0.9 + jitter / 5)
    return min(now + max(pause, wished), end)


class ReplayState(StrEnum):
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Replay:
    """Events that happened from `start` on and before `end`, told once more. `segment`: of the
    archive, the last that was looked at; `queued`: how many are told."""

    subscriber_id: str
    replay_id: str
    start: datetime
    end: datetime
    asked_at: datetime
    actor: str
    types: tuple[str, ...] = ()
    state: ReplayState = ReplayState.RUNNING
    segment: int = 0
    queued: int = 0
    finished_at: datetime | None = None

    def covers(self, type_name: str, at: datetime) -> bool:
        return self.start <= at < self.end and (not self.types or type_name in self.types)
