"""Branch and bound over sets of locations, on bounds from line prices.

A set is extended only by a location that any better superset must have one of: a holder of the
scarcest line still missing, one that relieves a line stuck behind full capacities, or one that
saves more than it costs. Coverage of all lines at once is one addition of big integers. Where a
subtree turns out large, its own prices are found first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from math import inf
from operator import mul

from oms.domain.sourcing.coverage import Coverage
from oms.domain.sourcing.incumbent import Incumbent
from oms.domain.sourcing.pricing import Prices, Pricing, gains_at
from oms.domain.sourcing.shipping import EPSILON, Shipping

PATIENCE = 150  # nodes before subtrees get prices of their own
MANY = 12  # candidates that make new prices worth their while
STEPS = 12
TIME_CHECKS = 16  # nodes between two looks at the clock


class Search:
    """Sets are tuples of ranks: candidates numbered by reduced cost, ties by location id.

    `_choice` is what choosing a candidate adds to the bound, `_waiver` what barring it adds.
    """

    def __init__(self, incumbent: Incumbent, pricing: Pricing) -> None:
        network = incumbent.network
        ranked = sorted(zip(pricing.reduced, pricing.candidates, strict=True))
        self._incumbent, self._network, self._pricing = incumbent, network, pricing
        self._who = [i for _, i in ranked]
        self._choice = [max(0.0, reduced) for reduced, _ in ranked]
        self._waiver = [max(0.0, -reduced) for reduced, _ in ranked]
        self._fixed = [network.fixed[i] for i in self._who]
        self._least_fixed = min(self._fixed, default=inf)
        self._coverage = Coverage(network, pricing.opened, self._who)
        self._completions: dict[int, tuple[float, Sequence[int]]] = {}
        self._patience = incumbent.nodes + PATIENCE

    def run(self) -> None:
        opened = self._pricing.opened
        if not self._network.is_covered_by([*opened, *self._who]):
            return
        floor = self._cheapest_units() + self._network.fixed_cost(opened)
        self._explore((), self._coverage.of(opened), 0, self._pricing.bound, floor)

    def _cheapest_units(self) -> float:
        """What all units cost at least, whoever is chosen."""
        everyone = Shipping(self._network, [*self._pricing.opened, *self._who])
        return everyone.cost - self._network.fixed_cost(everyone.chosen)

    def _explore(
        self, chosen: tuple[int, ...], covered: int, barred: int, bound: float, floor: float
    ) -> None:
        """`bound` by prices, `floor` by fixed costs and the cheapest units: both must stay low."""
        incumbent = self._incumbent
        incumbent.nodes += 1
        if not incumbent.nodes % TIME_CHECKS:
            incumbent.check_time()
        if missing := self._coverage.missing(covered):
            cost, branch = self._completion(missing)
            floor_here = floor + cost
        else:
            branch, floor_here = (), floor
        if floor_here > incumbent.ceiling:
            return
        if incumbent.nodes > self._patience and self._is_large(bound):
            self._explore_repriced(chosen, barred, bound)
            return
        if not missing:
            branch = self._extensions(chosen, floor)
        self._branch(branch, chosen, covered, barred, bound, floor)

    def _branch(
        self,
        branch: Sequence[int],
        chosen: tuple[int, ...],
        covered: int,
        barred: int,
        bound: float,
        floor: float,
    ) -> None:
        incumbent, covers = self._incumbent, self._coverage.covers
        for rank in branch:
            if barred >> rank & 1:
                continue
            if bound + self._choice[rank] > incumbent.ceiling:
                break
            barred |= 1 << rank
            self._explore(
                (*chosen, rank),
                covered + covers[rank],
                barred,
                bound + self._choice[rank],
                floor + self._fixed[rank],
            )
            bound += self._waiver[rank]

    def _completion(self, missing: int) -> tuple[float, Sequence[int]]:
        """The fixed costs still to come, at least, and who may come next."""
        known = self._completions.get(missing)
        if known is None:
            cost = self._cheapest_completion(missing)
            known = self._completions[missing] = (cost, self._coverage.holders(missing))
        return known

    def _cheapest_completion(self, missing: int) -> float:
        """One location that gives towards all that is missing, or as many as it takes."""
        touched = [missing & touches for touches in self._coverage.touches]
        helpers = [
            (fixed, touch) for fixed, touch in zip(self._fixed, touched, strict=True) if touch
        ]
        one = min((fixed for fixed, touch in helpers if touch == missing), default=inf)
        if len(helpers) < 2:
            return one
        most = max(touch.bit_count() for _, touch in helpers)
        count = max(2, -(-missing.bit_count() // most))
        return min(one, sum(sorted(fixed for fixed, _ in helpers)[:count]))

    def _is_large(self, bound: float) -> bool:
        return bisect_right(self._choice, self._incumbent.ceiling - bound) > MANY

    def _explore_repriced(self, chosen: tuple[int, ...], barred: int, bound: float) -> None:
        opened = [*self._pricing.opened, *(self._who[rank] for rank in chosen)]
        within = bisect_right(self._choice, self._incumbent.ceiling - bound)
        candidates = [self._who[rank] for rank in range(within) if not barred >> rank & 1]
        pricing = Pricing(self._incumbent, opened, candidates, self._prices_with(opened))
        pricing.climb(STEPS)
        if not pricing.is_closed:
            pricing.narrow()
            Search(self._incumbent, pricing).run()

    def _prices_with(self, opened: Sequence[int]) -> Prices:
        """A line that the opened cover need not be worth more than it costs there."""
        network = self._network
        missing = network.uncovered(opened)
        return [
            price if missing[line] else min(price, self._dearest(line, opened))
            for line, price in enumerate(self._pricing.prices)
        ]

    def _dearest(self, line: int, opened: Iterable[int]) -> float:
        network = self._network
        return max(network.unit_costs(i)[line] for i in opened if network.supplies[i][line])

    def _extensions(self, chosen: tuple[int, ...], floor: float) -> Sequence[int]:
        """The chosen cover every line: offer them, then say who could make them cheaper still."""
        incumbent = self._incumbent
        incumbent.plans += 1
        opened = [*self._pricing.opened, *(self._who[rank] for rank in chosen)]
        shipping = Shipping(self._network, sorted(opened))
        if shipping.cost > incumbent.ceiling:
            return self._savers(shipping.line_prices(), floor)
        if not incumbent.accept(shipping):
            return self._relievers(shipping.stuck_lines)
        return self._savers(shipping.scarce_line_prices(), floor)

    def _savers(self, prices: Prices, floor: float) -> Sequence[int]:
        """Savings only shrink as more join: who saves too little now never will save more."""
        if floor + self._least_fixed > self._incumbent.ceiling:
            return ()
        if max(prices) == inf:
            return range(len(self._who))
        network = self._network
        gains = gains_at(prices, network.tariffs)
        return [
            rank
            for rank, i in enumerate(self._who)
            if sum(map(mul, gains[network.tariff_of[i]], network.supplies[i]))
            > network.fixed[i] + EPSILON
        ]

    def _relievers(self, lines: Iterable[int]) -> Sequence[int]:
        supplies = self._network.supplies
        return [
            rank for rank, i in enumerate(self._who) if any(supplies[i][line] for line in lines)
        ]
