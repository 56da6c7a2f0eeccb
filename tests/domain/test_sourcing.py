from collections.abc import Sequence
from itertools import combinations, count
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.routing_instances import Instance, made_up
from oms.domain.sourcing import Shipment, Source, SourcingPlan, source
from oms.domain.sourcing.contenders import TooManySets, sets_within
from oms.domain.sourcing.joint import Draw, Pool, Request, source_jointly

FEWEST_BOXES = 1_000_000  # a split penalty above all other costs


def place(
    name: str,
    *stock: int,
    fixed: int = 500,
    units: Sequence[int] | None = None,
    capacity: int | None = None,
) -> Source:
    return Source(name, fixed, tuple(units or [10] * len(stock)), stock, capacity)


def shipped(plan: SourcingPlan) -> dict[str, tuple[int, ...]]:
    return {shipment.location_id: shipment.quantities for shipment in plan.shipments}


def test_one_location_that_has_it_all_beats_two_that_have_a_part_each() -> None:
    plan = source([2, 1], [place("A", 2, 0), place("B", 0, 1), place("C", 2, 1, fixed=900)])

    assert plan.shipments == (Shipment("C", (2, 1)),)
    assert plan.cost == plan.lower_bound == 900 + 3 * 10
    assert plan.proved


def test_two_cheap_locations_beat_a_dear_one() -> None:
    plan = source([2, 1], [place("A", 2, 0), place("B", 0, 1), place("C", 2, 1, fixed=1_100)])

    assert shipped(plan) == {"A": (2, 0), "B": (0, 1)}


def test_a_split_penalty_is_paid_for_every_shipment_after_the_first() -> None:
    parts = [place("A", 2, 0), place("B", 0, 1)]

    assert source([2, 1], parts, split_penalty=150).cost == 2 * 500 + 3 * 10 + 150
    assert source([2, 0], parts, split_penalty=150).cost == 500 + 2 * 10


def test_a_high_split_penalty_asks_for_the_fewest_boxes() -> None:
    places = [place("A", 2, 0, fixed=1), place("B", 0, 1, fixed=1), place("C", 2, 1, fixed=9_000)]

    assert shipped(source([2, 1], places, split_penalty=FEWEST_BOXES)) == {"C": (2, 1)}


def test_a_line_is_split_when_nobody_has_it_whole() -> None:
    plan = source([5], [place("A", 3), place("B", 3, units=[9]), place("C", 1)])

    assert shipped(plan) == {"A": (2,), "B": (3,)}


def test_further_shipments_are_bought_when_they_save_more_than_they_cost() -> None:
    places = [place("A", 9, 9, units=[500, 10]), place("B", 9, 0, fixed=600, units=[100, 10])]

    assert shipped(source([2, 1], places)) == {"B": (2, 0), "A": (0, 1)}
    assert shipped(source([1, 1], places)) == {"A": (1, 1)}


def test_a_location_ships_no_more_units_than_its_capacity() -> None:
    plan = source([2, 2], [place("A", 2, 2, capacity=3), place("B", 2, 2, fixed=900)])

    assert shipped(plan) == {"B": (2, 2)}
    assert source([2, 2], [place("A", 2, 2, capacity=3), place("B", 0, 1)]).cost == 2 * 500 + 40


def test_scarce_capacity_goes_to_the_line_that_saves_most_there() -> None:
    cheap = place("CHEAP", 2, 2, fixed=0, units=[10, 10], capacity=2)
    dear = place("DEAR", 2, 2, fixed=0, units=[20, 90])

    assert shipped(source([2, 2], [cheap, dear])) == {"CHEAP": (0, 2), "DEAR": (2, 0)}


def test_what_nobody_has_enough_of_cannot_be_sourced() -> None:
    plan = source([2, 3], [place("A", 2, 1), place("B", 2, 1)])

    assert (plan.cost, plan.shipments, plan.proved) == (None, (), True)
    assert source([1], []).cost is None


def test_capacities_that_are_too_small_together_are_no_plan() -> None:
    places = [place("A", 9, 9, capacity=1), place("B", 9, 9, capacity=2)]

    assert source([2, 2], places).cost is None
    assert source([2, 1], places).cost == 2 * 500 + 30


def test_capacity_left_at_the_wrong_location_does_not_help() -> None:
    places = [place("A", 3, 3, capacity=1), place("B", 0, 3)]

    plan = source([2, 1], places)

    assert (plan.cost, plan.proved) == (None, True)


def test_an_order_of_nothing_needs_no_shipment() -> None:
    assert source([0, 0], [place("A", 1, 1)]) == source([], [])
    assert source([], []).cost == 0


def test_a_line_that_asks_for_nothing_is_no_hindrance() -> None:
    assert shipped(source([0, 2], [place("A", 0, 2)])) == {"A": (0, 2)}


def test_without_any_cost_there_is_still_a_plan() -> None:
    places = [place(f"L{i}", 1, 1, fixed=0, units=[0, 0]) for i in range(9)]

    plan = source([4, 4], places)

    assert (plan.cost, plan.proved) == (0, True)
    assert holds([4, 4], places, plan)


def test_a_single_location_ships_what_it_has() -> None:
    assert shipped(source([1, 2], [place("A", 9, 2)])) == {"A": (1, 2)}
    assert source([1, 3], [place("A", 9, 2)]).cost is None


def test_equal_costs_fall_to_the_first_location_id_whatever_the_order() -> None:
    places = [place(f"L{i}", 2, 2) for i in range(8)]

    for seed in range(5):
        Random(seed).shuffle(places)
        assert shipped(source([2, 2], places)) == {"L0": (2, 2)}


def test_the_order_of_the_sources_is_of_no_importance() -> None:
    instance = made_up(50, 10, "sparse", 3)
    backwards = source(instance.quantities, instance.sources[::-1])

    assert source(instance.quantities, instance.sources) == backwards


@pytest.mark.parametrize(
    ("locations", "lines", "regime", "seed", "optimum"),
    [  # proved by another solver
        (10, 3, "normal", 1, 4_178),
        (50, 10, "normal", 0, 3_601),
        (50, 10, "normal", 2, 4_412),
        (50, 10, "sparse", 0, 7_584),
        (50, 10, "sparse", 2, 7_339),
        (50, 20, "normal", 1, 5_673),
        (50, 20, "sparse", 27, 17_290),
        (200, 10, "sparse", 0, 6_624),
    ],
)
def test_large_networks_are_solved_to_the_optimum(
    locations: int, lines: int, regime: str, seed: int, optimum: int
) -> None:
    instance = made_up(locations, lines, regime, seed)

    plan = source(instance.quantities, instance.sources)

    assert plan.proved
    assert plan.cost == plan.lower_bound == optimum
    assert instance.is_filled_by(plan)


@pytest.mark.parametrize("ticks", [0, 5, 30, 60])
def test_out_of_time_the_best_plan_stands_with_an_honest_bound(ticks: int) -> None:
    instance = made_up(50, 20, "sparse", 27)
    ticking = count()

    plan = source(
        instance.quantities, instance.sources, budget=ticks, clock=lambda: float(next(ticking))
    )

    assert not plan.proved
    assert plan.cost is not None
    assert 0 < plan.lower_bound <= 17_290 <= plan.cost
    assert instance.is_filled_by(plan)


def test_a_plan_of_hundreds_of_shipments_is_found() -> None:
    places = [place(f"{i:03}", 1, fixed=100 + i % 7, units=[5 + i % 3]) for i in range(600)]

    plan = source([450], places, budget=0.2)

    assert len(plan.shipments) == 450
    assert plan.cost is not None
    assert plan.lower_bound <= plan.cost


def test_the_work_of_a_proof_is_told() -> None:
    instance = made_up(50, 20, "sparse", 27)

    work = source(instance.quantities, instance.sources).work

    assert min(work.relaxations, work.nodes, work.plans) > 0


def test_sources_that_do_not_fit_the_order_are_refused() -> None:
    with pytest.raises(ValueError, match="A does not speak of 2 lines"):
        source([1, 1], [place("A", 1)])
    with pytest.raises(ValueError, match="A has a cost, stock or capacity below zero"):
        place("A", -1)


stocks = st.integers(0, 3)
unit_costs = st.sampled_from([0, 1, 1, 5, 20])
fixed_costs = st.sampled_from([0, 0, 1, 3, 20])
capacities = st.none() | st.integers(0, 4)


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[int], list[Source], int]:
    quantities = draw(st.lists(st.integers(0, 2), min_size=1, max_size=3))
    row = len(quantities)
    sources = [
        Source(
            f"L{i}",
            draw(fixed_costs),
            tuple(draw(st.tuples(*[unit_costs] * row))),
            tuple(draw(st.tuples(*[stocks] * row))),
            draw(capacities),
        )
        for i in range(draw(st.integers(1, 5)))
    ]
    return quantities, sources, draw(st.sampled_from([0, 0, 3]))


@settings(max_examples=300, deadline=None)
@given(problems())
def test_a_plan_costs_what_trying_everything_finds(
    problem: tuple[list[int], list[Source], int],
) -> None:
    quantities, sources, penalty = problem

    plan = source(quantities, sources, split_penalty=penalty)

    assert plan.proved
    assert plan.cost == tried_everything(quantities, sources, penalty)
    assert plan.cost is None or holds(quantities, sources, plan, penalty)


def holds(
    quantities: Sequence[int], sources: Sequence[Source], plan: SourcingPlan, penalty: int = 0
) -> bool:
    """An instance knows no penalty of its own: it is a part of every fixed cost there."""
    assert plan.cost is not None
    paid = penalty * max(0, len(plan.shipments) - 1)
    unpenalized = SourcingPlan(plan.shipments, plan.cost - paid, 0, True, plan.work)
    return Instance("", tuple(quantities), tuple(sources)).is_filled_by(unpenalized)


def tried_everything(
    quantities: Sequence[int], sources: Sequence[Source], penalty: int
) -> int | None:
    costs = [
        units + sum(each.fixed_cost for each in chosen) + penalty * max(0, size - 1)
        for size in range(len(sources) + 1)
        for chosen in combinations(sources, size)
        if (units := cheapest_units(quantities, chosen)) is not None
    ]
    return min(costs, default=None)


def cheapest_units(quantities: Sequence[int], chosen: Sequence[Source]) -> int | None:
    """Unit by unit, every way to ship it; what is left at the chosen is all that matters."""
    left = tuple((99 if each.capacity is None else each.capacity, each.stock) for each in chosen)
    ways = {left: 0}
    for line in (line for line, quantity in enumerate(quantities) for _ in range(quantity)):
        further: dict[tuple[tuple[int, tuple[int, ...]], ...], int] = {}
        for left, cost in ways.items():
            for n, (room, stock) in enumerate(left):
                if room and stock[line]:
                    less = (*stock[:line], stock[line] - 1, *stock[line + 1 :])
                    after = (*left[:n], (room - 1, less), *left[n + 1 :])
                    total = cost + chosen[n].unit_costs[line]
                    further[after] = min(total, further.get(after, total))
        ways = further
    return min(ways.values(), default=None)


@settings(max_examples=200, deadline=None)
@given(problems(), st.sampled_from([0, 1, 6]))
def test_every_set_that_costs_little_more_is_among_those_told(
    problem: tuple[list[int], list[Source], int], band: int
) -> None:
    quantities, sources, _ = problem
    plan = source(quantities, sources)
    if plan.cost is None or not any(quantities):
        return
    ceiling = plan.cost + band

    told = set(sets_within(quantities, sources, plan.prices, ceiling, patience=10_000))

    for size in range(1, len(sources) + 1):
        for chosen in combinations(sources, size):
            units = cheapest_units(quantities, chosen)
            useful = all(any(each.stock) and each.capacity != 0 for each in chosen)
            paid = sum(each.fixed_cost for each in chosen)
            if useful and units is not None and units + paid <= ceiling:
                ids = tuple(sorted(each.location_id for each in chosen))
                assert ids in told or not gives_towards_all(quantities, chosen)


def gives_towards_all(quantities: Sequence[int], chosen: Sequence[Source]) -> bool:
    return all(any(map(min, each.stock, quantities)) for each in chosen)


def test_too_many_sets_are_not_all_told() -> None:
    places = [place(f"{i:02}", 1, fixed=0, units=[0]) for i in range(30)]
    plan = source([15], places)

    with pytest.raises(TooManySets):
        list(sets_within([15], places, plan.prices, 0, patience=500))


def test_sets_are_no_larger_than_asked_for() -> None:
    places = [place(f"{i}", 2, fixed=5) for i in range(4)]
    plan = source([2], places)

    assert plan.cost is not None
    told = sets_within([2], places, plan.prices, plan.cost + 100, most=1, patience=500)
    assert sorted(told) == [("0",), ("1",), ("2",), ("3",)]


def test_requests_that_want_the_same_stock_are_sourced_at_the_lowest_total_cost() -> None:
    near, far = place("A", 1, fixed=100), place("B", 1, fixed=110)
    requests = [Request((1,), (near, far)), Request((1,), (near, place("B", 1, fixed=500)))]
    pools = [Pool(name, 1, (Draw(0, 0, 1), Draw(1, 0, 1))) for name in "AB"]

    plan = source_jointly(requests, pools)

    assert [shipped(each) for each in plan.plans] == [{"B": (1,)}, {"A": (1,)}]
    assert (plan.cost, plan.lower_bound, plan.proved) == (230, 230, True)


def test_requests_that_want_more_than_there_is_have_no_joint_plan() -> None:
    requests = [Request((2,), (place("A", 3),)), Request((2,), (place("A", 3),))]

    plan = source_jointly(requests, [Pool("A", 3, (Draw(0, 0, 1), Draw(1, 0, 1)))])

    assert (plan.plans, plan.cost, plan.proved) == ((), None, True)
