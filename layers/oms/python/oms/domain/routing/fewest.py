"""Which locations ship an order: the fewest that have it all, the cheapest among those.

Locations that are out of the question are set aside first, each with its reason. Among the rest
an exact search looks at sets of one, two, three… locations, prunes what cannot be filled or cannot
be cheaper, and says whether it came to the end (`proved`) or its bound on work stopped it. Nothing
here depends on the order of the arguments: ties fall to the lower cost, then to the location id.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import NamedTuple

from oms.domain.inventory import Level
from oms.domain.locations import Location
from oms.domain.routing.decision import (
    INACTIVE,
    NO_STOCK,
    Alternative,
    Assignment,
    Decision,
    Demand,
    Destination,
    Rejection,
    RoutingOutcome,
)

CROSS_BORDER_SURCHARGE = 1_500  # minor units, once per shipment
MAX_WORK = 1_000_000  # stock figures that the search may look at: a fraction of a second


def route(
    demand: Sequence[Demand],
    levels: Mapping[str, Sequence[Level]],
    locations: Sequence[Location],
    destination: Destination,
    excluded: Mapping[str, str] | None = None,
) -> Decision:
    """Decide who ships the whole order, or say what of it nobody can ship.

    `excluded` maps location ids to the reason why they may not ship this order.
    """
    stock = _Stock.for_demand(demand, levels)
    rejected = tuple(_rejections(locations, stock, excluded or {}))
    out = {rejection.location_id for rejection in rejected}
    left = [location for location in locations if location.location_id not in out]
    if short := stock.short_lines(demand, left):
        return Decision(RoutingOutcome.BACKORDERED, rejected=rejected, backordered=short)
    candidates = _ranked(left, stock, destination)
    search = _Search(candidates, stock.figures(candidates))
    return _decision(search, candidates, demand, stock, rejected)


def _decision(
    search: _Search,
    candidates: Sequence[_Candidate],
    demand: Sequence[Demand],
    stock: _Stock,
    rejected: tuple[Rejection, ...],
) -> Decision:
    plans = search.run()
    chosen = [candidates[i] for i in sorted(plans[0].chosen)]
    return Decision(
        RoutingOutcome.ROUTED,
        plan=_assignments(chosen, demand, stock),
        cost=plans[0].cost,
        runner_up=_alternative(plans[1], candidates) if len(plans) > 1 else None,
        rejected=rejected,
        proved=search.work <= MAX_WORK,
    )


def _rejections(
    locations: Sequence[Location], stock: _Stock, excluded: Mapping[str, str]
) -> Iterator[Rejection]:
    for location in sorted(locations, key=lambda location: location.location_id):
        if not location.active:
            yield Rejection(location.location_id, INACTIVE)
        elif location.location_id in excluded:
            yield Rejection(location.location_id, excluded[location.location_id])
        elif not stock.supply[location.location_id]:
            yield Rejection(location.location_id, NO_STOCK)


@dataclass(frozen=True)
class _Stock:
    """What is needed per SKU, and what each location can give towards it, by location and SKU."""

    need: Mapping[str, int]
    supply: Mapping[str, Mapping[str, int]]

    @classmethod
    def for_demand(cls, demand: Sequence[Demand], levels: Mapping[str, Sequence[Level]]) -> _Stock:
        need: Counter[str] = Counter()
        for line in demand:
            need[line.sku] += line.quantity
        supply: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for sku, needed in need.items():
            for level in levels.get(sku, ()):
                if level.available > 0:
                    supply[level.location][sku] = min(level.available, needed)
        return cls(need, supply)

    def short_lines(
        self, demand: Sequence[Demand], locations: Sequence[Location]
    ) -> tuple[tuple[str, int], ...]:
        """Units that all locations together lack, counted against the last lines first."""
        lacking = Counter(self.need)
        for location in locations:
            lacking.subtract(self.supply[location.location_id])
        short = []
        for line in reversed(demand):
            if (missing := min(line.quantity, lacking[line.sku])) > 0:
                lacking[line.sku] -= missing
                short.append((line.line_id, missing))
        return tuple(reversed(short))

    def figures(self, candidates: Sequence[_Candidate]) -> tuple[_Figure, ...]:
        """SKUs that constrain the choice alike are one figure: long orders shrink to a few."""
        weights: Counter[tuple[int, tuple[int, ...]]] = Counter()
        for sku, needed in self.need.items():
            gives = tuple(self.supply[c.location_id].get(sku, 0) for c in candidates)
            if set(gives) <= {0, needed}:
                weights[1, tuple(give // needed for give in gives)] += needed
            else:
                weights[needed, gives] += 1
        return tuple(_Figure(*figure, weight) for figure, weight in sorted(weights.items()))


class _Candidate(NamedTuple):
    location_id: str
    fixed: int
    unit: int


class _Figure(NamedTuple):
    """A need, what each candidate gives towards it, and how many SKUs or units it stands for."""

    need: int
    gives: tuple[int, ...]
    weight: int


class _Plan(NamedTuple):
    cost: int
    chosen: tuple[int, ...]


def _ranked(
    locations: Sequence[Location], stock: _Stock, destination: Destination
) -> list[_Candidate]:
    """Cheapest for the whole order first, so that good plans are found early."""
    units = sum(stock.need.values())
    candidates = (
        _Candidate(
            location.location_id,
            location.fixed_cost + _surcharge(location, destination),
            location.unit_cost,
        )
        for location in locations
    )
    return sorted(candidates, key=lambda c: (c.fixed + c.unit * units, c.location_id))


def _surcharge(location: Location, destination: Destination) -> int:
    return 0 if location.country == destination.country else CROSS_BORDER_SURCHARGE


class _Search:
    """Branch and bound over sets of candidates, small sets first; keeps the two best of a size."""

    def __init__(self, candidates: Sequence[_Candidate], figures: Sequence[_Figure]) -> None:
        self.work = 0
        self._candidates = candidates
        self._figures = figures
        self._cheapest_fixed = min((c.fixed for c in candidates), default=0)
        self._cheapest_units = sum(self._cheapest_filling(figure) for figure in figures)
        self._best: list[_Plan] = []

    def run(self) -> list[_Plan]:
        """The best plan and its runner-up; the greedy plan stands in when the work is too much."""
        everyone = tuple(range(len(self._candidates)))
        greedy = self._greedy()
        for size in range(1, len(greedy) + 1):
            if size == len(greedy):
                self._keep(greedy)
            self._explore((), everyone, size)
            if self._best or self.work > MAX_WORK:
                break
        return self._best or [_Plan(self._cost(greedy), greedy)]

    def _explore(self, chosen: tuple[int, ...], left: tuple[int, ...], slots: int) -> None:
        """Extend `chosen` by exactly `slots` of `left`."""
        self.work += len(self._figures)
        if self.work > MAX_WORK or self._cannot_win(chosen, slots):
            return
        unmet = self._unmet(chosen)
        if not unmet:
            self._keep(chosen)
        elif slots:
            self._branch(chosen, left, slots, unmet)

    def _branch(
        self,
        chosen: tuple[int, ...],
        left: tuple[int, ...],
        slots: int,
        unmet: Sequence[tuple[int, _Figure]],
    ) -> None:
        """Somebody must give towards the figure that the fewest can help: try each of them."""
        helpers = self._fewest_helpers(left, slots, unmet)
        for helper in helpers:
            left = tuple(i for i in left if i != helper)
            self._explore((*chosen, helper), left, slots - 1)

    def _fewest_helpers(
        self, left: tuple[int, ...], slots: int, unmet: Sequence[tuple[int, _Figure]]
    ) -> Sequence[int]:
        """Nobody, when some figure cannot be met by any `slots` of `left`."""
        fewest: Sequence[int] = left
        for missing, figure in unmet:
            helpers = [i for i in left if figure.gives[i]]
            self.work += len(left)
            if sum(nlargest(slots, (figure.gives[i] for i in helpers))) < missing:
                return ()
            if slots == 1:
                helpers = [i for i in helpers if figure.gives[i] >= missing]
            fewest = min(fewest, helpers, key=len)
        return fewest

    def _unmet(self, chosen: tuple[int, ...]) -> list[tuple[int, _Figure]]:
        missing = ((f.need - sum(f.gives[i] for i in chosen), f) for f in self._figures)
        return [(needed, figure) for needed, figure in missing if needed > 0]

    def _cannot_win(self, chosen: tuple[int, ...], slots: int) -> bool:
        if len(self._best) < 2:
            return False
        fixed = sum(self._candidates[i].fixed for i in chosen) + slots * self._cheapest_fixed
        return fixed + self._cheapest_units >= self._best[-1].cost

    def _keep(self, chosen: tuple[int, ...]) -> None:
        plan = _Plan(self._cost(chosen), tuple(sorted(chosen)))
        if plan not in self._best:
            self._best = sorted([*self._best, plan])[:2]

    def _cost(self, chosen: Sequence[int]) -> int:
        fixed = sum(self._candidates[i].fixed for i in chosen)
        return fixed + sum(self._filling_cost(figure, chosen) for figure in self._figures)

    def _filling_cost(self, figure: _Figure, chosen: Sequence[int]) -> int:
        offers = [(self._candidates[i], figure.gives[i]) for i in sorted(chosen)]
        parts = _fill(figure.need, offers)
        return figure.weight * sum(candidate.unit * quantity for candidate, quantity in parts)

    def _cheapest_filling(self, figure: _Figure) -> int:
        units = (c.unit for c, gives in zip(self._candidates, figure.gives, strict=True) if gives)
        return figure.weight * figure.need * min(units, default=0)

    def _greedy(self) -> tuple[int, ...]:
        """Who fills most of what is missing, again and again, then drop whom nobody needs."""
        chosen: tuple[int, ...] = ()
        while unmet := self._unmet(chosen):
            left = [i for i in range(len(self._candidates)) if i not in chosen]
            chosen = (*chosen, max(left, key=lambda i: _filled(unmet, i)))
        for i in chosen:
            without = tuple(other for other in chosen if other != i)
            chosen = chosen if self._unmet(without) else without
        return tuple(sorted(chosen))


def _filled(unmet: Sequence[tuple[int, _Figure]], i: int) -> int:
    return sum(figure.weight * min(missing, figure.gives[i]) for missing, figure in unmet)


def _fill(needed: int, offers: Sequence[tuple[_Candidate, int]]) -> list[tuple[_Candidate, int]]:
    """One location for all units if any has them, else the cheapest units first."""
    by_unit_cost = sorted(offers, key=lambda offer: offer[0].unit)
    for candidate, gives in by_unit_cost:
        if gives >= needed:
            return [(candidate, needed)]
    parts = []
    for candidate, gives in by_unit_cost:
        if taken := min(gives, needed):
            parts.append((candidate, taken))
            needed -= taken
    return parts


def _alternative(plan: _Plan, candidates: Sequence[_Candidate]) -> Alternative:
    return Alternative(tuple(sorted(candidates[i].location_id for i in plan.chosen)), plan.cost)


def _assignments(
    chosen: Sequence[_Candidate], demand: Sequence[Demand], stock: _Stock
) -> tuple[Assignment, ...]:
    lines: defaultdict[str, list[Demand]] = defaultdict(list)
    by_sku: defaultdict[str, list[Demand]] = defaultdict(list)
    for line in demand:
        by_sku[line.sku].append(line)
    for sku, wanted in by_sku.items():
        offers = [(c, stock.supply[c.location_id].get(sku, 0)) for c in chosen]
        quotas = {c.location_id: taken for c, taken in _fill(stock.need[sku], offers)}
        for location_id, part in _dealt(wanted, quotas):
            lines[location_id].append(part)
    rank = {line.line_id: position for position, line in enumerate(demand)}
    return tuple(
        Assignment(location_id, tuple(sorted(lines[location_id], key=lambda p: rank[p.line_id])))
        for location_id in sorted(lines)
    )


def _dealt(lines: Sequence[Demand], quotas: dict[str, int]) -> Iterator[tuple[str, Demand]]:
    """Deal the lines of one SKU to its locations; a line is split only when none takes it whole."""
    split = []
    for line in sorted(lines, key=lambda line: -line.quantity):
        whole = [where for where, quota in quotas.items() if quota >= line.quantity]
        if whole:
            where = min(whole, key=lambda where: quotas[where])
            quotas[where] -= line.quantity
            yield where, line
        else:
            split.append(line)
    for line in split:
        yield from _split(line, quotas)


def _split(line: Demand, quotas: dict[str, int]) -> Iterator[tuple[str, Demand]]:
    needed = line.quantity
    for where in quotas:
        if taken := min(needed, quotas[where]):
            quotas[where] -= taken
            needed -= taken
            yield where, Demand(line.line_id, line.sku, taken)
