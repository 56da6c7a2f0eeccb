"""Open work of a location that cannot do it any more, taken back so that it is routed elsewhere.

A long job: it goes through what is open there page by page, and whatever it does is conditional on
nobody having begun to pick. It looks at the location as it is when it is looked at: asked for in
vain, or twice, it takes back what must be and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from oms.adapters.agenda import Agenda
from oms.adapters.capacity_slots import CapacitySlots
from oms.adapters.job_queue import Task
from oms.adapters.jobs_table import JobsTable, Step
from oms.adapters.network_table import NetworkTable
from oms.adapters.orders_table import Beside, OrdersTable
from oms.adapters.routing.knowledge import KNOWN_FOR
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.errors import OmsError
from oms.domain.fulfillment import FulfillmentOrder
from oms.domain.ids import order_of_fulfillment
from oms.domain.inventory import UnknownLocation
from oms.domain.jobs import UNFINISHED, Job, JobFailed, Slice, SlicePlan, job_id_of
from oms.domain.locations import Location
from oms.domain.rerouting import (
    CAPACITY_CUT,
    Booked,
    TakenBack,
    beyond,
    booked,
    given_up,
    is_not_begun,
    may_be_out,
)
from oms.domain.routing.rules import RuleSet
from oms.observability import describe, logger

KIND = "reroute_work"
ACTOR = "system"
A_PAGE = 50  # fulfillment orders that a step looks at, or takes back
THREADS = 4  # their units go back to the same few levels
BELIEVED = timedelta(seconds=KNOWN_FOR + 30)  # for which a router may not know of a change


class RuleSets(Protocol):
    def rule_set_for(self, order_id: str) -> RuleSet: ...


class Queue(Protocol):
    def send(self, tasks: list[Task]) -> None: ...


@dataclass(frozen=True, slots=True)
class TakingBack:
    orders: OrdersTable
    agenda: Agenda
    rules: RuleSets

    def take_back(self, each: TakenBack, at: datetime) -> bool:
        """False when somebody has begun with it, or it is gone."""
        order_id = order_of_fulfillment(each.fulfillment_order_id)
        until = each.until or at + self.excluded_for(order_id)
        command = c.TakeBackFulfillmentOrder(each.fulfillment_order_id, each.reason, until)
        asked_again = self.agenda.writes(DueKind.END_EXCLUSION, order_id, until)
        beside = Beside(writes=tuple(asked_again) if until > at else ())
        try:
            self.orders.change(order_id, command, at=at, actor=ACTOR, beside=beside)
        except OmsError as refused:
            extra = {"fulfillment_order_id": each.fulfillment_order_id, **describe(refused)}
            logger().info("not taken back", extra=extra)
            return False
        return True

    def excluded_for(self, order_id: str) -> timedelta:
        """An hour at least: it would be asked for the same again at once."""
        return timedelta(hours=max(1, self.rules.rule_set_for(order_id).exclusion_hours))


class Rerouting:
    """As a kind of job. `refused` of its progress are those that somebody began with meanwhile."""

    def __init__(
        self,
        orders: OrdersTable,
        network: NetworkTable,
        capacity: CapacitySlots,
        taking_back: TakingBack,
        at: datetime,
    ) -> None:
        self._orders, self._network, self._capacity = orders, network, capacity
        self._taking_back, self._at = taking_back, at

    def slices(self, job: Job) -> Sequence[SlicePlan]:  # noqa: ARG002
        return [SlicePlan({})]

    def work(self, job: Job, part: Slice) -> Iterator[Step]:
        location = self._location(job.params["location_id"])
        cursor: dict[str, Any] = part.cursor or {"start": None, "looked": False, "taking": []}
        if not cursor["looked"] and may_be_out(location, self._at):
            yield from self._give_up(location, cursor["start"])
        if location.daily_capacity is not None:
            yield from self._cut(location, location.daily_capacity, cursor["taking"])

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:  # noqa: ARG002
        return {}

    def _location(self, location_id: str) -> Location:
        try:
            return self._network.location(location_id)
        except UnknownLocation as unknown:
            raise JobFailed(str(unknown)) from None

    def _give_up(self, location: Location, start: Any) -> Iterator[Step]:
        while True:
            found, after = self._page(location.location_id, start)
            gone = [given_up(location, each, self._at) for each in found]
            taken = self._take([each for each in gone if each is not None])
            start, ended = after, after is None
            cursor: dict[str, Any] = {"start": start, "looked": ended, "taking": []}
            looked_at = sum(each is not None for each in gone)
            yield Step(cursor=cursor, done=looked_at, refused=looked_at - taken)
            if ended:
                return

    def _cut(self, location: Location, limit: int, taking: list[str]) -> Iterator[Step]:
        """What is to be taken back is committed before it is: whoever goes on, or does it too,
        takes back the same. What was begun meanwhile is looked at once more, and then left."""
        left: set[str] = set()
        while True:
            if not taking:
                taking = [x for x in self._beyond(location, limit) if x not in left][:A_PAGE]
                if not taking:
                    return
                yield Step(cursor={"start": None, "looked": True, "taking": taking})
            taken = self._take([TakenBack(each, CAPACITY_CUT, self._at) for each in taking])
            left.update(taking)
            cursor: dict[str, Any] = {"start": None, "looked": True, "taking": []}
            yield Step(cursor=cursor, done=len(taking), refused=len(taking) - taken)
            taking = []

    def _beyond(self, location: Location, limit: int) -> list[str]:
        today = self._at.astimezone(ZoneInfo(location.calendar.time_zone)).date()
        work = [each for each in self._booked(location.location_id) if each.day >= today]
        days = sorted({each.day for each in work})
        used = self._capacity.used([location.location_id], days)
        by_day = {day: units for (_, day), units in used.items()}
        return [each.fulfillment_order_id for each in beyond(limit, by_day, work, self._at)]

    def _booked(self, location_id: str) -> Iterator[Booked]:
        """Of all that is open there, newest first."""
        start: Any = None
        while True:
            found, start = self._page(location_id, start)
            yield from booked(found)
            if start is None:
                return

    def _page(self, location_id: str, start: Any) -> tuple[list[FulfillmentOrder], Any]:
        """Some of what nobody has begun, and where to go on."""
        page = self._orders.by_location(location_id, in_warehouse=True, start=start, limit=A_PAGE)
        wanted = [(pk.removeprefix("ORDER#"), sk.removeprefix("FO#")) for pk, sk in page.keys]
        orders = self._orders.many(order_id for order_id, _ in wanted)
        found = (
            orders[order_id].fulfillment_order(identity)
            for order_id, identity in wanted
            if order_id in orders
        )
        return [each for each in found if is_not_begun(each, location_id)], page.start

    def _take(self, gone: Sequence[TakenBack]) -> int:
        """How many were taken back."""
        with ThreadPoolExecutor(THREADS) as threads:
            return sum(threads.map(lambda x: self._taking_back.take_back(x, self._at), gone))


def ask_for_rerouting(
    jobs: JobsTable, queue: Queue, location_id: str, cause: str, at: datetime
) -> Job:
    """One cause asks for one job, however often it is told."""
    params = {"location_id": location_id}
    job_id = job_id_of(KIND, location_id, cause)
    job = jobs.add(Job(job_id, KIND, params, ACTOR, at, started_at=at))
    if job.status in UNFINISHED:
        queue.send([Task(job.job_id)])
    return job
