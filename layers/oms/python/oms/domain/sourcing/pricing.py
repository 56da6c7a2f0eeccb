"""Lower bounds from line prices: the Lagrangian dual of sourcing, climbed by subgradient steps.

Say that every unit of a line earns a price. A location then gains what its cheap units earn above
their cost, and its reduced cost is its fixed cost less that gain. Whatever the prices, any set of
locations that fills the order costs at least the needs at these prices plus the set's reduced
costs. Good prices make that bound high, and the reduced costs tell who cannot be in a better plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from operator import mul

from oms.domain.sourcing.incumbent import Incumbent
from oms.domain.sourcing.network import Network, Units

Prices = list[float]

MOMENTUM = 0.7  # share of the last direction in the next
FIRST_PACE = 0.7  # of the step that would close the gap if the bound were straight
SLOWDOWN, PATIENCE = 0.6, 3  # after so many steps without a gain


def opening_prices(network: Network) -> Prices:
    """A unit's cost where it is cheapest if the location ships all that it can."""
    prices = [inf] * len(network.needs)
    columns = zip(network.fixed, network.reach, network.tariff_of, network.supplies, strict=True)
    for fixed, reach, tariff, supply in columns:
        share = fixed / reach
        prices = [
            cost + share if gives and cost + share < price else price
            for price, cost, gives in zip(prices, network.tariffs[tariff], supply, strict=True)
        ]
    return [price if price < inf else 0.0 for price in prices]  # nobody asks for such a line


class Pricing:
    """Best prices found for `opened` locations, that any plan uses, and `candidates`, that it may.

    `reduced` are the candidates' reduced costs at these prices, `bound` what any plan costs.
    """

    def __init__(
        self,
        incumbent: Incumbent,
        opened: Sequence[int],
        candidates: Sequence[int],
        prices: Prices,
    ) -> None:
        self.network, self.incumbent = incumbent.network, incumbent
        self.opened = opened
        self.bound = -inf
        self._next = self.prices = prices
        self._direction = [0.0] * len(prices)
        self._pace, self._stalls = FIRST_PACE, 0
        self._set_candidates(candidates, [])

    def _set_candidates(self, candidates: Sequence[int], reduced: list[float]) -> None:
        network = self.network
        self.candidates, self.reduced = candidates, reduced
        rows = [*self.opened, *candidates]
        self._fixed = [network.fixed[i] for i in rows]
        self._supplies = [network.supplies[i] for i in rows]
        self._tariffs = [network.tariff_of[i] for i in rows]
        self._capacities = {
            row: network.capacities[i] for row, i in enumerate(rows) if network.capacities[i] != inf
        }

    @property
    def is_closed(self) -> bool:
        return self.bound > self.incumbent.ceiling

    def climb(self, steps: int) -> None:
        for _ in range(steps):
            unmet = self._relax()
            if self.is_closed or not self._step(unmet):
                break

    def narrow(self) -> None:
        """Drop the candidates that no cheaper plan can use."""
        self._sharpen()
        slack = self.incumbent.ceiling - self.bound
        kept = [
            (i, reduced)
            for i, reduced in zip(self.candidates, self.reduced, strict=True)
            if reduced <= slack
        ]
        self._set_candidates([i for i, _ in kept], [reduced for _, reduced in kept])

    def _sharpen(self) -> None:
        """Steps look at scarce capacity only where the bound depends on it; here all do."""
        gains = gains_at(self.prices, self.network.tariffs)
        opened = len(self.opened)
        for row in self._capacities:
            if row >= opened:
                self.reduced[row - opened] = self._reduced_by_capacity(row, gains)

    def _relax(self) -> list[float]:
        """Price everybody; what is left unmet, or met too often, says where prices should go."""
        self.incumbent.relaxations += 1
        gains = gains_at(self._next, self.network.tariffs)
        reduced = self._reduced(gains)
        used = [*range(len(self.opened))]
        used += [row for row in range(len(used), len(reduced)) if reduced[row] < 0.0]
        bound = sum(map(mul, self._next, self.network.needs)) + sum([reduced[row] for row in used])
        self._judge(bound, reduced)
        self.incumbent.check_time()
        return self._unmet(used, gains)

    def _reduced(self, gains: list[list[float]]) -> list[float]:
        reduced = [
            fixed - sum(map(mul, gains[tariff], supply))
            for fixed, tariff, supply in zip(
                self._fixed, self._tariffs, self._supplies, strict=True
            )
        ]
        for row in self._capacities:
            if reduced[row] < 0.0:
                reduced[row] = self._reduced_by_capacity(row, gains)
        return reduced

    def _reduced_by_capacity(self, row: int, gains: list[list[float]]) -> float:
        gain = gains[self._tariffs[row]]
        loads = best_loads(gain, self._supplies[row], self._capacities[row])
        return self._fixed[row] - float(sum(map(mul, gain, loads)))

    def _judge(self, bound: float, reduced: list[float]) -> None:
        if bound > self.bound:
            self.bound, self.prices = bound, self._next
            self.reduced = reduced[len(self.opened) :]
            self._stalls = 0
        else:
            self._stalls += 1

    def _unmet(self, used: Sequence[int], gains: list[list[float]]) -> list[float]:
        unmet = list(self.network.needs)
        for row in used:
            gain, supply = gains[self._tariffs[row]], self._supplies[row]
            if row in self._capacities:
                supply = best_loads(gain, supply, self._capacities[row])
            unmet = [
                need - gives if gained else need
                for need, gives, gained in zip(unmet, supply, gain, strict=True)
            ]
        return unmet

    def _step(self, unmet: list[float]) -> bool:
        """Move along what is unmet, with some momentum; back to the best prices after stalls."""
        start = self._next
        if self._stalls >= PATIENCE:
            self._pace *= SLOWDOWN
            self._stalls = 0
            start, self._direction = self.prices, [0.0] * len(unmet)
        direction = [
            now + MOMENTUM * before for now, before in zip(unmet, self._direction, strict=True)
        ]
        norm = sum(map(mul, direction, direction))
        if not norm:
            return False
        gap = min(self.incumbent.cost - self.bound, abs(self.bound))
        length = self._pace * max(gap, 1.0) / norm
        self._direction = direction
        moved = [price + length * way for price, way in zip(start, direction, strict=True)]
        self._next = [price if price > 0.0 else 0.0 for price in moved]
        return True


def gains_at(prices: Sequence[float], tariffs: list[Units]) -> list[list[float]]:
    """By tariff and line: what a unit earns above its cost."""
    return [
        [price - cost if price > cost else 0.0 for price, cost in zip(prices, tariff, strict=True)]
        for tariff in tariffs
    ]


def best_loads(gains: Sequence[float], supply: Units, capacity: float) -> Units:
    """What a location of scarce capacity ships: the units that gain most."""
    loads = [0.0] * len(supply)
    for line in sorted(range(len(supply)), key=gains.__getitem__, reverse=True):
        if capacity <= 0.0 or gains[line] <= 0.0:
            break
        loads[line] = taken = min(capacity, supply[line])
        capacity -= taken
    return tuple(loads)
