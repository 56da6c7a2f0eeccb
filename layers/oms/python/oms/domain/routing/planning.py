"""The best plan for a problem: solved on one composed cost, then compared with its rivals.

Tiers up to the cost are composed into whole numbers that the exact solver minimises. Plans that
are as good, within the band, are listed to the end and compared by all tiers in turn. A plan here
is a set of locations: between them units go where they cost least.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from math import inf
from operator import ge

from oms.domain.routing.filters import arrival, is_late
from oms.domain.routing.objective import Scale, Tiers
from oms.domain.routing.problem import Candidate, Problem
from oms.domain.routing.rules import Tier
from oms.domain.sourcing import Shipment, Source, SourcingPlan, Work, source
from oms.domain.sourcing.contenders import TooManySets, sets_within
from oms.domain.sourcing.deadline import Deadline
from oms.domain.sourcing.joint import Request, source_jointly

NOWHERE = ""  # ships what nobody can
PATIENCE = 4_000  # sets of locations to look at, of which so many are costed:
MOST_PLANS = 300

Shipments = tuple[Shipment, ...]


class TooManyShipments(Exception):
    """The order can be shipped, but only in more shipments than are allowed."""


class OutOfBudget(Exception):
    """No plan was found in time, nor that there is none."""


@dataclass(frozen=True, slots=True)
class Found:
    """`lower_bound` is of the cost, among plans as good by the tiers before it."""

    shipments: Shipments
    lower_bound: int
    proved: bool = True
    uncompared: Tiers = ()


@dataclass(frozen=True, slots=True)
class _Leader:
    """The best plan of at most so many shipments by composed cost.

    `surcharge` on every shipment kept them few enough.
    """

    problem: Problem
    composed: Tiers
    most: float
    plan: SourcingPlan
    surcharge: int = 0

    @property
    def spare(self) -> int:
        """Further shipments that it may have, while a surcharge speaks against them."""
        return int(self.most - len(self.plan.shipments)) if self.surcharge else 0


class Planner:
    """Plans for one problem, and for parts of it."""

    def __init__(self, problem: Problem, deadline: Deadline) -> None:
        self.rules, self._scale, self._deadline = problem.rules, Scale(problem), deadline
        self.tiers = self.rules.compared
        self._known: dict[object, SourcingPlan] = {}
        self._exact = True  # as long as every solve came to its end

    def best(self, problem: Problem) -> Found | None:
        """None when the candidates cannot ship it all."""
        leader = self._leader(problem)
        if leader is None:
            return None
        return self._compared(leader) if self._has_rivals(leader) else self._alone(leader)

    def runner_up(self, problem: Problem, chosen: Sequence[str]) -> Shipments | None:
        """The best plan that does without one of the chosen, up to the cost."""
        plans = [plan for each in chosen if (plan := self.leading(problem.without(each)))]
        return min(plans, key=self.rank, default=None)

    def leading(self, problem: Problem) -> Shipments | None:
        """A best plan by the tiers up to the cost."""
        try:
            leader = self._leader(problem)
        except (TooManyShipments, OutOfBudget):
            return None
        return leader.plan.shipments if leader else None

    def rank(self, plan: Shipments) -> tuple[tuple[int, ...], tuple[str, ...]]:
        return self._scale.amounts(self.tiers, plan), ids_of(plan)

    def cost(self, plan: Shipments) -> int:
        """A split penalty for every shipment after the first."""
        return self._scale.amount(Tier.COST, plan) - self.rules.split_penalty * bool(plan)

    def fillable(self, problem: Problem) -> tuple[int, ...]:
        """As many units by row as all candidates can ship together, the first rows first."""
        rows, units = len(problem.rows), sum(problem.quantities)
        lacking = tuple(rows * units + rows - row for row in range(rows))
        nowhere = Source(NOWHERE, 0, lacking, problem.quantities)
        plan = self._solve(problem, (nowhere, *self._scale.composed((), problem)))
        missing = next(
            (each.quantities for each in plan.shipments if each.location_id == NOWHERE), (0,) * rows
        )
        return tuple(q - m for q, m in zip(problem.quantities, missing, strict=True))

    def _solve(self, problem: Problem, sources: Sequence[Source]) -> SourcingPlan:
        budget, clock = self._deadline.left, self._deadline.clock
        plan = source(problem.quantities, sources, budget=budget, clock=clock)
        if problem.pools and plan.cost is not None and not _within_pools(problem, plan):
            plan = self._within(problem, sources, plan.prices)
        self._exact &= plan.proved
        return plan

    def _within(
        self, problem: Problem, sources: Sequence[Source], prices: tuple[float, ...]
    ) -> SourcingPlan:
        """Such that rows together take no more of what they share than there is."""
        request = Request(problem.quantities, tuple(sources))
        budget, clock = self._deadline.left, self._deadline.clock
        joint = source_jointly([request], problem.pools, budget=budget, clock=clock)
        if joint.cost is None and not joint.proved:
            raise OutOfBudget
        shipments = joint.plans[0].shipments if joint.plans else ()
        bound, proved = joint.lower_bound, joint.proved
        return SourcingPlan(shipments, joint.cost, bound, proved, Work(), prices)

    def _leader(self, problem: Problem) -> _Leader | None:
        """Tiers that can be had for sure narrow the problem; the others are composed, as far as
        they fit: none is passed over for the sake of a later one."""
        most = self.rules.most_shipments
        composed: Tiers = ()
        for tier in self.tiers[: self.tiers.index(Tier.COST) + 1]:
            if tier is Tier.ARRIVAL:
                problem = self._arriving_first(problem, composed, most)
            elif tier is Tier.PROMISE and not composed and self._keeps_promise(problem, most):
                problem = self._on_time(problem)
            elif tier is Tier.SHIPMENTS and not composed:
                most = min(most, self._fewest(problem))
            elif (more := self._scale.composable((*composed, tier))) != composed:
                composed = more
            else:
                break
        return self._cheapest(problem, composed, most)

    def _on_time(self, problem: Problem) -> Problem:
        order = problem.snapshot.order
        return problem.among(each for each in problem.candidates if not is_late(order, each.facts))

    def _keeps_promise(self, problem: Problem, most: float) -> bool:
        on_time = self._on_time(problem)
        return len(on_time.candidates) == len(problem.candidates) or self._ships(on_time, most)

    def _ships(self, problem: Problem, most: float) -> bool:
        try:
            return self._cheapest(problem, (Tier.COST,), most) is not None
        except TooManyShipments:
            return False

    def _fewest(self, problem: Problem) -> float:
        """Shipments of the cheapest plan, when even those are few, else of the plan with least."""
        cheapest = self._plan(problem, (Tier.COST,)).shipments
        alone = any(map(partial(_ships_alone, problem), problem.candidates))
        if not cheapest or len(cheapest) == (1 if alone else 2):
            return len(cheapest) or inf
        return len(self._plan(problem, (Tier.SHIPMENTS,)).shipments)

    def _plan(self, problem: Problem, composed: Tiers, surcharge: int = 0) -> SourcingPlan:
        key = (problem.location_ids, problem.quantities, composed, surcharge)
        if key not in self._known:
            sources = self._scale.composed(composed, problem, surcharge)
            self._known[key] = self._solve(problem, sources)
        return self._known[key]

    def _cheapest(self, problem: Problem, composed: Tiers, most: float) -> _Leader | None:
        """The surcharge that makes shipments few enough is doubled until it does, then halved."""
        plan = self._plan(problem, composed)
        if plan.cost is None:
            return None
        leader = _Leader(problem, composed, most, plan)
        highest = self._scale.size(composed)  # which no plan costs
        low, high = 0, max(1, plan.cost // 8)
        while len(leader.plan.shipments) > most:
            if low >= highest:
                raise TooManyShipments
            leader = self._surcharged(leader, high)
            low, high = (high, min(2 * high, highest))
        return self._least_surcharged(leader)

    def _least_surcharged(self, leader: _Leader) -> _Leader:
        low, high = leader.surcharge // 2, leader.surcharge
        while high - low > 1 and leader.spare:
            middle = (low + high) // 2
            tried = self._surcharged(leader, middle)
            if len(tried.plan.shipments) <= tried.most:
                leader, high = tried, middle
            else:
                low = middle
        return leader

    def _surcharged(self, leader: _Leader, surcharge: int) -> _Leader:
        plan = self._plan(leader.problem, leader.composed, surcharge)
        return replace(leader, plan=plan, surcharge=surcharge)

    def _arriving_first(self, problem: Problem, composed: Tiers, most: float) -> Problem:
        """The candidates of the earliest days that suffice for a plan as good so far."""
        goal = self._cheapest(problem, composed, most)
        days = sorted({arrival(each.facts) for each in problem.candidates})
        low, high = 0, len(days) - 1
        while goal and low < high:
            middle = (low + high) // 2
            if self._reaches(goal, _arriving(problem, days[middle])):
                high = middle
            else:
                low = middle + 1
        return _arriving(problem, days[high]) if goal else problem

    def _reaches(self, goal: _Leader, problem: Problem) -> bool:
        try:
            leader = self._cheapest(problem, goal.composed, goal.most)
        except TooManyShipments:
            return False
        return leader is not None and self._amounts(leader) == self._amounts(goal)

    def _amounts(self, leader: _Leader) -> tuple[int, ...]:
        return self._scale.amounts(leader.composed, leader.plan.shipments)

    def _has_rivals(self, leader: _Leader) -> bool:
        """Whether more must be compared than the solver has."""
        if self.tiers == (Tier.COST,) and not self.rules.cost_band:
            return bool(leader.spare)
        return True

    def _alone(self, leader: _Leader) -> Found:
        return Found(leader.plan.shipments, self._lower_bound(leader), self._exact)

    def _lower_bound(self, leader: _Leader) -> int:
        """The surcharge may have been all that spoke against plans of more shipments."""
        if leader.composed[-1] is not Tier.COST:
            return 0
        unproved = (leader.plan.cost or 0) - leader.plan.lower_bound
        unproved += leader.surcharge * leader.spare
        return max(0, self.cost(leader.plan.shipments) - unproved)

    def _compared(self, leader: _Leader) -> Found:
        """By all tiers in turn, then by cost, then by location id."""
        plans, whole = self._rivals(leader)
        cost = self.tiers.index(Tier.COST)
        tied = self._best_by(self.tiers[:cost], plans)
        left = self._best_by(self.tiers[cost:], tied)
        best = min(left, key=lambda plan: (self.cost(plan), ids_of(plan)))
        rest = () if whole else self._uncompared(leader)
        proved = self._exact and not rest
        bound = min(map(self.cost, tied)) if proved else self._lower_bound(leader)
        return Found(best, bound, proved, rest)

    def _best_by(self, tiers: Tiers, plans: list[Shipments]) -> list[Shipments]:
        for tier in tiers:
            amounts = [self._scale.amount(tier, plan) for plan in plans]
            most = min(amounts) + (self.rules.cost_band if tier is Tier.COST else 0)
            plans = [plan for plan, has in zip(plans, amounts, strict=True) if has <= most]
        return plans

    def _uncompared(self, leader: _Leader) -> Tiers:
        """Tiers from the first that was not decided when the plan was made."""
        decided = self.tiers.index(leader.composed[-1])
        ties = self.rules.cost_band and self.tiers[decided] is Tier.COST
        return self.tiers[decided if ties or leader.spare else decided + 1 :]

    def _rivals(self, leader: _Leader) -> tuple[list[Shipments], bool]:
        """Plans that may be as good as the leader, itself included, and whether it is all."""
        leading = ids_of(leader.plan.shipments)
        plans = list(self._settled(leader.problem, leading))
        try:
            for chosen in self._sets(leader):
                if chosen != leading:
                    plans += self._settled(leader.problem, chosen)
                if len(plans) > MOST_PLANS or self._deadline.is_over:
                    return plans, False
        except TooManySets:
            return plans, False
        return plans, True

    def _sets(self, leader: _Leader) -> Iterator[tuple[str, ...]]:
        """In units of the last composed tier; spare shipments leave room for their surcharges."""
        room = leader.surcharge * leader.spare
        if leader.composed and leader.composed[-1] is Tier.COST:
            room += self.rules.cost_band
        return sets_within(
            leader.problem.quantities,
            self._scale.composed(leader.composed, leader.problem, leader.surcharge),
            leader.plan.prices,
            (leader.plan.cost or 0) + room,
            most=leader.most,
            patience=PATIENCE,
        )

    def _settled(self, problem: Problem, chosen: Sequence[str]) -> Iterator[Shipments]:
        """How the chosen ship the order, if they can: where its units cost least."""
        if len(chosen) == 1 and not problem.pools:
            yield (Shipment(chosen[0], problem.quantities),)
            return
        among = problem.among(map(problem.candidate, chosen))
        units = tuple(tier for tier in self.tiers if tier in {Tier.COST, Tier.STOCK_HEALTH})
        plan = self._solve(among, self._scale.by_unit(units, among))
        if plan.cost is not None:
            yield plan.shipments


def _arriving(problem: Problem, last: date) -> Problem:
    return problem.among(each for each in problem.candidates if arrival(each.facts) <= last)


def _ships_alone(problem: Problem, candidate: Candidate) -> bool:
    """Whether its stock and capacity might do; parts that rows share are not looked at."""
    source = candidate.source
    enough = all(map(ge, source.stock, problem.quantities))
    return enough and (source.capacity is None or source.capacity >= sum(problem.quantities))


def ids_of(shipments: Shipments) -> tuple[str, ...]:
    return tuple(sorted(each.location_id for each in shipments))


def _within_pools(problem: Problem, plan: SourcingPlan) -> bool:
    shipped = {each.location_id: each.quantities for each in plan.shipments}
    return all(
        sum(shipped[pool.location_id][draw.line] * draw.per_unit for draw in pool.draws)
        <= pool.units
        for pool in problem.pools
        if pool.location_id in shipped
    )
