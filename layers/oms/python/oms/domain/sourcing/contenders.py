"""All sets of locations that may ship an order at no more than a given cost.

Line prices bound what any set costs (see `pricing`): a location that is chosen adds its reduced
cost to the bound when that is above zero, one that is not chosen when it is below. Few sets stay
under a ceiling near the optimum. A set that is told still has to be costed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf
from operator import mul
from typing import NamedTuple

from oms.domain.sourcing.coverage import Coverage
from oms.domain.sourcing.network import Network
from oms.domain.sourcing.plan import Source
from oms.domain.sourcing.pricing import best_loads, gains_at

TOLERANCE = 1e-9  # of the ceiling, for prices are no whole numbers


class TooManySets(Exception):
    """The bound leaves too many sets to look at."""


def sets_within(
    quantities: Sequence[int],
    sources: Sequence[Source],
    prices: Sequence[float],
    ceiling: int,
    *,
    most: float = inf,
    patience: int,
) -> Iterator[tuple[str, ...]]:
    """Sets of at most so many location ids that cover the order and perhaps cost no more.

    Raises TooManySets after looking at `patience` sets.
    """
    network = Network.read(quantities, sources, 0)
    bound, reduced = _bounds(network, prices)
    top = ceiling + TOLERANCE * (1 + ceiling)
    ranked = sorted((cost, i) for i, cost in enumerate(reduced) if bound + cost <= top)
    looking = _Sets(network, [i for _, i in ranked], [cost for cost, _ in ranked], top, patience)
    for chosen in looking.explore(_Chosen((), 0, 0.0), 0, bound, most):
        yield tuple(network.location_ids[i] for i in sorted(chosen))


def _bounds(network: Network, prices: Sequence[float]) -> tuple[float, list[float]]:
    """What any plan costs at least, and the reduced costs by location."""
    gains = gains_at(prices, network.tariffs)
    reduced = []
    for i, supply in enumerate(network.supplies):
        gain = gains[network.tariff_of[i]]
        loads = best_loads(gain, supply, network.capacities[i])
        reduced.append(network.fixed[i] - float(sum(map(mul, gain, loads))))
    worth = sum(map(mul, prices, network.needs))
    return worth + sum(cost for cost in reduced if cost < 0), reduced


class _Chosen(NamedTuple):
    """Locations with what they cover together, and their fixed costs."""

    who: tuple[int, ...]
    covered: int
    fixed: float


class _Sets:
    """Depth first through the locations, lowest reduced cost first: with each, then without."""

    def __init__(
        self, network: Network, who: list[int], reduced: list[float], top: float, patience: int
    ) -> None:
        self._who, self._top, self._patience = who, top, patience
        self._choice = [max(0.0, cost) for cost in reduced]
        self._waiver = [max(0.0, -cost) for cost in reduced]
        self._coverage = Coverage(network, (), who)
        self._rest = list(accumulate(reversed(self._coverage.covers), initial=0))[::-1]
        columns = zip(*network.tariffs, strict=True)
        self._fixed = [network.fixed[i] for i in who]
        self._top_of_fixed = top - sum(map(mul, map(min, columns), network.needs))

    def explore(
        self, chosen: _Chosen, rank: int, bound: float, slots: float
    ) -> Iterator[tuple[int, ...]]:
        """Sets that extend the chosen by at most so many of those from `rank` on."""
        self._patience -= 1
        if self._patience < 0:
            raise TooManySets
        if not self._coverage.missing(chosen.covered):
            yield chosen.who
        for at in range(rank, len(self._who)) if slots else ():
            further = bound + self._choice[at]
            if further > self._top or self._coverage.missing(chosen.covered + self._rest[at]):
                return
            if chosen.fixed + self._fixed[at] <= self._top_of_fixed:
                yield from self.explore(self._with(chosen, at), at + 1, further, slots - 1)
            bound += self._waiver[at]

    def _with(self, chosen: _Chosen, at: int) -> _Chosen:
        return _Chosen(
            (*chosen.who, self._who[at]),
            chosen.covered + self._coverage.covers[at],
            chosen.fixed + self._fixed[at],
        )
