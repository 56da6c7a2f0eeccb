"""Which of two plans is better: tiers, compared one after the other, less being better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod

from oms.domain.routing.filters import arrival, is_late
from oms.domain.routing.problem import Candidate, Problem
from oms.domain.routing.rules import Tier
from oms.domain.sourcing import Shipment, Source

ENOUGH_DAYS = 60  # of cover: more is no better
UNKNOWN_KM = 20_100  # further than anywhere on Earth
LIMIT = 40_000_000_000  # of composed costs: the solver tells them apart up to here

Weights = tuple[int, tuple[int, ...]]  # of a shipment, and of a unit by row
Tiers = tuple[Tier, ...]


@dataclass(frozen=True)
class Scale:
    """How much each plan of a problem, or of a part of it, has of each tier.

    All tiers add up over shipments and units, except the day of the last arrival.
    """

    problem: Problem
    _weights: dict[Tier, dict[str, Weights]] = field(default_factory=dict)
    _sources: dict[Tiers, dict[str, Source]] = field(default_factory=dict)
    _highest: dict[Tier, int] = field(default_factory=dict)

    @cached_property
    def _candidates(self) -> dict[str, Candidate]:
        return {each.location_id: each for each in self.problem.candidates}

    def weights(self, tier: Tier) -> dict[str, Weights]:
        if tier not in self._weights:
            self._weights[tier] = {
                each.location_id: self._weigh(tier, each) for each in self.problem.candidates
            }
        return self._weights[tier]

    def _weigh(self, tier: Tier, candidate: Candidate) -> Weights:
        facts, nothing = candidate.facts, (0,) * len(self.problem.rows)
        if tier is Tier.PROMISE:
            return int(is_late(self.problem.snapshot.order, facts)), nothing
        if tier is Tier.SHIPMENTS:
            return 1, nothing
        if tier is Tier.DISTANCE:
            return UNKNOWN_KM if facts.distance_km is None else facts.distance_km, nothing
        if tier is Tier.STOCK_HEALTH:
            return 0, self._lacking_days(candidate)
        return facts.fixed_cost + self.problem.rules.split_penalty, candidate.source.unit_costs

    def _lacking_days(self, candidate: Candidate) -> tuple[int, ...]:
        """Per unit of a row: days of cover short of enough, of all stock items in it."""
        lacking = {item: max(0, ENOUGH_DAYS - days) for item, days in candidate.facts.cover_days}
        return tuple(
            sum(units * lacking.get(item, 0) for item, units in row.takes.items())
            for row in self.problem.rows
        )

    def amount(self, tier: Tier, shipments: Sequence[Shipment]) -> int:
        if tier is Tier.ARRIVAL:
            days = (arrival(self._candidates[each.location_id].facts) for each in shipments)
            return max((day.toordinal() for day in days), default=0)
        weights = self.weights(tier)
        return sum(_weighed(weights[each.location_id], each.quantities) for each in shipments)

    def amounts(self, tiers: Sequence[Tier], shipments: Sequence[Shipment]) -> tuple[int, ...]:
        return tuple(self.amount(tier, shipments) for tier in tiers)

    def composable(self, tiers: Sequence[Tier]) -> Tiers:
        """The first of the tiers, as many as one whole number can hold; the very first always."""
        held: Tiers = tuple(tiers[:1])
        for tier in tiers[1:]:
            if self.size((*held, tier)) > LIMIT:
                break
            held = (*held, tier)
        return held

    def size(self, tiers: Sequence[Tier]) -> int:
        """Above the composed cost of any plan."""
        return prod(self.highest(tier) + 1 for tier in tiers)

    def highest(self, tier: Tier) -> int:
        """What no plan exceeds."""
        if tier not in self._highest:
            weights = self.weights(tier).values()
            fixed = sorted((shipment for shipment, _ in weights), reverse=True)
            columns = map(max, zip(*(units for _, units in weights), strict=True))
            needs = self.problem.quantities
            units = sum(dear * need for dear, need in zip(columns, needs, strict=False))
            self._highest[tier] = sum(fixed[: sum(needs)]) + units
        return self._highest[tier]

    def raise_highest(self, tier: Tier, highest: int) -> None:
        self._highest[tier] = highest

    def composed(self, tiers: Tiers, among: Problem, surcharge: int = 0) -> tuple[Source, ...]:
        """Sources at costs that are lower exactly when plans are better by these tiers.

        `surcharge` is added to every shipment, in units of the last tier.
        """
        if tiers not in self._sources:
            self._sources[tiers] = {
                each.location_id: self._composed(each.source, tiers)
                for each in self.problem.candidates
            }
        known = self._sources[tiers]
        sources = (known[each.location_id] for each in among.candidates)
        if not surcharge:
            return tuple(sources)
        return tuple(replace(each, fixed_cost=each.fixed_cost + surcharge) for each in sources)

    def _composed(self, source: Source, tiers: Tiers) -> Source:
        if tiers == (Tier.COST,) and not self.problem.rules.split_penalty:
            return source
        shipment, units = 0, [0] * len(source.unit_costs)
        for tier in tiers:
            step = self.highest(tier) + 1
            more, each = self.weights(tier)[source.location_id]
            shipment = shipment * step + more
            units = [u * step + e for u, e in zip(units, each, strict=True)]
        return replace(source, fixed_cost=shipment, unit_costs=tuple(units))

    def by_unit(self, tiers: Tiers, among: Problem) -> tuple[Source, ...]:
        """The same for units only, as if all shipments were paid for."""
        return tuple(replace(each, fixed_cost=0) for each in self.composed(tiers, among))


def _weighed(weights: Weights, quantities: Sequence[int]) -> int:
    shipment, units = weights
    return shipment + sum(unit * quantity for unit, quantity in zip(units, quantities, strict=True))
