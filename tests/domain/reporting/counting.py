"""What a projection counts of a history, without the engine: each fact told once, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from oms.domain import events as e
from oms.domain.order import Fact, Order, fold
from oms.domain.reporting.base import Header, Projection, Told

Counted = dict[tuple[str, str, tuple[str, ...]], Counter[str]]


@dataclass(frozen=True)
class Knows:
    order_id: str
    before: Sequence[Fact]
    placed: e.OrderPlaced
    zone: tzinfo = UTC

    def header(self) -> Header:
        placed = self.placed
        return Header(
            placed.channel,
            placed.currency,
            placed.destination.country,
            placed.customer_id,
            placed.placed_at,
        )

    def remembered(self, name: str) -> str | None:
        return None

    def order(self) -> Order:
        return fold(self.order_id, self.before)

    def facts(self) -> Sequence[Fact]:
        return self.before


def counted(
    projection: Projection, order_id: str, facts: Sequence[Fact], zone: tzinfo = UTC
) -> Counted:
    """Figures by axis, bucket and values."""
    found: Counted = {}
    (placed,) = (fact.event for fact in facts if isinstance(fact.event, e.OrderPlaced))
    for place, fact in enumerate(facts):
        if type(fact.event) not in projection.kinds:
            continue
        told = Told(f"{order_id}#{fact.seq}", fact.at, fact.actor, order_id, order_id, fact.event)
        for count in projection.counts(told, Knows(order_id, facts[:place], placed, zone)):
            key = count.axis, count.bucket, count.of
            found.setdefault(key, Counter()).update(count.figures)
    return found


def figures(found: Counted, axis: str, length: int = 10) -> Counter[str]:
    """Of an axis, in all; buckets of days, or of another `length`."""
    total: Counter[str] = Counter()
    for (name, bucket, _), each in found.items():
        if name == axis and len(bucket) == length:
            total.update(each)
    return total
