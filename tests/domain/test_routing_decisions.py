from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import pytest

from infra.local.routing_instances import made_up
from oms.domain.lines import Part
from oms.domain.locations import LocationKind
from oms.domain.routing import decision as d
from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import Alternative, Decision, Demand, RoutingOutcome
from oms.domain.routing.rules import Objective, Rule, RuleSet, Then, Tier, When
from oms.domain.routing.snapshot import LocationFacts, OrderFacts, Snapshot, Wanted
from tests.domain.routing_cases import AT, PROMISED, order, place, used, wants

RULES = RuleSet("tried", 1)
CHEAPEST = RuleSet("tried", 1, Objective.CHEAPEST)


def routed(
    facts: OrderFacts,
    *places: LocationFacts,
    rule_set: RuleSet = RULES,
    budget: float | None = None,
) -> Decision:
    return route_order(Snapshot(facts, places, AT), rule_set, budget=budget)


def reasons(decision: Decision) -> dict[str, tuple[str, ...]]:
    return {each.location_id: each.reasons for each in decision.rejected}


def test_one_box_from_further_beats_two_that_a_walk_by_distance_would_send() -> None:
    near = place("A", {"MUG": 1}, lines=2, distance_km=10)
    far = place("B", {"MUG": 1, "CUP": 1}, distance_km=12)

    assert used(routed(order(*wants(MUG=1, CUP=1)), near, far)) == ["B"]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"closed": "outage"}, "outage"),
        ({"refused": "rejected"}, "rejected"),
        ({"methods": ("express",)}, d.METHOD_NOT_OFFERED),
        ({"unreachable": "no_rate"}, "no_rate"),
        ({"available": (("MUG", 0),)}, d.NO_STOCK),
        ({"available": (("MUG", -3),)}, d.NO_STOCK),
        ({"capacity": 0}, d.NO_CAPACITY),
        ({"kind": LocationKind.STORE}, "excluded_by_rule: no stores"),
        ({"deliver_by": date(2026, 3, 6)}, d.BREAKS_PROMISE),
        ({"deliver_by": None}, d.BREAKS_PROMISE),
        ({"handles": ()}, d.TAG_NOT_HANDLED),
    ],
)
def test_a_location_out_of_the_question_is_rejected_by_the_rule_that_rejects_it(
    facts: dict[str, Any], reason: str
) -> None:
    no_stores = Rule("no stores", then=Then(exclude_kinds=(LocationKind.STORE,)))
    rule_set = RuleSet("tried", 1, hard_promise=True, rules=(no_stores,))
    wanted = Wanted("l1", "MUG", 1, tags=("hazmat",))
    good = place("A", {"MUG": 1}, fixed=900, handles=("hazmat",))
    bad = replace(place("B", {"MUG": 1}, handles=("hazmat",)), **facts)

    decision = routed(order(wanted, deliver_by=PROMISED), good, bad, rule_set=rule_set)

    assert used(decision) == ["A"]
    assert reasons(decision) == {"B": (reason,)}


def test_all_that_speaks_against_a_location_is_told() -> None:
    out = place("B", {"MUG": 0}, closed="outage", capacity=0)

    decision = routed(order(*wants(MUG=1)), place("A", {"MUG": 1}), out)

    assert decision.rejected[0].reason == "outage"
    assert reasons(decision)["B"] == ("outage", d.NO_STOCK, d.NO_CAPACITY)


def test_an_order_for_pickup_is_shipped_from_nowhere_else() -> None:
    facts = order(*wants(MUG=1), pickup_location="B")
    shop = place("B", {"MUG": 1}, pickup=True)

    decision = routed(facts, place("A", {"MUG": 1}, fixed=1), shop)

    assert used(decision) == ["B"]
    assert reasons(decision) == {"A": (d.NOT_THE_PICKUP_LOCATION,)}
    assert reasons(routed(facts, replace(shop, pickup=False))) == {"B": (d.NO_PICKUP,)}


def test_a_line_that_may_not_be_handled_here_does_not_keep_the_others_away() -> None:
    wanted = (Wanted("l1", "ACID", 1, tags=("hazmat",)), Wanted("l2", "MUG", 1))
    shop = place("A", {"ACID": 5, "MUG": 1})
    plant = place("B", {"ACID": 1, "MUG": 0}, handles=("hazmat", "cold"))

    decision = routed(order(*wanted), shop, plant)

    assert [each.lines for each in decision.plan] == [
        (Demand("l2", "MUG", 1),),
        (Demand("l1", "ACID", 1),),
    ]


def test_a_kit_ships_whole_from_one_location() -> None:
    kit = Wanted("l1", "SET", 1, (Part("MUG", 1), Part("CUP", 2)))
    parts = place("A", {"MUG": 1, "CUP": 1}, lines=1), place("B", {"MUG": 0, "CUP": 1}, lines=1)
    whole = place("C", {"MUG": 1, "CUP": 2}, lines=1, fixed=9_000)

    assert used(routed(order(kit), *parts, whole)) == ["C"]
    assert routed(order(kit), *parts).backordered == (("l1", 1),)


def test_two_kits_that_share_a_part_never_take_more_of_it_than_there_is() -> None:
    first = Wanted("l1", "SET", 1, (Part("MUG", 1), Part("CUP", 1)))
    second = Wanted("l2", "BOX", 1, (Part("MUG", 1), Part("TEA", 1)))
    short = place("A", {"MUG": 1, "CUP": 1, "TEA": 1}, lines=2)

    assert routed(order(first, second), short).outcome is RoutingOutcome.BACKORDERED
    assert routed(order(first, second), short).backordered == (("l2", 1),)
    more = place("B", {"MUG": 1, "TEA": 1}, lines=2, fixed=900)
    assert [each.lines for each in routed(order(first, second), short, more).plan] == [
        (Demand("l1", "SET", 1),),
        (Demand("l2", "BOX", 1),),
    ]


def test_a_kit_and_its_part_share_what_there_is() -> None:
    kit = Wanted("l1", "SET", 2, (Part("MUG", 2),))
    mugs = Wanted("l2", "MUG", 1)

    assert routed(order(kit, mugs), place("A", {"MUG": 5}, lines=2)).proved
    assert routed(order(kit, mugs), place("A", {"MUG": 4}, lines=2)).backordered == (("l2", 1),)


def test_two_lines_of_one_sku_are_one_demand() -> None:
    lines = (Wanted("l1", "MUG", 2), Wanted("l2", "MUG", 2))

    short = routed(order(*lines), place("A", {"MUG": 3}, lines=2))
    split = routed(order(*lines), place("A", {"MUG": 3}, lines=2), place("B", {"MUG": 1}, lines=2))

    assert short.backordered == (("l2", 1),)
    assert [sum(part.quantity for part in each.lines) for each in split.plan] == [3, 1]


def test_what_of_an_order_can_be_filled_ships_when_parts_may() -> None:
    facts = order(*wants(MUG=3, CUP=1), allow_partial=True)
    places = (place("A", {"MUG": 2, "CUP": 1}), place("B", {"MUG": 5, "CUP": 0}, capacity=0))

    decision = routed(facts, *places)

    assert decision.outcome is RoutingOutcome.ROUTED
    assert decision.backordered == (("line_MUG", 1),)
    assert decision.plan[0].lines == (Demand("line_CUP", "CUP", 1), Demand("line_MUG", "MUG", 2))
    nothing = routed(facts, place("A", {"MUG": 0, "CUP": 0}))
    assert nothing.outcome is RoutingOutcome.BACKORDERED
    assert nothing.backordered == (("line_CUP", 1), ("line_MUG", 3))


def test_an_order_that_splits_too_often_waits_and_says_why() -> None:
    places = place("A", {"MUG": 1}, lines=2), place("B", {"CUP": 1}, lines=2)
    once = RuleSet("tried", 1, max_splits=0)

    decision = routed(order(*wants(MUG=1, CUP=1)), *places, rule_set=once)

    assert decision.outcome is RoutingOutcome.BACKORDERED
    assert decision.reason == d.TOO_MANY_SHIPMENTS
    assert decision.backordered == (("line_CUP", 1), ("line_MUG", 1))


def test_the_cheapest_plan_may_not_split_more_often_than_allowed() -> None:
    places = (
        place("A", {"MUG": 1, "CUP": 0}, fixed=1),
        place("B", {"MUG": 0, "CUP": 1}, fixed=1),
        place("C", {"MUG": 1, "CUP": 1}, fixed=900),
    )
    facts = order(*wants(MUG=1, CUP=1))

    assert used(routed(facts, *places, rule_set=CHEAPEST)) == ["A", "B"]
    assert used(routed(facts, *places, rule_set=replace(CHEAPEST, max_splits=0))) == ["C"]


def test_an_assignment_tells_its_days_and_its_cost() -> None:
    facts = place("A", {"MUG": 2}, ship_on=date(2026, 3, 3), ship_by=AT)

    (assignment,) = routed(order(*wants(MUG=2)), facts).plan

    assert (assignment.ship_on, assignment.ship_by) == (date(2026, 3, 3), AT)
    assert assignment.deliver_by == facts.deliver_by
    assert assignment.cost == 500 + 2 * 10


def test_costs_count_a_penalty_for_each_split() -> None:
    places = place("A", {"MUG": 1}, lines=2), place("B", {"CUP": 1}, lines=2)
    rule_set = RuleSet("tried", 1, split_penalty=70)

    decision = routed(order(*wants(MUG=1, CUP=1)), *places, rule_set=rule_set)

    assert decision.cost == decision.lower_bound == 2 * 510 + 70
    assert sum(each.cost for each in decision.plan) == 2 * 510


def test_within_the_band_the_stock_that_lasts_longer_ships() -> None:
    scarce = place("A", {"MUG": 1}, cover_days=(("MUG", 3),))
    plenty = place("B", {"MUG": 9}, fixed=540, cover_days=(("MUG", 50),))
    facts = order(*wants(MUG=1))

    assert used(routed(facts, scarce, plenty)) == ["A"]
    decision = routed(facts, scarce, plenty, rule_set=RuleSet("tried", 1, cost_band=40))
    assert used(decision) == ["B"]
    assert (decision.cost, decision.lower_bound) == (550, 510)
    assert decision.runner_up == Alternative(("A",), 510)


def test_the_fastest_plan_is_the_one_whose_last_box_arrives_first() -> None:
    slow = place("A", {"MUG": 1, "CUP": 1}, fixed=1, deliver_by=date(2026, 3, 9))
    fast = place("B", {"MUG": 1}, lines=2), place("C", {"CUP": 1}, lines=2)
    rule_set = RuleSet("tried", 1, Objective.FASTEST)

    assert used(routed(order(*wants(MUG=1, CUP=1)), slow, *fast, rule_set=rule_set)) == ["B", "C"]


def test_a_promise_is_kept_before_anything_is_saved() -> None:
    late = place("A", {"MUG": 1}, fixed=1, deliver_by=date(2026, 3, 6))
    facts = order(*wants(MUG=1), deliver_by=PROMISED)

    assert used(routed(facts, late, place("B", {"MUG": 1}))) == ["B"]
    assert used(routed(facts, late, place("B", {"MUG": 0}))) == ["A"]


def test_a_decision_names_what_it_was_made_by() -> None:
    vip = Rule("vip", When(customer_tiers=("gold",)), Then(objective=Objective.FASTEST))
    rule_set = RuleSet("main", 7, rules=(vip, Rule("other", When(channels=("shop",)))))

    decision = routed(
        order(*wants(MUG=1), customer_tier="gold"), place("A", {"MUG": 1}), rule_set=rule_set
    )

    assert (decision.rule_set, decision.version) == ("main", 7)
    assert (decision.objective, decision.rules) == ("fastest", ("vip",))


def test_an_order_of_nothing_needs_no_shipment() -> None:
    decision = routed(order(), place("A", {"MUG": 1}, lines=0, unit_costs=()))

    assert (decision.outcome, decision.plan, decision.cost) == (RoutingOutcome.ROUTED, (), 0)


def test_an_order_that_nobody_can_ship_waits() -> None:
    assert routed(order(*wants(MUG=1))).backordered == (("line_MUG", 1),)


@pytest.mark.parametrize("ticks", [0, 20, 200])
def test_out_of_budget_a_plan_stands_and_is_not_called_the_best(ticks: int) -> None:
    ticking = count()

    decision = route_order(
        from_network(50, 20, "sparse", 27),
        CHEAPEST,
        budget=ticks,
        clock=lambda: float(next(ticking)),
    )

    assert decision.outcome is RoutingOutcome.ROUTED
    assert not decision.proved
    assert decision.lower_bound <= 17_290 + 150 <= decision.cost + 150


def test_ties_without_end_are_not_compared_to_the_end_and_the_record_says_so() -> None:
    places = [
        place(f"L{n:03}", {"MUG": 1}, lines=1, distance_km=n % 7, deliver_by=None)
        for n in range(60)
    ]
    rule_set = RuleSet("tried", 1, tiers=(Tier.SHIPMENTS, Tier.COST, Tier.DISTANCE))

    decision = routed(order(*wants(MUG=6)), *places, rule_set=rule_set)

    assert len(decision.plan) == 6
    assert not decision.proved
    assert decision.uncompared == ("distance",)


def test_costs_beyond_all_measure_are_still_compared() -> None:
    """As of those who say with a huge figure that a location ships last."""
    places = [place(f"L{n:02}", {"MUG": 99}, fixed=999_999_999 - n) for n in range(60)]

    decision = routed(order(*wants(MUG=99)), *places, rule_set=CHEAPEST)

    assert used(decision) == ["L59"]
    assert decision.lower_bound == decision.cost


def test_no_tier_is_passed_over_for_a_later_one_that_is_smaller() -> None:
    tiers = (Tier.STOCK_HEALTH, Tier.DISTANCE, Tier.COST)
    cover = (("MUG", 5),)
    places = [
        place(f"L{n}", {"MUG": 10_000}, 10 + n, 0, distance_km=20_000 - n, cover_days=cover)
        for n in range(6)
    ]

    decision = routed(order(*wants(MUG=10_000)), *places, rule_set=RuleSet("tried", 1, tiers=tiers))

    assert used(decision) == ["L5"]


def test_a_bound_is_never_above_what_a_plan_costs() -> None:
    """Also where a penalty for every shipment has led to a plan of one, and two may ship it."""
    places = [
        place("A", {"MUG": 1}, fixed=3, unit=0),
        place("B", {"MUG": 1}, fixed=3, unit=1),
        place("C", {"MUG": 3}, fixed=3, unit=20),
    ]
    rule_set = RuleSet("tried", 1, Objective.CHEAPEST, max_splits=1)

    decision = routed(order(*wants(MUG=3)), *places, rule_set=rule_set)

    assert (decision.cost, decision.lower_bound, decision.proved) == (46, 46, True)


def from_network(locations: int, lines: int, regime: str, seed: int) -> Snapshot:
    made = made_up(locations, lines, regime, seed)
    places = tuple(
        LocationFacts(
            each.location_id,
            LocationKind.STORE,
            "US",
            tuple((f"S{line:02}", units) for line, units in enumerate(each.stock)),
            each.fixed_cost,
            each.unit_costs,
            each.capacity,
        )
        for each in made.sources
    )
    quantities = {f"S{line:02}": units for line, units in enumerate(made.quantities)}
    return Snapshot(order(*wants(**quantities)), places, AT)
