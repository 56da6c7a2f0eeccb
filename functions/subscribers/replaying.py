"""Events of a period once more, out of the archive: from its segments in order, resumable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from functions.subscribers.concerning import Channels, Envelope, delivery_of, happened_at, is_for
from oms.adapters.deliveries import Deliveries
from oms.adapters.event_log import Segment
from oms.adapters.subscribers_table import SubscribersTable
from oms.contracts.webhook_messages import kept
from oms.domain.subscribers import DeliveryState, Replay, ReplayState, Subscriber

CLOCKS_DIFFER = timedelta(minutes=5)
ARCHIVED_WITHIN = timedelta(minutes=10)  # as a rule
ARCHIVED_AT_LAST = timedelta(hours=6)  # where the bus had to try again and again


class Archive(Protocol):
    def last(self) -> int: ...
    def after(self, number: int, limit: int = ...) -> list[Segment]: ...
    def read(self, segment: Segment) -> list[dict[str, Any]]: ...


@dataclass(frozen=True, slots=True)
class Shelves:
    archive: Archive
    subscribers: SubscribersTable
    deliveries: Deliveries
    channels: Channels
    now: Callable[[], datetime]
    is_late: Callable[[], bool]


def run_replay(shelves: Shelves, subscriber_id: str, replay_id: str) -> tuple[Replay, int]:
    """As it is now, and how many it queued this time. Several workers at once queue nothing
    twice; the one that another was faster than stops."""
    known = shelves.subscribers.get(subscriber_id).subscriber
    going, rev = shelves.subscribers.replay(subscriber_id, replay_id)
    before = going.queued
    if not going.segment:
        going = replace(going, segment=first_segment(shelves.archive, going.start))
    while going.state is ReplayState.RUNNING and not shelves.is_late():
        step = _step(shelves, known, going)
        if step == going:
            break  # the archive has nothing more yet
        if not shelves.subscribers.move_replay(step, rev):
            break
        going, rev = step, rev + 1
    return going, going.queued - before


def _step(shelves: Shelves, subscriber: Subscriber, going: Replay) -> Replay:
    """With the next segment, or over."""
    found = shelves.archive.after(going.segment, 1)
    if not found:
        is_over = shelves.now() >= going.end + ARCHIVED_WITHIN
        return _done(going, shelves.now()) if is_over else going
    if found[0].at > going.end + ARCHIVED_AT_LAST:
        return _done(going, shelves.now())
    wanted = (each for each in shelves.archive.read(found[0]) if _covers(going, each))
    mine = (each for each in wanted if is_for(subscriber, each, shelves.channels))
    queued = sum([_queue(shelves, going, each) for each in mine])
    return replace(going, segment=found[0].number, queued=going.queued + queued)


def _covers(going: Replay, envelope: Envelope) -> bool:
    return going.covers(envelope["type"], happened_at(envelope))


def _queue(shelves: Shelves, going: Replay, envelope: Envelope) -> bool:
    """Unless it waits, or this replay has queued it before."""
    now = shelves.now()
    new = delivery_of(going.subscriber_id, envelope, now, going.replay_id)
    found = shelves.deliveries.put(new, kept(envelope))
    if found is None:
        return True
    was = found.delivery
    if was.state is DeliveryState.WAITING or was.replay == going.replay_id:
        return False
    return shelves.deliveries.mark(found, was.again(now, going.replay_id))


def _done(going: Replay, now: datetime) -> Replay:
    return replace(going, state=ReplayState.DONE, finished_at=now)


def first_segment(archive: Archive, start: datetime) -> int:
    """The number of the last segment that was written before; 0 where there is none. Segments are
    numbered as they were written, so it is looked for by halves."""
    low, high = 0, archive.last()
    while low < high:
        middle = (low + high + 1) // 2
        found = archive.after(middle - 1, 1)
        if found and found[0].at < start - CLOCKS_DIFFER:
            low = middle
        else:
            high = middle - 1
    return low
