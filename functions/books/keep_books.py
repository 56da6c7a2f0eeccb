"""By the clock: what events have touched is audited, what differs is looked at again, a check that
somebody asked for goes on, and a slice of the stock has its turn, so that a day sees all of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from functions.books import desk
from functions.books.auditor import Auditor
from functions.books.checking import Checking
from functions.books.mending import Mender
from oms.adapters.checks_table import ChecksTable, Overtaken
from oms.adapters.event_log import Segment, reader
from oms.adapters.told_events import NOTED, ToldEvents, told_events
from oms.domain.books.tasks import Found, Task
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = (*desk.TABLES, *desk.WORKFLOWS, "EVENT_BUS")

SECONDS = 50.0  # of what the function has; a check that runs may take all of them
QUIET = timedelta(minutes=10)  # since a segment: what it has begun has been finished
AT_ONCE = 50  # orders
TASKS_A_RUN = 50
ITEMS_A_RUN = 200
A_ROUND = timedelta(hours=20)  # of the stock, at the least
AUDITED = "books"  # the reader of what is audited
FOLLOWED, REVIEWED, ROUND = "followed", "reviewed", "round"

Envelopes = list[dict[str, Any]]


class Reader(Protocol):
    def run(
        self, take: Callable[[Segment, Envelopes], None], is_late: Callable[[], bool]
    ) -> int: ...


class Later(Exception):
    """The segment is not done in this run."""


@dataclass
class Keeper:
    checks: ChecksTable
    noter: Reader
    reader: Reader
    told: ToldEvents
    checking: Checking
    mender: Mender
    clock: Callable[[], datetime]
    is_late: Callable[[], bool]

    @property
    def auditor(self) -> Auditor:
        return self.mender.auditor


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    late = time.monotonic() + SECONDS
    checking, mender = desk.checking(), desk.mender()
    keeper = Keeper(
        checking.checks,
        reader(NOTED),
        reader(AUDITED),
        told_events(),
        checking,
        mender,
        desk.now,
        lambda: time.monotonic() > late,
    )
    done = keep(keeper)
    logger().info("books kept", extra=done)
    return {"outcome": "kept", **done}


def keep(keeper: Keeper) -> dict[str, int]:
    """How much of each was done; what there was no time for is done by the next run."""
    return {
        "noted": note(keeper),
        "segments": follow(keeper),
        "reviewed": review(keeper),
        "checks": go_on(keeper),
        "items": go_round(keeper),
    }


def note(keeper: Keeper) -> int:
    """Of all that has come what it is, at once: before anything is judged by it."""

    def take(segment: Segment, envelopes: Envelopes) -> None:
        keeper.told.note_all(seqs_of(envelopes), segment.at)

    return keeper.noter.run(take, keeper.is_late)


def follow(keeper: Keeper) -> int:
    """Audit what the events of old enough segments were about."""
    done = Counter[str]()

    def take(segment: Segment, envelopes: Envelopes) -> None:
        if keeper.clock() - segment.at < QUIET:
            raise Later
        _take(keeper, segment, envelopes)
        done["segments"] += 1

    with suppress(Later):
        keeper.reader.run(take, keeper.is_late)
    return done["segments"]


def _take(keeper: Keeper, segment: Segment, envelopes: Envelopes) -> None:
    """A large one in several runs."""
    told = seqs_of(envelopes)
    subjects = [*sorted(told), *sorted(items_of(envelopes))]
    place = keeper.checks.place(FOLLOWED)
    begun = place["done"] if place.get("segment") == segment.number else 0
    for start in range(begun, len(subjects), AT_ONCE):
        if keeper.is_late():
            keeper.checks.keep_place(FOLLOWED, {"segment": segment.number, "done": start})
            raise Later
        _audit(keeper, subjects[start : start + AT_ONCE], told)


def _audit(keeper: Keeper, subjects: Sequence[str], orders: dict[str, set[int]]) -> None:
    for each in subjects:
        if each in orders:
            report(keeper, keeper.auditor.order(each))
        else:
            audit_item(keeper, each)


def audit_item(keeper: Keeper, sku: str) -> None:
    report(keeper, keeper.auditor.item(keeper.auditor.items.read(sku)))


def report(keeper: Keeper, found: Sequence[Found]) -> None:
    for each in found:
        keeper.mender.tasks.found(each, keeper.clock())


def seqs_of(envelopes: Envelopes) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for each in envelopes:
        if each.get("order_id"):
            found.setdefault(str(each["order_id"]), set()).add(int(each["seq"]))
    return found


def items_of(envelopes: Envelopes) -> set[str]:
    return {str(each["sku"]) for each in envelopes if each.get("sku") and "order_id" not in each}


def review(keeper: Keeper) -> int:
    """Open tasks, some in each run and all in their turn: what is gone closes itself."""
    cursor = keeper.checks.place(REVIEWED).get("cursor")
    page = keeper.mender.tasks.open_page(TASKS_A_RUN, cursor)
    reviewed = 0
    for task in _while_in_time(keeper, page.tasks):
        keeper.mender.recheck(task)
        reviewed += 1
    if page.cursor != cursor:
        keeper.checks.keep_place(REVIEWED, {"cursor": page.cursor})
    return reviewed


def _while_in_time(keeper: Keeper, tasks: Sequence[Task]) -> Iterator[Task]:
    for task in tasks:
        if keeper.is_late():
            return
        yield task


def go_on(keeper: Keeper) -> int:
    """With the check that somebody has asked for."""
    running = keeper.checks.running()
    if running is None:
        return 0
    try:
        keeper.checking.work(running, keeper.is_late)
    except Overtaken:
        return 0
    return 1


def go_round(keeper: Keeper) -> int:
    """A slice of the stock; a round that is done begins again a while after it began."""
    place, now = keeper.checks.place(ROUND), keeper.clock()
    began = datetime.fromisoformat(place["began"]) if place else None
    if began is None or (place["after"] is None and now - began >= A_ROUND):
        place, began = {"after": ""}, now
    if place["after"] is None or keeper.is_late():
        return 0
    after, done = None, 0
    for book in keeper.auditor.items.scan(place["after"] or None):
        report(keeper, keeper.auditor.item(book))
        done += 1
        if done == ITEMS_A_RUN or keeper.is_late():
            after = book.sku
            break
    keeper.checks.keep_place(ROUND, {"after": after, "began": began.isoformat()})
    return done
