"""Decisions on small networks against every plan that there is."""

from dataclasses import replace
from itertools import product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import Decision, RoutingOutcome
from oms.domain.routing.rules import Objective, RuleSet, Tier
from oms.domain.routing.snapshot import Snapshot
from tests.domain.routing_cases import (
    allocations,
    amounts_of,
    is_possible,
    plan_of,
    plans_of_sets,
    snapshots,
    tiers_of,
    tried_everything,
    used,
)

tiers = st.lists(st.sampled_from(list(Tier)), max_size=6, unique=True).map(tuple)
rule_sets = st.builds(
    RuleSet,
    st.just("tried"),
    st.just(1),
    objective=st.sampled_from(Objective),
    tiers=st.just(()) | tiers,
    cost_band=st.sampled_from([0, 0, 2, 10]),
    split_penalty=st.sampled_from([0, 0, 4]),
    max_splits=st.sampled_from([None, None, 0, 1]),
)


def holds(snapshot: Snapshot, decision: Decision) -> bool:
    """All units, no more than any location has or can ship."""
    plan = plan_of(snapshot, decision)
    shipped = [sum(units) for units in zip(*plan.values(), strict=True)]
    short = dict(decision.backordered)
    asked = [w.quantity - short.get(w.line_id, 0) for w in snapshot.order.wanted]
    return shipped == asked and all(
        is_possible(snapshot, snapshot.location(name), units) for name, units in plan.items()
    )


@settings(max_examples=200, deadline=None)
@given(st.booleans().flatmap(lambda kits: snapshots(kits=kits)), rule_sets)
def test_no_plan_is_better_by_any_objective(snapshot: Snapshot, rule_set: RuleSet) -> None:
    decision = route_order(snapshot, rule_set)

    best = tried_everything(snapshot, rule_set)
    assert (decision.outcome is RoutingOutcome.ROUTED) == (best is not None)
    assert decision.proved
    if best is not None:
        assert amounts_of(snapshot, decision, rule_set) == best
        assert holds(snapshot, decision)
        assert decision.lower_bound <= decision.cost
        assert decision.lower_bound <= decision.cost <= decision.lower_bound + rule_set.cost_band


@settings(max_examples=100, deadline=None)
@given(snapshots(), rule_sets, st.randoms(use_true_random=False))
def test_nothing_depends_on_the_order_of_lines_and_locations(
    snapshot: Snapshot, rule_set: RuleSet, random: Random
) -> None:
    assert route_order(shuffled(snapshot, random), rule_set) == route_order(snapshot, rule_set)


def shuffled(snapshot: Snapshot, random: Random) -> Snapshot:
    lines = list(range(len(snapshot.order.wanted)))
    random.shuffle(lines)
    wanted = tuple(snapshot.order.wanted[line] for line in lines)
    locations = [
        replace(each, unit_costs=tuple(each.unit_costs[line] for line in lines))
        for each in snapshot.locations
    ]
    random.shuffle(locations)
    return Snapshot(replace(snapshot.order, wanted=wanted), tuple(locations), snapshot.at)


@settings(max_examples=100, deadline=None)
@given(snapshots(kits=True), rule_sets)
def test_the_runner_up_is_the_best_plan_without_one_of_the_chosen(
    snapshot: Snapshot, rule_set: RuleSet
) -> None:
    decision = route_order(snapshot, rule_set)

    upto_cost = tiers_of(snapshot, rule_set)
    upto_cost = upto_cost[: upto_cost.index(Tier.COST) + 1]
    others = {
        ids: tuple(has[tier] for tier in upto_cost)
        for ids, has in plans_of_sets(snapshot, rule_set).items()
        if not set(used(decision)) <= set(ids)
    }
    if decision.plan:
        best = min(others.values(), default=None)
        runner_up = decision.runner_up
        assert (runner_up and runner_up.cost) == (best and best[-1])
        if runner_up:
            assert not set(used(decision)) <= set(runner_up.location_ids)
            assert others[runner_up.location_ids] == best


@settings(max_examples=100, deadline=None)
@given(snapshots(kits=True), st.sampled_from(Objective))
def test_a_part_of_an_order_is_as_much_as_all_locations_can_ship(
    snapshot: Snapshot, objective: Objective
) -> None:
    partial = replace(snapshot, order=replace(snapshot.order, allow_partial=True))

    decision = route_order(partial, RuleSet("tried", 1, objective))

    wanted = snapshot.order.wanted
    short = sum(units for _, units in decision.backordered)
    assert not decision.plan or holds(partial, decision)
    assert short == sum(each.quantity for each in wanted) - most_units(snapshot)
    assert (decision.outcome is RoutingOutcome.ROUTED) == bool(decision.plan)


def most_units(snapshot: Snapshot) -> int:
    """The largest part of the order that there is any way to ship."""
    asked = [range(each.quantity + 1) for each in snapshot.order.wanted]
    return max(sum(part) for part in product(*asked) if can_ship(snapshot, part))


def can_ship(snapshot: Snapshot, part: tuple[int, ...]) -> bool:
    chosen = [n for n, units in enumerate(part) if units]
    wanted = tuple(replace(snapshot.order.wanted[n], quantity=part[n]) for n in chosen)
    places = tuple(replace(each, unit_costs=(0,) * len(chosen)) for each in snapshot.locations)
    smaller = Snapshot(replace(snapshot.order, wanted=wanted), places, snapshot.at)
    return next(allocations(smaller, places), None) is not None
