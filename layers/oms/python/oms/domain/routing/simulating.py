"""Kept decisions, decided again by another rule set from what was known then; and the difference.

The figures of many orders add up: so a period is simulated in slices and never twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from oms.domain.routing.deciding import route_order
from oms.domain.routing.decision import Decision, RoutingOutcome
from oms.domain.routing.kept import KeptDecision
from oms.domain.routing.rules import RuleSet


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of orders; `cost` in minor units, `load` in units by location."""

    orders: int = 0
    shipments: int = 0
    cost: int = 0
    late: int = 0
    backordered: int = 0
    load: Mapping[str, int] = field(default_factory=dict)

    def plus(self, other: Outcomes) -> Outcomes:
        return Outcomes(
            self.orders + other.orders,
            self.shipments + other.shipments,
            self.cost + other.cost,
            self.late + other.late,
            self.backordered + other.backordered,
            dict(sorted((Counter(self.load) + Counter(other.load)).items())),
        )

    @property
    def late_share(self) -> float:
        return self.late / self.shipments if self.shipments else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same orders, as they were decided and as they would be; `changed` go elsewhere."""

    before: Outcomes = Outcomes()
    after: Outcomes = Outcomes()
    changed: int = 0
    skipped: int = 0

    def plus(self, other: Comparison) -> Comparison:
        return Comparison(
            self.before.plus(other.before),
            self.after.plus(other.after),
            self.changed + other.changed,
            self.skipped + other.skipped,
        )


SKIPPED = Comparison(skipped=1)


def compare(kept: KeptDecision, rule_set: RuleSet, budget: float | None = None) -> Comparison:
    again = route_order(kept.snapshot, rule_set, budget=budget, runner_up=False)
    return Comparison(
        outcomes(kept, kept.decision),
        outcomes(kept, again),
        changed=int(_places(kept.decision) != _places(again)),
    )


def added(parts: Iterable[Comparison]) -> Comparison:
    total = Comparison()
    for part in parts:
        total = total.plus(part)
    return total


def outcomes(kept: KeptDecision, decision: Decision) -> Outcomes:
    promised = kept.snapshot.order.deliver_by
    late = [
        each
        for each in decision.plan
        if promised and (each.deliver_by is None or each.deliver_by > promised)
    ]
    load = Counter[str]()
    for each in decision.plan:
        load[each.location_id] += sum(part.quantity for part in each.lines)
    return Outcomes(
        orders=1,
        shipments=len(decision.plan),
        cost=decision.cost,
        late=len(late),
        backordered=int(_lacks(decision)),
        load=dict(sorted(load.items())),
    )


def _lacks(decision: Decision) -> bool:
    return decision.outcome is RoutingOutcome.BACKORDERED or bool(decision.backordered)


def _places(decision: Decision) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
    return tuple(
        (each.location_id, tuple((part.line_id, part.quantity) for part in each.lines))
        for each in decision.plan
    )
