"""Orders that want the same stock, decided together."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.bench_routing import in_windows, together
from infra.local.routing_instances import scarce
from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import RoutingOutcome
from oms.domain.routing.rules import Objective, RuleSet, Tier
from oms.domain.routing.snapshot import LocationFacts, Snapshot
from oms.domain.routing.windows import WindowDecision, route_window
from tests.domain.routing_cases import (
    AT,
    Plan,
    allocations,
    amounts,
    order,
    place,
    plan_of,
    used,
    wants,
)

CHEAPEST = RuleSet("tried", 1, Objective.CHEAPEST)


def snapshot(order_id: str, *places: LocationFacts, **wanted: int) -> Snapshot:
    return Snapshot(order(*wants(**wanted), order_id=order_id), places, AT)


def chosen(window: WindowDecision) -> list[list[str]]:
    return [used(each.decision) for each in window.decisions]


def test_the_first_order_leaves_the_near_stock_to_the_one_that_needs_it_more() -> None:
    first = snapshot(
        "1", place("A", {"MUG": 1}, fixed=500), place("B", {"MUG": 1}, fixed=510), MUG=1
    )
    second = snapshot(
        "2", place("A", {"MUG": 1}, fixed=500), place("B", {"MUG": 1}, fixed=900), MUG=1
    )

    window = route_window([first, second], CHEAPEST)

    assert used(route_order(first, CHEAPEST)) == ["A"]
    assert chosen(window) == [["B"], ["A"]]
    assert window.proved


def test_every_decision_is_kept_with_what_the_others_left_to_it() -> None:
    orders = [snapshot(n, place("A", {"MUG": 3}, capacity=4), MUG=1) for n in "12"]

    window = route_window(orders, CHEAPEST)

    for kept in window.decisions:
        assert kept.snapshot.location("A").available == (("MUG", 2),)
        assert kept.snapshot.location("A").capacity == 3
        assert route_order(kept.snapshot, CHEAPEST) == kept.decision


def test_the_order_that_came_first_is_filled_when_there_is_not_enough_for_both() -> None:
    orders = [snapshot(n, place("A", {"MUG": 1}), MUG=1) for n in "21"]

    window = route_window(orders, CHEAPEST)

    assert [each.decision.outcome for each in window.decisions] == [
        RoutingOutcome.BACKORDERED,
        RoutingOutcome.ROUTED,
    ]


def test_an_order_is_not_left_waiting_because_another_could_have_gone_elsewhere() -> None:
    picky = snapshot("2", place("A", {"MUG": 1}, fixed=1), MUG=1)
    easy = snapshot("1", place("A", {"MUG": 1}, fixed=1), place("B", {"MUG": 1}), MUG=1)

    assert chosen(route_window([easy, picky], CHEAPEST)) == [["B"], ["A"]]


def test_orders_share_the_capacity_of_a_location() -> None:
    places = place("A", {"MUG": 9}, fixed=1, capacity=3), place("B", {"MUG": 9})
    orders = [snapshot(n, *places, MUG=2) for n in "12"]

    window = route_window(orders, RuleSet("tried", 1))

    assert sorted(chosen(window)) == [["A"], ["B"]]


def test_what_is_shared_may_be_told() -> None:
    orders = [snapshot(n, place("A", {"MUG": 2}), MUG=2) for n in "12"]

    assert chosen(route_window(orders, CHEAPEST, shared={("MUG", "A"): 4})) == [["A"], ["A"]]
    assert chosen(route_window(orders, CHEAPEST)) == [["A"], []]


def test_an_order_may_ship_in_part_beside_the_others() -> None:
    first = snapshot("1", place("A", {"MUG": 3}), MUG=5)
    first = replace(first, order=replace(first.order, allow_partial=True))
    second = snapshot("2", place("A", {"MUG": 3}), MUG=1)

    window = route_window([first, second], CHEAPEST)

    taken = [sum(p.quantity for a in k.decision.plan for p in a.lines) for k in window.decisions]
    assert sum(taken) <= 3
    assert taken[0] >= 2


def test_an_order_is_in_a_window_once() -> None:
    twice = snapshot("1", place("A", {"MUG": 1}), MUG=1)

    with pytest.raises(ValueError, match="twice"):
        route_window([twice, twice], CHEAPEST)


def test_a_window_of_nothing_decides_nothing() -> None:
    assert route_window([], CHEAPEST).decisions == ()


def test_out_of_budget_a_window_still_decides_and_is_not_called_proved() -> None:
    orders = [
        snapshot(
            n, place("A", {"MUG": 1, "CUP": 2}), place("B", {"MUG": 2, "CUP": 1}), MUG=1, CUP=1
        )
        for n in "123"
    ]

    window = route_window(orders, CHEAPEST, budget=0.0)

    assert not window.proved
    assert all(each.decision.plan for each in window.decisions)


@st.composite
def windows(draw: st.DrawFn) -> list[Snapshot]:
    stock = (
        {name: draw(st.integers(0, 3)) for name in "AB"},
        {n: draw(st.integers(0, 3)) for n in "AB"},
    )
    costs = st.sampled_from([0, 1, 5, 20])
    orders = []
    for number in range(draw(st.integers(1, 3))):
        skus = draw(st.lists(st.sampled_from("AB"), min_size=1, max_size=2, unique=True))
        wanted = {sku: draw(st.integers(1, 2)) for sku in skus}
        places = [
            place(f"L{n}", here, fixed=draw(costs), unit=draw(costs), lines=len(wanted))
            for n, here in enumerate(stock)
        ]
        orders.append(snapshot(f"{number}", *places, **wanted))
    return orders


@settings(max_examples=150, deadline=None)
@given(windows())
def test_orders_together_cost_what_trying_everything_finds(orders: list[Snapshot]) -> None:
    window = route_window(orders, CHEAPEST)

    decisions = [each.decision for each in window.decisions]
    assert fits(orders, [plan_of(o, d) for o, d in zip(orders, decisions, strict=True)])
    if all(decision.plan for decision in decisions):
        assert window.proved
        assert sum(decision.cost for decision in decisions) == cheapest_together(orders)
    else:
        assert cheapest_together(orders) is None


def cheapest_together(orders: list[Snapshot]) -> int | None:
    ways = [list(allocations(each, each.locations)) for each in orders]
    return min(
        (cost_of(orders, plans) for plans in product(*ways) if fits(orders, plans)), default=None
    )


def cost_of(orders: list[Snapshot], plans: tuple[Plan, ...]) -> int:
    return sum(
        amounts(each, {name: units for name, units in plan.items() if any(units)}, CHEAPEST)[
            Tier.COST
        ]
        for each, plan in zip(orders, plans, strict=True)
    )


def fits(orders: Sequence[Snapshot], plans: Sequence[Plan]) -> bool:
    left = {
        (each.location_id, item): units
        for each in orders[0].locations
        for item, units in each.available
    }
    for each, plan in zip(orders, plans, strict=True):
        for name, units in plan.items():
            for wanted, count in zip(each.order.wanted, units, strict=True):
                left[name, wanted.sku] -= count
    return min(left.values()) >= 0


@pytest.mark.parametrize(("seed", "optimum"), [(0, 27_201), (1, 23_141), (7, 25_214)])
def test_the_joint_optimum_of_ten_orders_is_found(seed: int, optimum: int) -> None:
    """Proved by another solver."""
    given_stock = scarce(seed)

    plan = together(given_stock.orders, given_stock.stock, 60.0)

    assert plan.proved
    assert plan.cost == plan.lower_bound == optimum
    assert optimum <= in_windows(given_stock, 5)
