"""Good plans, quickly: one location for all, then cheap cover, dropped and completed anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from operator import le, mul

from oms.domain.sourcing.incumbent import Incumbent
from oms.domain.sourcing.network import remaining
from oms.domain.sourcing.pricing import Pricing
from oms.domain.sourcing.shipping import EPSILON, Shipping

SHORTLIST = 24
FIXED_SHARE = 0.5  # of the fixed cost in a candidate's score: reduced costs are often nearly zero
MAX_ROUNDS = 3


def offer_single(incumbent: Incumbent) -> None:
    """The cheapest location that can ship everything."""
    network = incumbent.network
    lines = [sum(map(mul, tariff, network.needs)) for tariff in network.tariffs]
    able = [
        (network.fixed[i] + lines[network.tariff_of[i]], i)
        for i, supply in enumerate(network.supplies)
        if supply == network.needs and network.capacities[i] == inf
    ]
    if able:
        incumbent.offer([min(able)[1]])


class Planner:
    """Builds plans from candidates, the lowest reduced costs first."""

    def __init__(self, incumbent: Incumbent, pricing: Pricing) -> None:
        self._incumbent, self._network = incumbent, incumbent.network
        self._opened = tuple(pricing.opened)
        self._scores = {
            i: max(reduced, 0.0) + FIXED_SHARE * self._network.fixed[i]
            for i, reduced in zip(pricing.candidates, pricing.reduced, strict=True)
        }
        by_reduced = sorted(zip(pricing.reduced, pricing.candidates, strict=True))
        self._everyone = [i for _, i in by_reduced]

    def open(self) -> bool:
        """Offer a first plan; False when nothing fills the order."""
        return self._complete(self._opened, self._everyone) is not None

    def improve(self) -> None:
        shortlist = self._everyone[:SHORTLIST]
        plan = self._complete(self._opened, shortlist)
        for _ in range(MAX_ROUNDS):
            if plan is None:
                break
            plan = self._cheaper(plan, shortlist)

    def start_from_each(self) -> None:
        """One more plan around every one of the shortlist, for when good plans hide."""
        shortlist = self._everyone[:SHORTLIST]
        for i in shortlist:
            self._complete([*self._opened, i], shortlist)

    def _cheaper(self, plan: Shipping, shortlist: Sequence[int]) -> Shipping | None:
        """The first plan that gets cheaper when one of its locations must go."""
        for dropped in plan.chosen:
            if dropped not in self._opened:
                rest = [i for i in plan.chosen if i != dropped]
                other = self._complete(rest, [i for i in shortlist if i != dropped])
                if other and other.cost < plan.cost - EPSILON:
                    return other
        return None

    def _complete(self, start: Iterable[int], shortlist: Sequence[int]) -> Shipping | None:
        """Cover the order cheaply, then add whoever relieves lines stuck at full capacities."""
        chosen = self._covering(list(start), shortlist)
        if not self._network.is_covered_by(chosen):
            return None
        chosen = self._pruned(chosen)
        while (shipping := self._incumbent.offer(chosen)).stuck_lines:
            reliever = self._reliever(shipping, shortlist)
            if reliever is None:
                return None
            chosen.append(reliever)
        return shipping

    def _reliever(self, shipping: Shipping, shortlist: Sequence[int]) -> int | None:
        supplies = self._network.supplies
        for i in shortlist:
            if i not in shipping.chosen and any(supplies[i][line] for line in shipping.stuck_lines):
                return i
        return None

    def _covering(self, chosen: list[int], shortlist: Sequence[int]) -> list[int]:
        network = self._network
        missing = network.uncovered(chosen)
        short = sum(network.needs) - sum([network.reach[i] for i in chosen])
        left = [i for i in shortlist if i not in chosen]
        while left and (any(missing) or short > 0):
            best = self._cheapest_cover(left, missing)
            left.remove(best)
            chosen.append(best)
            missing = remaining(missing, network.supplies[best])
            short -= network.reach[best]
        return chosen

    def _cheapest_cover(self, left: Sequence[int], missing: Sequence[float]) -> int:
        """The lowest score per unit of what is missing: lines first, then capacity."""
        network, scores = self._network, self._scores
        units = [network.reach[i] for i in left]
        if any(missing):
            covers = [sum(map(min, missing, network.supplies[i])) for i in left]
            units = list(map(min, units, covers))
        prices = [scores[i] / gives if gives else inf for i, gives in zip(left, units, strict=True)]
        return left[prices.index(min(prices))]

    def _pruned(self, chosen: Sequence[int]) -> list[int]:
        """Without those whose units the others could all spare."""
        network = self._network
        spare = network.surplus(chosen)
        kept = list(chosen)
        for i in chosen:
            gives = (*network.supplies[i], network.reach[i])
            if i not in self._opened and all(map(le, gives, spare)):
                kept.remove(i)
                spare = [units - given for units, given in zip(spare, gives, strict=True)]
        return kept
