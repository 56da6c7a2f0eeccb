"""Exact sourcing of several requests that draw on the same stock, or capacity.

Each request is solved for itself, as if it were alone; where they take together more of a pool than
it holds, the search branches: somebody takes at least what it took now, which leaves less to the
others, or takes less. Prices of the pools make the bounds good: whatever they are, the requests at
these prices, less what all pools are worth, cost no more than any joint plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import count
from math import inf
from time import perf_counter
from typing import NamedTuple

from oms.domain.sourcing.deadline import Deadline
from oms.domain.sourcing.plan import Source, SourcingPlan, Work
from oms.domain.sourcing.solver import source

STEPS = 40  # of the prices
PACE, SLOWDOWN, PATIENCE = 1.0, 0.6, 3
TURNS = 4  # steps between two rounds of first come, first served
MAX_NODES = 4_000

Prices = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """What one order asks for, and the locations as it sees them."""

    quantities: tuple[int, ...]
    sources: tuple[Source, ...]


class Draw(NamedTuple):
    """Every unit of this line of this request takes `per_unit` from the pool."""

    request: int
    line: int
    per_unit: int


@dataclass(frozen=True, slots=True)
class Pool:
    """What a location has of one thing that several lines take."""

    location_id: str
    units: int
    draws: tuple[Draw, ...]


@dataclass(frozen=True, slots=True)
class JointPlan:
    """Plans by request, none of which is there when `cost` is None."""

    plans: tuple[SourcingPlan, ...]
    cost: int | None
    lower_bound: int
    proved: bool


def source_jointly(
    requests: Sequence[Request],
    pools: Sequence[Pool],
    *,
    budget: float | None = None,
    clock: Callable[[], float] = perf_counter,
) -> JointPlan:
    """The plans of the lowest cost together; after `budget` seconds the best ones so far."""
    return _Joint(requests, pools, Deadline.after(budget, clock)).solve()


class _Spot(NamedTuple):
    """A line of a request at a location."""

    request: int
    location_id: str
    line: int


class _Limits(NamedTuple):
    """What is taken at least, and at most, at some spots."""

    least: Mapping[_Spot, int]
    most: Mapping[_Spot, int]


class _Answer(NamedTuple):
    """The requests solved apart: what they cost at prices, and in truth."""

    plans: tuple[SourcingPlan, ...]
    bound: float
    cost: int


class _Joint:
    def __init__(
        self,
        requests: Sequence[Request],
        pools: Sequence[Pool],
        deadline: Deadline,
    ) -> None:
        self._requests, self._deadline = requests, deadline
        self._pools = [pool for pool in pools if pool.draws]
        self._drawn: defaultdict[_Spot, list[tuple[int, int]]] = defaultdict(list)
        for number, pool in enumerate(self._pools):
            for request, line, per_unit in pool.draws:
                self._drawn[_Spot(request, pool.location_id, line)].append((number, per_unit))
        self._sources = [
            {each.location_id: each for each in request.sources} for request in requests
        ]
        self._known: dict[tuple[int, tuple[Source, ...]], SourcingPlan] = {}
        self._best: tuple[SourcingPlan, ...] | None = None
        self._cost: float = inf
        self._exact = True

    def solve(self) -> JointPlan:
        free = (0,) * len(self._pools)
        limits = _Limits({}, {})
        if (alone := self._answer(limits, free)) is None:
            return JointPlan((), None, 0, self._exact)
        self._offer(alone)
        if self._cost == inf:
            self._in_turn(range(len(self._requests)))
            self._in_turn(range(len(self._requests))[::-1])
        bound, prices = self._climb(limits, alone)
        bound, done = self._search(limits, prices, bound)
        return self._plan(bound, done and self._exact)

    def _plan(self, bound: float, proved: bool) -> JointPlan:
        if self._best is None:
            return JointPlan((), None, 0, proved)
        cost = int(self._cost)
        return JointPlan(self._best, cost, cost if proved else min(cost, round(bound)), proved)

    def _answer(self, limits: _Limits, prices: Prices) -> _Answer | None:
        plans = []
        for number in range(len(self._requests)):
            plan = self._alone(number, limits, prices)
            if plan.cost is None:
                return None
            plans.append(plan)
        worth = sum(price * pool.units for price, pool in zip(prices, self._pools, strict=True))
        bound = sum(plan.lower_bound for plan in plans) - worth
        return _Answer(tuple(plans), bound, sum(map(self._cost_of, count(), plans)))

    def _alone(self, number: int, limits: _Limits, prices: Prices) -> SourcingPlan:
        request = self._requests[number]
        sources = tuple(self._limited(number, each, limits, prices) for each in request.sources)
        if (number, sources) not in self._known:
            budget, clock = self._deadline.left, self._deadline.clock
            plan = source(request.quantities, sources, budget=budget, clock=clock)
            self._exact &= plan.proved
            self._known[number, sources] = plan
        return self._known[number, sources]

    def _limited(self, number: int, given: Source, limits: _Limits, prices: Prices) -> Source:
        stock, unit_costs = list(given.stock), list(given.unit_costs)
        for line in range(len(stock)):
            spot = _Spot(number, given.location_id, line)
            if spot in self._drawn:
                stock[line] = max(0, min(stock[line], self._most(spot, limits)))
                drawn = self._drawn[spot]
                unit_costs[line] += sum(prices[pool] * per_unit for pool, per_unit in drawn)
        return replace(given, stock=tuple(stock), unit_costs=tuple(unit_costs))

    def _most(self, spot: _Spot, limits: _Limits) -> int:
        rooms = [
            (self._pools[pool].units - self._promised(pool, spot, limits)) // per_unit
            for pool, per_unit in self._drawn[spot]
        ]
        return min(*rooms, limits.most.get(spot, rooms[0]))

    def _promised(self, number: int, spot: _Spot, limits: _Limits) -> int:
        """What others take at least from the pool."""
        return sum(
            limits.least.get(other, 0) * per_unit
            for other, per_unit in self._spots(number)
            if other != spot
        )

    def _spots(self, number: int) -> Iterator[tuple[_Spot, int]]:
        pool = self._pools[number]
        for request, line, per_unit in pool.draws:
            yield _Spot(request, pool.location_id, line), per_unit

    def _cost_of(self, number: int, plan: SourcingPlan) -> int:
        sources = self._sources[number]
        return sum(sources[each.location_id].cost(each.quantities) for each in plan.shipments)

    def _taken(self, plans: Sequence[SourcingPlan]) -> dict[_Spot, int]:
        return {
            _Spot(number, shipment.location_id, line): units
            for number, plan in enumerate(plans)
            for shipment in plan.shipments
            for line, units in enumerate(shipment.quantities)
            if units
        }

    def _excess(self, taken: Mapping[_Spot, int]) -> list[int]:
        """By pool, what is taken beyond it; below zero, what is left."""
        return [
            sum(taken.get(spot, 0) * per_unit for spot, per_unit in self._spots(number))
            - pool.units
            for number, pool in enumerate(self._pools)
        ]

    def _offer(self, answer: _Answer) -> bool:
        """Keep the plans if they are within all pools, and cheaper; whether they are within."""
        within = max(self._excess(self._taken(answer.plans)), default=0) <= 0
        if within and answer.cost < self._cost:
            self._best, self._cost = self._true(answer.plans), answer.cost
        return within

    def _true(self, plans: Sequence[SourcingPlan]) -> tuple[SourcingPlan, ...]:
        """At their own costs, prices of pools aside."""
        return tuple(
            SourcingPlan(plan.shipments, cost, 0, plan.proved, Work())
            for plan, cost in zip(plans, map(self._cost_of, count(), plans), strict=True)
        )

    def _in_turn(self, turn: Iterable[int], prices: Prices | None = None) -> None:
        """First come, first served: each takes what it likes best of what is left."""
        prices = prices or (0,) * len(self._pools)
        limits = _Limits({}, {})
        plans: dict[int, SourcingPlan] = {}
        for number in turn:
            plan = self._alone(number, limits, prices)
            if plan.cost is None:
                return
            plans[number] = plan
            limits = _Limits({**limits.least, **self._took(number, plan)}, {})
        ordered = tuple(plans[number] for number in sorted(plans))
        self._offer(_Answer(ordered, 0.0, sum(map(self._cost_of, count(), ordered))))

    def _took(self, number: int, plan: SourcingPlan) -> dict[_Spot, int]:
        taken = self._taken([plan])
        return {spot._replace(request=number): units for spot, units in taken.items()}

    def _climb(self, limits: _Limits, alone: _Answer) -> tuple[float, Prices]:
        """Raise the prices of what is asked too much of, as long as the bound rises."""
        climb = _Climb(len(self._pools), alone.bound)
        answer: _Answer | None = alone
        for step in range(STEPS):
            if answer is None or climb.bound >= self._cost or self._deadline.is_over:
                break
            if not climb.step(self._excess(self._taken(answer.plans)), self._cost):
                break
            answer = self._answer(limits, climb.whole)
            if answer is not None:
                climb.judge(answer.bound)
                self._offer(answer)
            if answer is not None and not step % TURNS:
                self._in_turn(self._by_regret(answer), climb.whole)
        return climb.bound, climb.best

    def _by_regret(self, answer: _Answer) -> list[int]:
        """The dearest first: it has most to lose."""
        costs = list(map(self._cost_of, count(), answer.plans))
        return sorted(range(len(costs)), key=lambda number: (-costs[number], number))

    def _search(self, limits: _Limits, prices: Prices, bound: float) -> tuple[float, bool]:
        """The lowest bound first, so that the first open node bounds all plans."""
        numbers = count()
        open_nodes = [(bound, next(numbers), limits, prices)]
        for _ in range(MAX_NODES):
            if not open_nodes or open_nodes[0][0] >= self._cost:
                return self._cost, True
            if self._deadline.is_over:
                break
            bound, _, limits, prices = heappop(open_nodes)
            for found, less, at in self._expand(limits, prices, bound):
                heappush(open_nodes, (found, next(numbers), less, at))
        if not open_nodes or open_nodes[0][0] >= self._cost:
            return self._cost, True
        return open_nodes[0][0], False

    def _expand(
        self, limits: _Limits, prices: Prices, bound: float
    ) -> Iterator[tuple[float, _Limits, Prices]]:
        answer = self._answer(limits, prices)
        if answer is None or max(bound, answer.bound) >= self._cost:
            return
        bound = max(bound, answer.bound)
        taken = self._taken(answer.plans)
        excess = self._excess(taken)
        if self._offer(answer):
            idle = [price and not over < 0 for price, over in zip(prices, excess, strict=True)]
            kept = tuple(price if keep else 0 for price, keep in zip(prices, idle, strict=True))
            if kept != prices:
                yield bound, limits, kept
            return
        spot, units = self._disputed(excess, taken, limits)
        yield bound, _Limits({**limits.least, spot: units}, limits.most), prices
        yield bound, _Limits(limits.least, {**limits.most, spot: units - 1}), prices

    def _disputed(
        self, excess: Sequence[int], taken: Mapping[_Spot, int], limits: _Limits
    ) -> tuple[_Spot, int]:
        """Who takes most, beyond what it must, from the pool that is exceeded most."""
        worst = max(range(len(excess)), key=lambda number: (excess[number], -number))
        spots = [
            spot for spot, _ in self._spots(worst) if taken.get(spot, 0) > limits.least.get(spot, 0)
        ]
        spot = max(spots, key=lambda spot: (taken[spot], spot))
        return spot, taken[spot]


class _Climb:
    """Subgradient steps of the prices; back to the best ones after steps without a gain."""

    def __init__(self, pools: int, bound: float) -> None:
        self.bound = bound
        self.best = self.whole = (0,) * pools
        self._prices, self._pace, self._stalls = [0.0] * pools, PACE, 0

    def step(self, excess: Sequence[int], cost: float) -> bool:
        """False when nobody asks too much, nor pays for what is left over."""
        moves = [
            over if over > 0 or price else 0
            for over, price in zip(excess, self._prices, strict=True)
        ]
        norm = sum(move * move for move in moves)
        if not norm:
            return False
        gap = cost - self.bound if cost < inf else max(1.0, abs(self.bound) / 10)
        length = self._pace * gap / norm
        self._prices = [
            max(0.0, price + length * move) for price, move in zip(self._prices, moves, strict=True)
        ]
        self.whole = tuple(map(round, self._prices))
        return True

    def judge(self, bound: float) -> None:
        if bound > self.bound:
            self.bound, self.best, self._stalls = bound, self.whole, 0
            return
        self._stalls += 1
        if self._stalls >= PATIENCE:
            self._pace, self._stalls = self._pace * SLOWDOWN, 0
            self._prices = list(map(float, self.best))
