"""The cheapest way to source an order, with its proof."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import ceil
from time import perf_counter

from oms.domain.sourcing.incumbent import Incumbent, OutOfTime
from oms.domain.sourcing.network import Network
from oms.domain.sourcing.opening import Planner, offer_single
from oms.domain.sourcing.plan import Shipment, Source, SourcingPlan, Work
from oms.domain.sourcing.pricing import Pricing, opening_prices
from oms.domain.sourcing.search import Search
from oms.domain.sourcing.shipping import EPSILON, Shipping

ROUNDS = ((5, True), (12, False), (25, True))  # steps of the prices; whether to try for plans
FEW = 10  # candidates that are searched faster than prices are climbed
MANY = 100  # candidates that tell of a plan far from the best


def source(
    quantities: Sequence[int],
    sources: Iterable[Source],
    *,
    split_penalty: int = 0,
    budget: float | None = None,
    clock: Callable[[], float] = perf_counter,
) -> SourcingPlan:
    """The plan of the lowest cost: fixed costs of those who ship, their units, penalties.

    Every shipment after the first costs `split_penalty` more. After `budget` seconds of the clock
    the best plan so far is the answer, with an honest bound. The order of `sources` does not
    matter.
    """
    deadline = None if budget is None else clock() + budget
    network = Network.read(quantities, sources, split_penalty)
    incumbent = Incumbent(network, clock, deadline)
    if not any(quantities):
        return SourcingPlan((), 0, 0, True, Work())
    if not network.is_covered_by(range(len(network))):
        return _unfillable(incumbent)
    pricing, proved = _solve(incumbent)
    if incumbent.shipping is None:
        return _unfillable(incumbent)
    plan = _plan(incumbent, incumbent.shipping, split_penalty)
    plan = replace(plan, prices=tuple(pricing.prices))
    return plan if proved else _unproved(plan, ceil(pricing.bound - EPSILON) - split_penalty)


def _unproved(plan: SourcingPlan, lower_bound: int) -> SourcingPlan:
    return replace(plan, lower_bound=max(0, lower_bound), proved=False)


def _unfillable(incumbent: Incumbent) -> SourcingPlan:
    return SourcingPlan((), None, 0, True, incumbent.work())


def _solve(incumbent: Incumbent) -> tuple[Pricing, bool]:
    """The prices that bound all plans, and whether the search came to its end.

    Plans of several hundred shipments nest the search too deep for a proof.
    """
    network = incumbent.network
    free = [i for i, fixed in enumerate(network.fixed) if not fixed]
    paid = [i for i, fixed in enumerate(network.fixed) if fixed]
    pricing = Pricing(incumbent, free, paid, opening_prices(network))
    try:
        _search(incumbent, pricing)
        return pricing, True
    except (OutOfTime, RecursionError):
        return pricing, pricing.is_closed


def _search(incumbent: Incumbent, pricing: Pricing) -> None:
    offer_single(incumbent)
    pricing.climb(1)
    if incumbent.shipping is None and not Planner(incumbent, pricing).open():
        return
    for steps, try_plans in ROUNDS:
        pricing.climb(steps)
        if try_plans and not pricing.is_closed:
            Planner(incumbent, pricing).improve()
        if pricing.is_closed:
            return
        pricing.narrow()
        if len(pricing.candidates) <= FEW:
            break
    if len(pricing.candidates) > MANY:
        Planner(incumbent, pricing).start_from_each()
        pricing.narrow()
    Search(incumbent, pricing).run()


def _plan(incumbent: Incumbent, shipping: Shipping, split_penalty: int) -> SourcingPlan:
    network = incumbent.network
    shipments = tuple(
        Shipment(network.location_ids[i], shipping.quantities(i))
        for i in shipping.chosen
        if shipping.loads[i]
    )
    idle = network.fixed_cost(i for i in shipping.chosen if not shipping.loads[i])
    cost = round(shipping.cost - idle) - split_penalty
    return SourcingPlan(shipments, cost, cost, True, incumbent.work())
