"""One order, one decision: who ships what of it, from a snapshot, by a rule set.

Whoever is out of the question is set aside first, with every reason. The rest is solved exactly.
Nothing here depends on the order of the arguments: ties fall to the location id.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from oms.domain.routing.dealing import assignments
from oms.domain.routing.decision import (
    OUT_OF_BUDGET,
    TOO_MANY_SHIPMENTS,
    Alternative,
    Decision,
    RoutingOutcome,
)
from oms.domain.routing.planning import (
    Found,
    OutOfBudget,
    Planner,
    TooManyShipments,
    ids_of,
)
from oms.domain.routing.problem import Problem, shortage
from oms.domain.routing.rules import RuleSet, effective
from oms.domain.routing.snapshot import Snapshot
from oms.domain.sourcing.deadline import Deadline


def route_order(
    snapshot: Snapshot,
    rule_set: RuleSet,
    *,
    budget: float | None = None,
    clock: Callable[[], float] = perf_counter,
    runner_up: bool = True,
) -> Decision:
    """After `budget` seconds of the clock the best plan so far is the decision, not proved.

    Without `runner_up` none is looked for.
    """
    rules = effective(rule_set, snapshot.order)
    problem = Problem.read(snapshot, rules)
    planner = Planner(problem, Deadline.after(budget, clock))
    return replace(
        _decision(planner, problem, runner_up=runner_up),
        rejected=problem.rejected,
        objective=str(rules.objective),
        rule_set=rule_set.name,
        version=rule_set.version,
        rules=tuple(rule.name for rule in rules.matched),
    )


def _decision(planner: Planner, problem: Problem, *, runner_up: bool) -> Decision:
    try:
        if (found := planner.best(problem)) is not None:
            return _routed(planner, problem, found, runner_up=runner_up)
        shippable = planner.fillable(problem)
        if not planner.rules.allow_partial or not any(shippable):
            return Decision(RoutingOutcome.BACKORDERED, backordered=shortage(problem, shippable))
        part = problem.shipping(shippable)
        found = planner.best(part)
        return (
            _routed(planner, part, found, runner_up=runner_up)
            if found
            else _nothing(problem, OUT_OF_BUDGET)
        )
    except TooManyShipments:
        return _nothing(problem, TOO_MANY_SHIPMENTS)
    except OutOfBudget:
        return replace(_nothing(problem, OUT_OF_BUDGET), proved=False)


def _nothing(problem: Problem, reason: str) -> Decision:
    """There may be stock enough, but no plan: all of the order waits."""
    everything = shortage(problem, (0,) * len(problem.rows))
    return Decision(RoutingOutcome.BACKORDERED, backordered=everything, reason=reason)


def _routed(planner: Planner, problem: Problem, found: Found, *, runner_up: bool) -> Decision:
    other = planner.runner_up(problem, ids_of(found.shipments)) if runner_up else None
    return Decision(
        RoutingOutcome.ROUTED,
        plan=assignments(problem, found.shipments),
        cost=planner.cost(found.shipments),
        runner_up=Alternative(ids_of(other), planner.cost(other)) if other else None,
        backordered=shortage(problem, problem.quantities),
        proved=found.proved,
        lower_bound=found.lower_bound,
        uncompared=tuple(map(str, found.uncompared)),
    )
