"""Kept decisions, decided again by another rule set: figures that add up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import RoutingOutcome
from oms.domain.routing.kept import KeptDecision
from oms.domain.routing.rules import DEFAULT_RULES, Objective, Rule, RuleSet, Then
from oms.domain.routing.simulating import Comparison, Outcomes, added, compare, outcomes
from oms.domain.routing.snapshot import Snapshot
from tests.domain.routing_cases import AT, PROMISED, order, place, snapshots, wants

NEAR = place("NEAR", {"MUG": 5}, fixed=900)
FAR = place("FAR", {"MUG": 5}, fixed=300, deliver_by=date(2026, 3, 9))
TWO_MUGS = Snapshot(order(*wants(MUG=2), deliver_by=PROMISED), (NEAR, FAR), AT)
CHEAPEST = RuleSet("cheap", 1, Objective.CHEAPEST)


def kept(snapshot: Snapshot, rule_set: RuleSet = DEFAULT_RULES) -> KeptDecision:
    return KeptDecision(snapshot, route_order(snapshot, rule_set))


def test_what_goes_elsewhere_changes_cost_load_and_lateness() -> None:
    found = compare(kept(TWO_MUGS), CHEAPEST)

    assert found.changed == 1
    assert found.before == Outcomes(1, 1, 920, load={"NEAR": 2})
    assert found.after == Outcomes(1, 1, 320, late=1, load={"FAR": 2})
    assert (found.before.late_share, found.after.late_share) == (0.0, 1.0)


def test_a_shipment_without_a_day_is_late_when_a_day_was_promised() -> None:
    dayless = replace(NEAR, deliver_by=None)
    snapshot = replace(TWO_MUGS, locations=(dayless,))
    unpromised = replace(snapshot, order=replace(snapshot.order, deliver_by=None))

    assert compare(kept(snapshot), CHEAPEST).before.late == 1
    assert compare(kept(unpromised), CHEAPEST).before.late == 0


def test_an_order_that_nobody_ships_counts_as_waiting() -> None:
    nobody = RuleSet("closed", 1, rules=(Rule("none", then=Then(only=("NOWHERE",))),))
    found = compare(kept(TWO_MUGS), nobody)

    assert (found.after.backordered, found.after.shipments, found.after.load) == (1, 0, {})
    assert found.after.late_share == 0.0


@settings(max_examples=30, deadline=None)
@given(st.lists(snapshots(), max_size=3))
def test_the_rules_that_decided_change_nothing(cases: list[Snapshot]) -> None:
    found = added(compare(kept(each), DEFAULT_RULES) for each in cases)

    assert (found.changed, found.before) == (0, found.after)


@settings(max_examples=30, deadline=None)
@given(st.lists(snapshots(), max_size=3), st.integers(0, 3))
def test_figures_add_up_however_they_are_sliced(cases: list[Snapshot], cut: int) -> None:
    parts = [compare(kept(each), CHEAPEST) for each in cases]

    assert added(parts) == added(parts[:cut]).plus(added(parts[cut:]))
    assert Comparison().plus(added(parts)) == added(parts)


@settings(max_examples=30, deadline=None)
@given(snapshots())
def test_every_unit_that_is_shipped_is_somebody_s_load(snapshot: Snapshot) -> None:
    case = kept(snapshot)
    found = outcomes(case, case.decision)
    waiting = sum(units for _, units in case.decision.backordered)

    wanted = sum(each.quantity for each in snapshot.order.wanted)
    if case.decision.outcome is RoutingOutcome.ROUTED:
        assert sum(found.load.values()) + waiting == wanted
    else:
        assert found.load == {}
