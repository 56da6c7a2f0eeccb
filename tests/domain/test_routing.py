from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain import routing
from oms.domain.inventory import Level
from oms.domain.locations import Location, LocationKind
from oms.domain.routing import (
    CROSS_BORDER_SURCHARGE,
    Alternative,
    Assignment,
    Decision,
    Demand,
    Destination,
    Rejection,
    RoutingOutcome,
    route,
)

FRANCE = Destination("FR")
Stock = dict[str, dict[str, int]]


def place(name: str, fixed: int = 500, unit: int = 10, country: str = "FR") -> Location:
    kind = LocationKind.WAREHOUSE
    return Location(name, name, kind, country, fixed_cost=fixed, unit_cost=unit)


def levels(stock: Mapping[str, Mapping[str, int]]) -> dict[str, list[Level]]:
    """From location -> SKU -> available."""
    found: dict[str, list[Level]] = {}
    for location, skus in stock.items():
        for sku, quantity in skus.items():
            found.setdefault(sku, []).append(Level(sku, location, quantity, quantity, 0))
    return found


def order(**quantities: int) -> list[Demand]:
    return [Demand(f"line_{sku}", sku, quantity) for sku, quantity in quantities.items()]


def used(decision: Decision) -> list[str]:
    return [assignment.location_id for assignment in decision.plan]


def test_the_cheapest_location_that_has_it_all_ships_it_all() -> None:
    stock = {"LYON": {"MUG": 5, "CUP": 5}, "PARIS": {"MUG": 5, "CUP": 5}}
    places = [place("LYON", fixed=600), place("PARIS", fixed=500)]

    decision = route(order(MUG=2, CUP=1), levels(stock), places, FRANCE)

    assert decision.outcome is RoutingOutcome.ROUTED
    assert decision.plan == (Assignment("PARIS", tuple(order(MUG=2, CUP=1))),)
    assert decision.cost == 500 + 3 * 10
    assert decision.runner_up == Alternative(("LYON",), 630)
    assert decision.proved


def test_one_box_from_further_beats_two_boxes_from_near() -> None:
    stock = {"A": {"MUG": 1}, "B": {"CUP": 1}, "C": {"MUG": 1, "CUP": 1}}
    places = [place("A", fixed=1), place("B", fixed=1), place("C", fixed=9_000)]

    assert used(route(order(MUG=1, CUP=1), levels(stock), places, FRANCE)) == ["C"]


def test_a_line_is_split_only_when_no_chosen_location_has_it_whole() -> None:
    stock = {"A": {"MUG": 4, "CUP": 1}, "B": {"MUG": 6}}
    places = [place("A", unit=1), place("B", unit=99)]

    whole = route(order(MUG=6, CUP=1), levels(stock), places, FRANCE)
    split = route(order(MUG=7, CUP=1), levels(stock), places, FRANCE)

    assert whole.plan[1].lines == (Demand("line_MUG", "MUG", 6),)
    assert [line.quantity for a in split.plan for line in a.lines if line.sku == "MUG"] == [4, 3]


def test_two_lines_of_one_sku_never_promise_the_same_unit_twice() -> None:
    mugs = [Demand("line_1", "MUG", 1), Demand("line_2", "MUG", 1)]

    decision = route(mugs, levels({"LYON": {"MUG": 1}}), [place("LYON")], FRANCE)

    assert decision.outcome is RoutingOutcome.BACKORDERED
    assert decision.backordered == (("line_2", 1),)


def test_two_lines_of_one_sku_are_dealt_whole_when_that_is_possible() -> None:
    mugs = [Demand("line_1", "MUG", 3), Demand("line_2", "MUG", 4)]
    stock = levels({"A": {"MUG": 3}, "B": {"MUG": 4}})

    decision = route(mugs, stock, [place("A"), place("B")], FRANCE)

    assert decision.plan == (Assignment("A", (mugs[0],)), Assignment("B", (mugs[1],)))


def test_what_nobody_has_backorders_the_whole_order_and_takes_nothing() -> None:
    stock = levels({"LYON": {"MUG": 9, "CUP": 1}})

    decision = route(order(MUG=1, CUP=3), stock, [place("LYON")], FRANCE)

    assert decision.outcome is RoutingOutcome.BACKORDERED
    assert decision.plan == ()
    assert decision.backordered == (("line_CUP", 2),)


def test_every_location_out_of_the_question_is_named_with_its_reason() -> None:
    stock = levels({"A": {"MUG": 1}, "B": {"MUG": 1}, "C": {"HAT": 1}, "D": {"MUG": 1}})
    places = [place("D"), replace(place("A"), active=False), place("B"), place("C")]

    decision = route(order(MUG=1), stock, places, FRANCE, {"B": "rejected this order"})

    assert used(decision) == ["D"]
    assert decision.rejected == (
        Rejection("A", routing.INACTIVE),
        Rejection("B", "rejected this order"),
        Rejection("C", routing.NO_STOCK),
    )


def test_stock_of_a_location_that_nobody_runs_is_not_promised() -> None:
    decision = route(order(MUG=1), levels({"GONE": {"MUG": 1}}), [place("LYON")], FRANCE)

    assert decision.outcome is RoutingOutcome.BACKORDERED


def test_crossing_a_border_costs_once_per_shipment() -> None:
    stock = levels({"BERN": {"MUG": 9}})

    decision = route(order(MUG=3), stock, [place("BERN", country="CH")], FRANCE)

    assert decision.cost == 500 + 3 * 10 + CROSS_BORDER_SURCHARGE


def test_equal_costs_fall_to_the_first_location_id() -> None:
    stock = levels({"B": {"MUG": 1}, "A": {"MUG": 1}, "C": {"MUG": 1}})

    decision = route(order(MUG=1), stock, [place("C"), place("B"), place("A")], FRANCE)

    assert used(decision) == ["A"]
    assert decision.runner_up == Alternative(("B",), decision.cost)


def test_without_an_alternative_there_is_no_runner_up() -> None:
    decision = route(order(MUG=1), levels({"A": {"MUG": 1}}), [place("A")], FRANCE)

    assert decision.runner_up is None


def test_a_search_cut_short_still_fills_the_order_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routing, "MAX_WORK", 5)
    skus = [f"S{i}" for i in range(12)]
    stock = {f"L{i:02}": {skus[i]: 1, skus[(i + 5) % 12]: 1} for i in range(12)}

    decision = route(
        order(**dict.fromkeys(skus, 1)), levels(stock), list(map(place, stock)), FRANCE
    )

    assert not decision.proved
    assert decision.outcome is RoutingOutcome.ROUTED
    check_plan(decision, order(**dict.fromkeys(skus, 1)), stock)


@pytest.mark.parametrize(("available", "shipments"), [(50, 1), (9, 4)])
def test_an_order_of_1114_lines_is_routed_in_well_under_a_second(
    available: int, shipments: int
) -> None:
    demand = [Demand(f"line_{i}", f"S{i}", 1 + i % 9) for i in range(1_114)]
    stock: Stock = {
        f"L{n}": {d.sku: available for i, d in enumerate(demand) if shipments == 1 or i % 4 == n}
        for n in range(4)
    }

    started = process_time()
    decision = route(demand, levels(stock), list(map(place, stock)), FRANCE)

    assert process_time() - started < 0.5
    assert len(decision.plan) == shipments
    assert decision.proved
    check_plan(decision, demand, stock)


def test_a_demand_of_nothing_is_no_demand() -> None:
    with pytest.raises(ValueError, match="line_1"):
        Demand("line_1", "MUG", 0)


names = [f"L{i}" for i in range(5)]
skus = ["A", "B", "C", "D"]
lines = st.lists(st.tuples(st.sampled_from(skus), st.integers(1, 5)), min_size=1, max_size=6)
stocks = st.fixed_dictionaries(
    {name: st.dictionaries(st.sampled_from(skus), st.integers(0, 6)) for name in names}
)
costs = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from(["FR", "CH"])),
    min_size=len(names),
    max_size=len(names),
)


@settings(max_examples=300, deadline=None)
@given(lines, stocks, costs, st.randoms(use_true_random=False))
def test_a_plan_is_the_one_that_trying_everything_finds(
    wanted: list[tuple[str, int]],
    stock: Stock,
    costs: list[tuple[int, int, str]],
    shuffler: object,
) -> None:
    demand = [Demand(f"line_{i}", sku, quantity) for i, (sku, quantity) in enumerate(wanted)]
    places = [place(name, *cost) for name, cost in zip(names, costs, strict=True)]
    best = tried_everything(demand, stock, places)

    decision = route(demand, levels(stock), places, FRANCE)
    shuffler.shuffle(places)  # type: ignore[attr-defined]

    assert decision.proved
    assert (decision.outcome is RoutingOutcome.ROUTED) == bool(best)
    if best:
        check_plan(decision, demand, stock)
        assert (len(decision.plan), decision.cost) == best[0]
        second = decision.runner_up.cost if decision.runner_up else None
        assert second == (best[1][1] if len(best) > 1 and best[1][0] == best[0][0] else None)
    assert route(demand, levels(stock), places, FRANCE) == decision


def check_plan(decision: Decision, demand: Sequence[Demand], stock: Stock) -> None:
    """Every line is covered exactly, and nobody gives more than is available."""
    asked = Counter({(line.line_id, line.sku): line.quantity for line in demand})
    planned: Counter[tuple[str, str]] = Counter()
    taken: Counter[tuple[str, str]] = Counter()
    for assignment in decision.plan:
        for part in assignment.lines:
            planned[part.line_id, part.sku] += part.quantity
            taken[assignment.location_id, part.sku] += part.quantity
    assert planned == asked
    assert all(stock[location][sku] >= units for (location, sku), units in taken.items())


def tried_everything(
    demand: Sequence[Demand], stock: Stock, places: Sequence[Location]
) -> list[tuple[int, int]]:
    """Size and cost of every smallest set of locations that covers the demand, best first."""
    need: Counter[str] = Counter()
    for line in demand:
        need[line.sku] += line.quantity
    for size in range(1, len(places) + 1):
        costs = [
            sum(map(cost_of_shipment, chosen))
            + sum(units_cost(sku, need[sku], stock, chosen) for sku in need)
            for chosen in combinations(places, size)
            if all(
                sum(stock[c.location_id].get(sku, 0) for c in chosen) >= need[sku] for sku in need
            )
        ]
        if costs:
            return [(size, cost) for cost in sorted(costs)]
    return []


def cost_of_shipment(location: Location) -> int:
    return location.fixed_cost + (CROSS_BORDER_SURCHARGE if location.country != "FR" else 0)


def units_cost(sku: str, needed: int, stock: Stock, chosen: Sequence[Location]) -> int:
    """Whole from the cheapest that has it whole, else unit by unit from the cheapest."""
    whole = [c.unit_cost for c in chosen if stock[c.location_id].get(sku, 0) >= needed]
    units = sorted(c.unit_cost for c in chosen for _ in range(stock[c.location_id].get(sku, 0)))
    return min(whole) * needed if whole else sum(units[:needed])
