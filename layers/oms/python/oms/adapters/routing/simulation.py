"""Past decisions, made again by another rule set from what was known then, day by day.

A kind of job: a slice is a few days, a step a page of the orders that were placed on one of them.
Of each order the first decision that gave somebody work is compared; what came after it
(rejections, remainders) would not have been the same. The figures add up in the slice's cursor, so
that a step which is done twice counts once, and what is there so far can be seen meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any, Protocol

import msgspec

from oms.adapters.jobs_table import MAX_SLICES, Step
from oms.adapters.order_reader import KeyPage
from oms.adapters.routing.sourcing import BUDGET
from oms.contracts import codec
from oms.domain.errors import NotFound
from oms.domain.events import OrderRouted, OrderRoutingPlanned
from oms.domain.jobs import Job, JobFailed, Slice, SlicePlan
from oms.domain.order import Fact, Order
from oms.domain.routing.kept import KeptDecision
from oms.domain.routing.rules import RuleSet
from oms.domain.routing.simulating import SKIPPED, Comparison, added, compare

KIND = "routing_simulation"
A_STEP = 25  # orders
THREADS = 8
NOTHING = Comparison()


class Orders(Protocol):
    def by_day(self, day: date, **how: Any) -> KeyPage: ...
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...
    def decisions(self, order_id: str) -> Iterator[tuple[Fact, bytes]]: ...


class RuleSets(Protocol):
    def rule_set(self, version: int) -> RuleSet: ...


@dataclass(frozen=True, slots=True)
class Position:
    """In a slice: the day that is looked at, and what was found so far. `start` is a key of the
    index, None at the beginning of the day; no `day` is left at the end of the slice."""

    day: date | None
    start: Mapping[str, Any] | None = None
    days_done: int = 0
    found: Comparison = NOTHING


class RoutingSimulation:
    def __init__(self, orders: Orders, rule_sets: RuleSets) -> None:
        self._orders, self._rule_sets = orders, rule_sets

    def slices(self, job: Job) -> Sequence[SlicePlan]:
        return [
            SlicePlan({"from": some[0].isoformat(), "to": some[-1].isoformat()})
            for some in _shared_out(days_of(job))
        ]

    def work(self, job: Job, part: Slice) -> Iterator[Step]:
        rule_set = self._rule_set(job)
        at, last = position_of(part), date.fromisoformat(part.params["to"])
        done = part.progress.done
        while at.day is not None:
            page = self._orders.by_day(at.day, start=at.start, limit=A_STEP)
            orders = self._orders.many(pk.removeprefix("ORDER#") for pk, _ in page.keys)
            found = self._compared(orders.values(), job.params["channel"], rule_set)
            at = _moved(at, found, page.start, last)
            done += len(page.keys)
            yield Step(_written(at), done=len(page.keys), refused=found.skipped, total=done)

    def finish(self, job: Job, parts: Sequence[Slice]) -> dict[str, str]:  # noqa: ARG002
        return {}

    def _rule_set(self, job: Job) -> RuleSet:
        try:
            return self._rule_sets.rule_set(job.params["rule_set"])
        except NotFound as unknown:
            raise JobFailed(str(unknown)) from None

    def _compared(self, orders: Iterable[Order], channel: str, rule_set: RuleSet) -> Comparison:
        """Of those that were ever given to a location."""
        routed = [
            order.order_id
            for order in orders
            if order.fulfillment_orders and channel in ("", order.channel)
        ]
        with ThreadPoolExecutor(THREADS) as threads:
            kept = list(threads.map(self._first, routed))
        return added(compare(each, rule_set, BUDGET) if each else SKIPPED for each in kept)

    def _first(self, order_id: str) -> KeptDecision | None:
        for fact, body in self._orders.decisions(order_id):
            if isinstance(fact.event, OrderRouted | OrderRoutingPlanned):
                return codec.decode(body, KeptDecision)
        return None


def days_of(job: Job) -> list[date]:
    first, last = date.fromisoformat(job.params["from"]), date.fromisoformat(job.params["to"])
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def position_of(part: Slice) -> Position:
    if part.cursor is None:
        return Position(date.fromisoformat(part.params["from"]))
    return msgspec.convert(part.cursor, Position)


def _written(at: Position) -> Any:
    return msgspec.to_builtins(codec.slim(at))


def _shared_out(days: Sequence[date]) -> Iterator[Sequence[date]]:
    size = ceil(len(days) / MAX_SLICES)
    return (days[first : first + size] for first in range(0, len(days), size))


def _moved(
    at: Position, found: Comparison, start: Mapping[str, Any] | None, last: date
) -> Position:
    assert at.day is not None
    total = at.found.plus(found)
    if start is not None:
        return Position(at.day, start, at.days_done, total)
    after = at.day + timedelta(days=1)
    return Position(after if after <= last else None, None, at.days_done + 1, total)
