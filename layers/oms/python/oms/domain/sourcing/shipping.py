"""The cheapest way to ship the whole order from a given set of locations.

Every line takes its cheapest units first. Where that asks more of a location than its capacity,
units are moved along the cheapest chains of exchanges, which keeps the whole optimal.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from oms.domain.sourcing.network import Network

EPSILON = 1e-6

Parts = list[dict[int, float]]  # by line: units by location


class Shipping:
    """`cost` is that of lines whose needs are covered, capacities aside, until `respect`."""

    __slots__ = ("_known", "chosen", "cost", "loads", "network", "parts", "stuck_lines")

    def __init__(self, network: Network, chosen: Sequence[int]) -> None:
        self.network, self.chosen = network, chosen
        self.cost = network.fixed_cost(chosen)
        self.loads = dict.fromkeys(chosen, 0.0)
        self.parts: Parts = []
        self.stuck_lines: set[int] = set()
        self._known: dict[int, list[_Exchange]] = {}
        self._fill()

    def quantities(self, i: int) -> tuple[int, ...]:
        return tuple(int(part.get(i, 0)) for part in self.parts)

    def _fill(self) -> None:
        network = self.network
        rows = [(i, network.supplies[i], network.unit_costs(i)) for i in self.chosen]
        for line, need in enumerate(network.needs):
            offers = [(costs[line], i, gives[line]) for i, gives, costs in rows if gives[line]]
            self.parts.append(self._part(need, offers) if need else {})

    def _part(self, need: float, offers: list[tuple[float, int, float]]) -> dict[int, float]:
        part: dict[int, float] = {}
        cheapest = min(offers)
        for cost, i, gives in (cheapest,) if cheapest[2] >= need else sorted(offers):
            taken = gives if gives < need else need
            part[i] = taken
            self.cost += cost * taken
            self.loads[i] += taken
            need -= taken
            if not need:
                break
        return part

    def respect_capacities(self) -> bool:
        """False when no exchange helps: then `stuck_lines` need another location."""
        capacities = self.network.capacities
        for i in self.chosen:
            while self.loads[i] > capacities[i]:
                if not self._relieve(i):
                    return False
        return True

    def _relieve(self, crowded: int) -> bool:
        """Move units from a crowded location to the nearest one, in cost, that has room."""
        room = self.network.capacities
        distances, via = self._chains(crowded)
        ends = [(d, i) for i, d in distances.items() if self.loads[i] < room[i]]
        if not ends:
            self.stuck_lines = {
                line
                for line, part in enumerate(self.parts)
                if not part.keys().isdisjoint(distances)
            }
            return False
        self._move(crowded, min(ends)[1], via)
        return True

    def _chains(self, start: int) -> tuple[dict[int, float], dict[int, _Exchange]]:
        distances, via = {start: 0.0}, {}
        changed = [start]
        while changed:
            giver = changed.pop(0)
            for exchange in self._exchanges(giver):
                distance = distances[giver] + exchange.cost
                if distance < distances.get(exchange.taker, inf) - EPSILON:
                    distances[exchange.taker] = distance
                    via[exchange.taker] = exchange
                    changed.append(exchange.taker)
        return distances, via

    def _exchanges(self, giver: int) -> list[_Exchange]:
        """The cheapest to each taker; kept until units move."""
        if giver not in self._known:
            self._known[giver] = list(self._cheapest_exchanges(giver).values())
        return self._known[giver]

    def _cheapest_exchanges(self, giver: int) -> dict[int, _Exchange]:
        supplies, cheapest = self.network.supplies, dict[int, _Exchange]()
        unit_costs = [(i, self.network.unit_costs(i)) for i in self.chosen if i != giver]
        own_costs = self.network.unit_costs(giver)
        for line, part in enumerate(self.parts):
            if given := part.get(giver):
                for taker, costs in unit_costs:
                    more = costs[line] - own_costs[line]
                    if taker in cheapest and cheapest[taker].cost <= more:
                        continue
                    if free := supplies[taker][line] - part.get(taker, 0.0):
                        units = free if free < given else given
                        cheapest[taker] = _Exchange(giver, taker, line, more, units)
        return cheapest

    def _move(self, crowded: int, end: int, via: dict[int, _Exchange]) -> None:
        capacities = self.network.capacities
        amount = min(self.loads[crowded] - capacities[crowded], capacities[end] - self.loads[end])
        chain = [via[end]]
        while chain[-1].giver != crowded:
            chain.append(via[chain[-1].giver])
        amount = min(amount, *(exchange.units for exchange in chain))
        for exchange in chain:
            self._exchange(exchange, amount)
        self._known.clear()

    def _exchange(self, exchange: _Exchange, amount: float) -> None:
        giver, taker, line, more, _ = exchange
        part = self.parts[line]
        if part[giver] > amount:
            part[giver] -= amount
        else:
            del part[giver]
        part[taker] = part.get(taker, 0.0) + amount
        self.loads[giver] -= amount
        self.loads[taker] += amount
        self.cost += more * amount

    def line_prices(self) -> list[float]:
        """What the dearest unit of each line costs, capacities aside."""
        return self._line_prices({})

    def scarce_line_prices(self) -> list[float]:
        """The same with the worth of full capacities: infinite when no location has room left.

        A further location saves at most what it would gain at these prices.
        """
        return self._line_prices(self._worth_of_capacity())

    def _line_prices(self, worth: dict[int, float]) -> list[float]:
        unit_costs = self.network.unit_costs
        return [
            max([unit_costs(i)[line] + worth.get(i, 0.0) for i in part], default=0.0)
            for line, part in enumerate(self.parts)
        ]

    def _worth_of_capacity(self) -> dict[int, float]:
        """What one unit of room saves at each full location: its cheapest chain to free room."""
        full = [i for i in self.chosen if self.loads[i] == self.network.capacities[i]]
        return {i: self._way_out(i) for i in full}

    def _way_out(self, start: int) -> float:
        distances, _ = self._chains(start)
        room = [d for i, d in distances.items() if self.loads[i] < self.network.capacities[i]]
        return min(room, default=inf)


class _Exchange(NamedTuple):
    giver: int
    taker: int
    line: int
    cost: float
    units: float
