"""What was told on the bus is in the archive, at least once, whatever becomes of its messages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.archive import collect_events
from functions.archive.collect_events import collect
from oms.adapters.event_queue import EventQueue, Message
from tests.functions.world import Crash, Mortal
from tests.projecting import NEVER, Reports
from tests.report_rows import ReportRows


@dataclass
class Queue:
    """`hidden`: received, and neither deleted nor given up yet."""

    waiting: list[Message] = field(default_factory=list)
    hidden: list[Message] = field(default_factory=list)

    def receive(self) -> list[Message]:
        found, self.waiting = self.waiting[:10], self.waiting[10:]
        self.hidden += found
        return found

    def delete(self, messages: Sequence[Message]) -> int:
        gone = {message.message_id for message in messages}
        self.hidden = [message for message in self.hidden if message.message_id not in gone]
        return 0

    def time_passes(self) -> None:
        """What was not deleted can be received again."""
        self.waiting, self.hidden = [*self.hidden, *self.waiting], []


def message(number: int, **changes: Any) -> Message:
    detail = {"id": f"ord#{number}", "type": "OrderPlaced", "at": "2026-03-02T09:30:00+00:00"}
    body = json.dumps({"detail-type": "OrderPlaced", "detail": {**detail, **changes}})
    return Message(f"m{number}", f"r{number}", body)


def archived(reports: Reports) -> list[list[str]]:
    """The ids of the events of each segment."""
    return [[e["id"] for e in reports.log.read(s)] for s in reports.log.after(0, 100)]


def test_what_waits_becomes_a_segment_and_waits_no_longer() -> None:
    queue, reports = Queue([message(n) for n in range(25)]), Reports()

    done = collect(queue, reports.log, NEVER)

    (segment,) = archived(reports)
    assert sorted(segment) == sorted(f"ord#{n}" for n in range(25))
    assert (done.segments, done.events, queue.waiting, queue.hidden) == (1, 25, [], [])


def test_an_idle_minute_writes_nothing() -> None:
    reports = Reports()

    assert collect(Queue(), reports.log, NEVER).segments == 0
    assert reports.rows.calls["write"] == 0


def test_a_flood_becomes_segments_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect_events, "MOST_EVENTS", 50)
    queue, reports = Queue([message(n) for n in range(400)]), Reports()

    collect(queue, reports.log, NEVER)

    sizes = [len(segment) for segment in archived(reports)]
    assert sum(sizes) == 400
    assert len(sizes) > 2
    assert max(sizes) < 50 + 10 * collect_events.THREADS + 10


def test_who_is_late_leaves_the_rest_to_the_next_minute() -> None:
    queue, reports = Queue([message(n) for n in range(400)]), Reports()
    looks = iter([False, False, True, True])

    done = collect(queue, reports.log, lambda: next(looks, True))

    assert 0 < done.events < 400
    assert len(queue.waiting) == 400 - done.events
    assert queue.hidden == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dies_at", range(1, 5))
def test_a_worker_that_dies_loses_nothing(dies_at: int, after: bool) -> None:
    queue, reports = Queue([message(n) for n in range(3)]), Reports(ReportRows())
    mortal: Any = Mortal(reports.rows, dies_at, after)
    with suppress(Crash):
        collect(queue, reports.with_rows(mortal).log, NEVER)

    queue.time_passes()
    collect(queue, reports.log, NEVER)

    told = {event for segment in archived(reports) for event in segment}
    assert told == {"ord#0", "ord#1", "ord#2"}
    assert queue.waiting == queue.hidden == []
    numbers = [segment.number for segment in reports.log.after(0, 100)]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize(
    "body",
    [
        "no JSON",
        "[]",
        "{}",
        '{"detail": 5}',
        '{"detail": {"type": "OrderPlaced", "id": "x"}}',
        '{"detail": {"type": ["OrderPlaced"], "id": "x", "at": "?"}}',
        '{"detail": {"unreadable": "x", "type": "t", "id": "x", "at": "?"}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_event_is_kept_as_it_is_and_keeps_no_other_waiting(body: str) -> None:
    queue, reports = Queue([Message("m", "r", body), message(1)]), Reports()

    done = collect(queue, reports.log, NEVER)

    (segment,) = reports.log.after(0)
    assert reports.log.unreadable(segment) == [body]
    assert archived(reports) == [["ord#1"]]
    assert (done.events, done.unreadable, segment.count) == (1, 1, 1)
    assert queue.waiting == queue.hidden == []


def test_whatever_letters_an_event_has_are_kept() -> None:
    name = "Zoë \ud83d \U0001f381 \u2028"
    reports = Reports()

    collect(Queue([message(1, data={"name": name})]), reports.log, NEVER)

    (segment,) = reports.log.after(0)
    assert reports.log.read(segment)[0]["data"] == {"name": name}


class Sqs:
    """Every third look at it finds nothing, as one at some of its servers may."""

    def __init__(self) -> None:
        self.looks = 0
        self.deleted: list[int] = []

    def receive_message(self, **asked: Any) -> dict[str, Any]:
        self.looks += 1
        assert asked["MaxNumberOfMessages"] == 10
        found = {"MessageId": "m", "ReceiptHandle": "r", "Body": "b"}
        return {} if self.looks % 3 else {"Messages": [found]}

    def delete_message_batch(self, **asked: Any) -> dict[str, Any]:
        self.deleted.append(len(asked["Entries"]))
        return {"Failed": [{"Id": "0"}]}


def test_a_queue_that_seems_empty_is_looked_at_again() -> None:
    sqs = Sqs()

    assert [each.message_id for each in EventQueue(sqs, "url").receive()] == ["m"]
    assert EventQueue(sqs, "url").delete([message(n) for n in range(23)]) == 3
    assert sqs.deleted == [10, 10, 3]
