"""Why an order was routed as it was, and what would have to change for another location to win.

All of it is computed from the snapshot that the decision was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

from oms.domain.network.quoting import Reason
from oms.domain.routing.changing import (
    Change,
    ChangeKind,
    all_it_lacks,
    applied,
    remedies,
)
from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import (
    BREAKS_PROMISE,
    EXCLUDED_BY,
    METHOD_NOT_OFFERED,
    NO_CAPACITY,
    NO_PICKUP,
    NO_STOCK,
    NOT_THE_PICKUP_LOCATION,
    OUT_OF_BUDGET,
    TAG_NOT_HANDLED,
    TOO_MANY_SHIPMENTS,
    Assignment,
    Decision,
    RoutingOutcome,
)
from oms.domain.routing.filters import objections
from oms.domain.routing.planning import Planner, Shipments, ids_of
from oms.domain.routing.problem import Problem
from oms.domain.routing.rules import RuleSet, Tier, effective
from oms.domain.routing.snapshot import LocationFacts, Snapshot
from oms.domain.sourcing.deadline import Deadline

REASONS = {
    NO_STOCK: "it has nothing of what is wanted",
    NO_CAPACITY: "it has no capacity left",
    METHOD_NOT_OFFERED: "it does not offer the method",
    TAG_NOT_HANDLED: "it may not handle these goods",
    NOT_THE_PICKUP_LOCATION: "the customer collects the order elsewhere",
    NO_PICKUP: "it does not offer pickup",
    BREAKS_PROMISE: "it would deliver later than promised",
}
UNREACHED: dict[str, str] = {
    Reason.NO_ZONE: "no carrier goes there from it",
    Reason.NO_RATE: "no carrier that goes there has a charge for the method",
    Reason.TOO_HEAVY: "its carriers take nothing so heavy",
    Reason.NO_SHIP_DAY: "it has no day on which it could ship",
}
WORSE_BY = {
    Tier.PROMISE: "delivers {} more of its shipments late",
    Tier.ARRIVAL: "arrives {} days later",
    Tier.SHIPMENTS: "needs {} more shipments",
    Tier.COST: "costs {} more",
    Tier.STOCK_HEALTH: "takes from stock that is shorter by {} days of cover",
    Tier.DISTANCE: "travels {} km further",
}
NO_TIME = "there was no time to find out what would have to change"
Attempt = tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class LocationExplanation:
    """`wins`: with these changes, and no others, the location is part of the plan."""

    location_id: str
    chosen: bool
    why: str
    changes: tuple[Change, ...] = ()
    wins: bool = False
    what_if: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    summary: str
    locations: tuple[LocationExplanation, ...]


def explain(
    snapshot: Snapshot,
    rule_set: RuleSet,
    decision: Decision,
    location_ids: Sequence[str] | None = None,
    *,
    budget: float | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Explanation:
    """By location id, of all locations unless some are named: each takes a few more solves.

    After `budget` seconds of the clock nothing more is tried; what was not found is not said.
    """
    explaining = _Explaining(snapshot, rule_set, decision, Deadline.after(budget, clock))
    known = sorted(each.location_id for each in snapshot.locations)
    asked = [each for each in known if location_ids is None or each in location_ids]
    return Explanation(explaining.summary(), tuple(map(explaining.location, asked)))


@dataclass(frozen=True)
class _Explaining:
    snapshot: Snapshot
    rule_set: RuleSet
    decision: Decision
    time: Deadline

    def summary(self) -> str:
        if self.decision.outcome is RoutingOutcome.BACKORDERED:
            return _sentence(self._why_nothing())
        return " ".join(map(_sentence, self._why_plan()))

    def _why_nothing(self) -> str:
        if self.decision.reason == TOO_MANY_SHIPMENTS:
            return "nothing ships: the order needs more shipments than the rules allow"
        if self.decision.reason == OUT_OF_BUDGET:
            return "nothing ships: no plan was found in time"
        places = self.snapshot.locations
        able = [each for each in places if set(self._reasons(each)) <= {NO_STOCK}]
        if places and not able:
            return "nothing ships: no location may ship this order"
        who = "all locations" if len(able) == len(places) else "the locations that may ship it"
        return f"nothing ships: {who} together lack {self._short()}"

    def _why_plan(self) -> Iterator[str]:
        decision = self.decision
        who = " and ".join(each.location_id for each in decision.plan)
        yield f"{who} ship{'s' if len(decision.plan) == 1 else ''} for {decision.cost}"
        if decision.backordered:
            yield f"the rest waits for stock: {self._short()}"
        if decision.runner_up:
            other = " and ".join(decision.runner_up.location_ids)
            yield f"the next best plan is {other} for {decision.runner_up.cost}"
        else:
            yield "there is no plan without these locations"
        if decision.uncompared:
            tiers = ", ".join(decision.uncompared)
            yield f"not all plans that are as good were compared by {tiers}"
        elif not decision.proved:
            yield f"the search was cut off; no plan costs less than {decision.lower_bound}"

    def _short(self) -> str:
        skus = {wanted.line_id: wanted.sku for wanted in self.snapshot.order.wanted}
        short = self.decision.backordered
        return ", ".join(f"{units} of {skus[line_id]}" for line_id, units in short)

    def location(self, location_id: str) -> LocationExplanation:
        for assignment in self.decision.plan:
            if assignment.location_id == location_id:
                return LocationExplanation(location_id, True, _sentence(_ships(assignment)))
        return self._loser(self.snapshot.location(location_id))

    def _loser(self, facts: LocationFacts) -> LocationExplanation:
        reasons = self._reasons(facts)
        why = self._why_not(facts, reasons)
        undone = remedies(self.snapshot.order, facts, reasons)
        if undone is None:
            return _lost(facts, why, "nothing that is known here would let it ship this order")
        for changes in self._attempts(facts, undone):
            won = self._wins(facts.location_id, changes)
            if self.time.is_over:
                return _lost(facts, why, NO_TIME)
            if won:
                what_if = " and ".join(change.words for change in changes)
                words = _sentence(f"to be chosen, {what_if}" if changes else "it is as good")
                return LocationExplanation(facts.location_id, False, why, changes, True, words)
        words = _sentence(_in_vain(undone))
        return LocationExplanation(facts.location_id, False, why, undone, False, words)

    def _reasons(self, facts: LocationFacts) -> tuple[str, ...]:
        rules = effective(self.rule_set, self.snapshot.order)
        return tuple(objections(self.snapshot.order, facts, rules))

    def _why_not(self, facts: LocationFacts, reasons: Sequence[str]) -> str:
        if reasons:
            return _sentence("; ".join(_in_words(reason, facts) for reason in reasons))
        if self.decision.outcome is RoutingOutcome.BACKORDERED:
            return _sentence("it could ship a part of the order at most")
        return _sentence(self._why_worse(facts))

    def _why_worse(self, facts: LocationFacts) -> str:
        world = _World(self.snapshot, self.rule_set, self.time)
        plan = world.best_with(facts)
        chosen = [each.location_id for each in self.decision.plan]
        others = world.best_among(chosen)
        if self.time.is_over:
            return "another plan was chosen"
        if plan is None or others is None:
            return "no plan with it is as good, however little its shipment costs"
        who = " and ".join(ids_of(plan))
        mine, theirs = world.amounts(plan), world.amounts(others)
        for tier, amount, least in zip(world.tiers, mine, theirs, strict=True):
            if amount > least:
                return f"the best plan with it ({who}) {WORSE_BY[tier].format(amount - least)}"
        return f"the plan with it ({who}) is as good, and comes later by id"

    def _attempts(self, facts: LocationFacts, undone: Attempt) -> Iterator[Attempt]:
        """The least first: each as it is, then with a cheaper shipment."""
        snapshot, _ = applied(self.snapshot, self.rule_set, facts.location_id, undone)
        now = snapshot.location(facts.location_id)
        earlier = ((), *self._earlier(now))
        lacking = all_it_lacks(snapshot.order, now)
        for more in dict.fromkeys((*earlier, *((*each, *lacking) for each in earlier))):
            changes = (*undone, *more)
            yield changes
            made = applied(self.snapshot, self.rule_set, facts.location_id, changes)
            world = _World(*made, self.time)
            if cheaper := world.cheaper(facts.location_id):
                yield (*changes, Change(ChangeKind.CHEAPER, amount=cheaper))

    def _earlier(self, facts: LocationFacts) -> Iterator[Attempt]:
        """As early as was promised, or as the last of the chosen."""
        last = max(
            (each.deliver_by for each in self.decision.plan if each.deliver_by), default=None
        )
        goals = {each for each in (self.snapshot.order.deliver_by, last) if each}
        for goal in sorted(goals, reverse=True):
            if facts.deliver_by and facts.deliver_by > goal:
                yield (Change(ChangeKind.EARLIER, amount=(facts.deliver_by - goal).days),)

    def _wins(self, location_id: str, changes: Attempt) -> bool:
        world = _World(*applied(self.snapshot, self.rule_set, location_id, changes), self.time)
        return location_id in world.chosen()


class _World:
    """A snapshot and a rule set, perhaps with changes, and the plans in it."""

    def __init__(self, snapshot: Snapshot, rule_set: RuleSet, time: Deadline) -> None:
        self.snapshot, self.rule_set, self._time = snapshot, rule_set, time
        self._problem = Problem.read(snapshot, effective(rule_set, snapshot.order))
        self._planner = Planner(self._problem, time)
        self.tiers = self._planner.tiers

    def amounts(self, plan: Shipments) -> tuple[int, ...]:
        return self._planner.rank(plan)[0]

    def chosen(self) -> tuple[str, ...]:
        decision = route_order(
            self.snapshot,
            self.rule_set,
            budget=self._time.left,
            clock=self._time.clock,
            runner_up=False,
        )
        return tuple(each.location_id for each in decision.plan)

    def best_among(self, location_ids: Sequence[str]) -> Shipments | None:
        candidates = self._problem.candidates
        among = (each for each in candidates if each.location_id in location_ids)
        return self._planner.leading(self._problem.among(among))

    def best_with(self, facts: LocationFacts) -> Shipments | None:
        """The best plan with this location, if it is in the best one when it ships for nothing."""
        free = Change(ChangeKind.CHEAPER, amount=facts.fixed_cost)
        changed = applied(self.snapshot, self.rule_set, facts.location_id, [free])
        problem = Problem.read(changed[0], self._problem.rules)
        plan = Planner(problem, self._time).leading(problem)
        return plan if plan and facts.location_id in ids_of(plan) else None

    def cheaper(self, location_id: str) -> int:
        """How much less its shipment would have to cost: all of it, where no less is known to do.

        Then every plan without it costs more, by more than the band.
        """
        facts = self.snapshot.location(location_id)
        plan = self.best_with(facts)
        others = self._planner.leading(self._problem.without(location_id))
        if plan is None or others is None:
            return facts.fixed_cost
        excess = self._planner.cost(plan) - self._planner.cost(others)
        return min(facts.fixed_cost, max(1, excess + self._problem.rules.cost_band + 1))


def _lost(facts: LocationFacts, why: str, what_if: str) -> LocationExplanation:
    return LocationExplanation(facts.location_id, False, why, (), False, _sentence(what_if))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _ships(assignment: Assignment) -> str:
    parts = ", ".join(f"{part.quantity} of {part.sku}" for part in assignment.lines)
    day = f", to be delivered by {assignment.deliver_by}" if assignment.deliver_by else ""
    return f"it ships {parts} for {assignment.cost}{day}"


def _in_words(reason: str, facts: LocationFacts) -> str:
    if reason.startswith(EXCLUDED_BY):
        return f"rule {reason.removeprefix(EXCLUDED_BY)} excludes it"
    if reason == facts.closed:
        return f"it ships nothing ({reason})"
    if reason == facts.refused:
        return f"this order may not go there ({reason})"
    if reason == facts.unreachable:
        return UNREACHED.get(reason, f"it does not deliver there by this method ({reason})")
    return REASONS.get(reason, reason)


def _in_vain(undone: Attempt) -> str:
    if not undone:
        return "even with all the stock and a shipment for nothing it would not be chosen"
    words = " and ".join(change.words for change in undone)
    return f"{words}; even then, and for nothing, it would not be chosen"
