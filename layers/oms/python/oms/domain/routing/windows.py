"""Several orders that want the same scarce stock, decided together.

First who takes what is chosen jointly, exactly where time allows. Then each order is decided for
itself, from what the others leave: so every decision has its own snapshot, reasons and runner-up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TypeVar

from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import Decision, RoutingOutcome
from oms.domain.routing.filters import per_unit
from oms.domain.routing.kept import KeptDecision
from oms.domain.routing.objective import Scale, Tiers
from oms.domain.routing.problem import Problem
from oms.domain.routing.rules import RuleSet, Tier, effective
from oms.domain.routing.snapshot import At, LocationFacts, Snapshot
from oms.domain.sourcing import SourcingPlan
from oms.domain.sourcing.deadline import Deadline
from oms.domain.sourcing.joint import Draw, Pool, Request, source_jointly

WINDOW = 5  # orders that are well decided together

K = TypeVar("K")
Taken = dict[At, int]


@dataclass(frozen=True, slots=True)
class WindowDecision:
    """Decisions in the order of the snapshots, each with what the others left to it.

    `proved`: no other way to share what there is costs less, all orders taken together.
    """

    decisions: tuple[KeptDecision, ...]
    proved: bool


def route_window(
    snapshots: Sequence[Snapshot],
    rule_set: RuleSet,
    *,
    shared: Mapping[At, int] | None = None,
    budget: float | None = None,
    clock: Callable[[], float] = perf_counter,
) -> WindowDecision:
    """`shared` are the units that all orders together may take, by item and location.

    What is not named there: as many as the order that sees most of them sees. Orders that cannot
    be filled beside the others wait; of those that want the same, the lower order id comes first.
    """
    return _Window(snapshots, rule_set, shared or {}, Deadline.after(budget, clock)).decided()


class _Window:
    def __init__(
        self,
        snapshots: Sequence[Snapshot],
        rule_set: RuleSet,
        shared: Mapping[At, int],
        deadline: Deadline,
    ) -> None:
        self._rule_set, self._deadline = rule_set, deadline
        self._given = [snapshot.order.order_id for snapshot in snapshots]
        if len(set(self._given)) < len(self._given):
            raise ValueError("an order is in the window twice")
        by_id = sorted(snapshots, key=lambda snapshot: snapshot.order.order_id)
        self._snapshots = {snapshot.order.order_id: snapshot for snapshot in by_id}
        self._stock = {**_most_seen(by_id), **shared}
        self._capacity = _most_capacity(by_id)
        self._taken: dict[str, Taken] = {}
        self._units: dict[str, dict[str, int]] = {}

    def decided(self) -> WindowDecision:
        together = self._in_turn()
        proved = self._share(together)
        for waiting in [each for each in self._snapshots if each not in together]:
            if self._share([*together, waiting]):
                together.append(waiting)
        decided = {each: self._decide(each) for each in self._settling(together)}
        return WindowDecision(tuple(decided[each] for each in self._given), proved)

    def _settling(self, together: Sequence[str]) -> Iterator[str]:
        """Who has something kept for it first, so that nobody takes it."""
        yield from together
        yield from (each for each in self._snapshots if each not in together)

    def _in_turn(self) -> list[str]:
        """Who can be filled, first come first served."""
        decided = {each: self._decide(each, runner_up=False).decision for each in self._snapshots}
        return [each for each, decision in decided.items() if _is_filled(decision)]

    def _decide(self, order_id: str, *, runner_up: bool = True) -> KeptDecision:
        left = self._left_to(order_id)
        budget, clock = self._deadline.left, self._deadline.clock
        decision = route_order(
            left, self._rule_set, budget=budget, clock=clock, runner_up=runner_up
        )
        self._take(order_id, *_takes(left, decision))
        return KeptDecision(left, decision)

    def _take(self, order_id: str, taken: Taken, units: dict[str, int]) -> None:
        self._taken[order_id], self._units[order_id] = taken, units

    def _left_to(self, order_id: str) -> Snapshot:
        snapshot = self._snapshots[order_id]
        others = [taken for other, taken in self._taken.items() if other != order_id]
        loads = [units for other, units in self._units.items() if other != order_id]
        locations = (self._left_at(each, others, loads) for each in snapshot.locations)
        return replace(snapshot, locations=tuple(locations))

    def _left_at(
        self, facts: LocationFacts, others: Sequence[Taken], loads: Sequence[Mapping[str, int]]
    ) -> LocationFacts:
        where = facts.location_id
        available = tuple(
            (item, min(units, self._stock[item, where] - _sum(others, (item, where))))
            for item, units in facts.available
        )
        if facts.capacity is None:
            return replace(facts, available=available)
        room = self._capacity[where] - _sum(loads, where)
        return replace(facts, available=available, capacity=max(0, min(facts.capacity, room)))

    def _share(self, order_ids: Sequence[str]) -> bool:
        """Give each of the orders its part of the best joint plan; whether it is proved best.

        Where no plan is found, what was taken before stands.
        """
        problems = [self._problem(each) for each in order_ids]
        scales = _scales(problems)
        tiers = _composed(scales)
        requests = [
            Request(scale.problem.quantities, scale.composed(tiers, scale.problem))
            for scale in scales
        ]
        pools = self._pools(problems, order_ids)
        budget, clock = self._deadline.left, self._deadline.clock
        plan = source_jointly(requests, pools, budget=budget, clock=clock)
        if plan.cost is None or not all(map(_within_splits, problems, plan.plans)):
            return False
        for order_id, problem, own in zip(order_ids, problems, plan.plans, strict=True):
            self._take(order_id, *_planned(problem, own))
        return plan.proved

    def _problem(self, order_id: str) -> Problem:
        snapshot = self._snapshots[order_id]
        return Problem.read(snapshot, effective(self._rule_set, snapshot.order))

    def _pools(self, problems: Sequence[Problem], order_ids: Sequence[str]) -> list[Pool]:
        """What is left by orders that are not among these."""
        others = [taken for each, taken in self._taken.items() if each not in order_ids]
        loads = [units for each, units in self._units.items() if each not in order_ids]
        stock, rooms = _draws(problems)
        pools = [
            *(_pool(at[1], self._stock.get(at, 0) - _sum(others, at), d) for at, d in stock),
            *(_pool(at, self._capacity[at] - _sum(loads, at), d) for at, d in rooms),
        ]
        return [pool for pool in pools if _binds(pool, problems)]


def _pool(location_id: str, units: int, draws: Iterable[Draw]) -> Pool:
    return Pool(location_id, max(0, units), tuple(draws))


def _draws(
    problems: Sequence[Problem],
) -> tuple[Iterable[tuple[At, list[Draw]]], Iterable[tuple[str, list[Draw]]]]:
    """Who draws on which stock, and on the capacity of which location."""
    stock: defaultdict[At, list[Draw]] = defaultdict(list)
    rooms: defaultdict[str, list[Draw]] = defaultdict(list)
    for number, problem in enumerate(problems):
        for line, row in enumerate(problem.rows):
            for candidate in problem.candidates:
                where = candidate.location_id
                for item, units in row.takes.items():
                    stock[item, where].append(Draw(number, line, units))
                if candidate.facts.capacity is not None:
                    rooms[where].append(Draw(number, line, 1))
    return sorted(stock.items()), sorted(rooms.items())


def _within_splits(problem: Problem, plan: SourcingPlan) -> bool:
    return len(plan.shipments) <= problem.rules.most_shipments


def _is_filled(decision: Decision) -> bool:
    return decision.outcome is RoutingOutcome.ROUTED and not decision.backordered


def _binds(pool: Pool, problems: Sequence[Problem]) -> bool:
    """Whether all that draw on it could take more than it holds."""
    asked = sum(problems[d.request].quantities[d.line] * d.per_unit for d in pool.draws)
    return asked > pool.units


def _scales(problems: Sequence[Problem]) -> list[Scale]:
    """With steps between tiers that hold the amounts of all problems together."""
    scales = [Scale(problem) for problem in problems]
    for tier in (tier for tier in Tier if tier is not Tier.ARRIVAL):
        together = sum(scale.highest(tier) for scale in scales)
        for scale in scales:
            scale.raise_highest(tier, together)
    return scales


def _composed(scales: Sequence[Scale]) -> Tiers:
    """Those tiers of the first order's rules that add up, as far as the cost."""
    if not scales:
        return ()
    tiers = scales[0].problem.rules.compared
    adding = [tier for tier in tiers[: tiers.index(Tier.COST) + 1] if tier is not Tier.ARRIVAL]
    return scales[0].composable(adding)


def _most_seen(snapshots: Iterable[Snapshot]) -> Taken:
    seen: Taken = {}
    for facts in (facts for snapshot in snapshots for facts in snapshot.locations):
        for item, units in facts.available:
            at = (item, facts.location_id)
            seen[at] = max(seen.get(at, 0), units)
    return seen


def _most_capacity(snapshots: Iterable[Snapshot]) -> dict[str, int]:
    seen: dict[str, int] = {}
    for facts in (facts for snapshot in snapshots for facts in snapshot.locations):
        if facts.capacity is not None:
            seen[facts.location_id] = max(seen.get(facts.location_id, 0), facts.capacity)
    return seen


def _sum(counted: Iterable[Mapping[K, int]], key: K) -> int:
    return sum(each.get(key, 0) for each in counted)


def _takes(snapshot: Snapshot, decision: Decision) -> tuple[Taken, dict[str, int]]:
    """Stock and capacity that a decision takes."""
    takes = {wanted.line_id: per_unit(wanted) for wanted in snapshot.order.wanted}
    taken: defaultdict[At, int] = defaultdict(int)
    units: defaultdict[str, int] = defaultdict(int)
    for assignment in decision.plan:
        for part in assignment.lines:
            units[assignment.location_id] += part.quantity
            for item, each in takes[part.line_id].items():
                taken[item, assignment.location_id] += each * part.quantity
    return dict(taken), dict(units)


def _planned(problem: Problem, plan: SourcingPlan) -> tuple[Taken, dict[str, int]]:
    taken: defaultdict[At, int] = defaultdict(int)
    for shipment in plan.shipments:
        for row, quantity in zip(problem.rows, shipment.quantities, strict=True):
            for item, each in row.takes.items():
                taken[item, shipment.location_id] += each * quantity
    units = {each.location_id: sum(each.quantities) for each in plan.shipments}
    return dict(taken), units
