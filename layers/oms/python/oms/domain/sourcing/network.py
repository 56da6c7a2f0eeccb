"""The network of one order as the solver reads it.

Costs and units are whole numbers held in floats, which multiply faster and stay exact far beyond
any order. Locations with nothing to give are left out; the rest stand in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import gcd, inf
from operator import attrgetter

from oms.domain.sourcing.plan import Source

Units = tuple[float, ...]


@dataclass(slots=True)
class Network:
    """Columns by location; many locations of a zone share one tariff, a row of unit costs.

    `capacities` that cannot bind are infinite. All costs of plans differ by multiples of `grain`.
    """

    needs: Units
    location_ids: list[str]
    fixed: list[float]
    supplies: list[Units]
    capacities: list[float]
    reach: list[float]
    tariffs: list[Units]
    tariff_of: list[int]
    grain: float

    @classmethod
    def read(cls, needs: Sequence[int], sources: Iterable[Source], penalty: int) -> Network:
        network = cls(tuple(map(float, needs)), [], [], [], [], [], [], [], 1.0)
        known: dict[tuple[int, ...], int] = {}
        for source in sorted(sources, key=attrgetter("location_id")):
            network._add(source, penalty, known)
        network.tariffs = [tuple(map(float, tariff)) for tariff in known]
        network.grain = network._grain()
        return network

    def _add(self, source: Source, penalty: int, known: dict[tuple[int, ...], int]) -> None:
        if not len(source.stock) == len(source.unit_costs) == len(self.needs):
            raise ValueError(f"{source.location_id} does not speak of {len(self.needs)} lines")
        supply = tuple(map(min, map(float, source.stock), self.needs))
        total = sum(supply)
        capacity = inf if source.capacity is None else float(source.capacity)
        if not total or not capacity:
            return
        self.location_ids.append(source.location_id)
        self.fixed.append(float(source.fixed_cost + penalty))
        self.supplies.append(supply)
        self.capacities.append(capacity if capacity < total else inf)
        self.reach.append(min(capacity, total))
        self.tariff_of.append(known.setdefault(source.unit_costs, len(known)))

    def __len__(self) -> int:
        return len(self.fixed)

    def unit_costs(self, i: int) -> Units:
        return self.tariffs[self.tariff_of[i]]

    def fixed_cost(self, chosen: Iterable[int]) -> float:
        return sum([self.fixed[i] for i in chosen])

    def uncovered(self, chosen: Iterable[int]) -> list[float]:
        """What the chosen lack by line, capacities aside."""
        missing = list(self.needs)
        for i in chosen:
            missing = remaining(missing, self.supplies[i])
        return missing

    def surplus(self, chosen: Sequence[int]) -> list[float]:
        """Units beyond the needs by line, and last beyond all needs within capacities."""
        given = map(sum, zip(*(self.supplies[i] for i in chosen), strict=True))
        spare = [units - need for units, need in zip(given, self.needs, strict=True)]
        return [*spare, sum([self.reach[i] for i in chosen]) - sum(self.needs)]

    def is_covered_by(self, chosen: Sequence[int]) -> bool:
        return bool(chosen) and min(self.surplus(chosen)) >= 0.0

    def _grain(self) -> float:
        steps = set(map(int, self.fixed))
        for column in zip(*self.tariffs, strict=True):
            steps.update(int(cost - column[0]) for cost in column)
        return float(gcd(*steps) or 1)


def remaining(missing: Sequence[float], supply: Units) -> list[float]:
    return [
        need - gives if need > gives else 0.0 for need, gives in zip(missing, supply, strict=True)
    ]
