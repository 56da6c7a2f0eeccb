"""What is expected of a stock item has changed: so have the days that waiting orders were told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from oms.adapters.routing.desk import Routing
from oms.domain import commands as c
from oms.domain.lines import Line
from oms.domain.order import Order
from oms.domain.supply.expecting import ExpectedSupply, expected_on

ACTOR = "system"
IN_LINE = 200  # orders that are told; behind so many nobody was told a day


def retell_days(routing: Routing, item: str, at: datetime) -> int:
    """How many orders were told another day, in their turn. Kits, of which other parts may be late
    as well, and what is pre-ordered until its release keep theirs."""
    supply = routing.supply.expected([item])[item]
    told = ahead = 0
    for order in _line(routing, item):
        for sku, day in _other_days(order, item, ahead, supply, at):
            command = c.RescheduleBackorder(sku, day)
            routing.orders.change(order.order_id, command, at=at, actor=ACTOR)
            told += 1
        ahead += sum(_lacking(line, item) for line in order.lines)
    return told


def _line(routing: Routing, item: str) -> Iterator[Order]:
    waiting = [each.order_id for each in routing.stock.waiting(item, IN_LINE)]
    found = routing.orders.many(waiting)
    return (found[each] for each in waiting if each in found)


def _other_days(
    order: Order, item: str, ahead: int, supply: Sequence[ExpectedSupply], at: datetime
) -> Iterator[tuple[str, str]]:
    """SKUs of the order whose day has changed, with the new one; empty when nobody knows it. All
    lines of a SKU are told the day by which there is enough for all of them."""
    units, known = Counter[str](), defaultdict[str, set[str]](set)
    for line in order.lines:
        told = order.backorder(line.line_id)
        if told is None or told.preorder or len(line.parts) > 1 or not _lacking(line, item):
            continue
        units[line.sku] += _lacking(line, item)
        known[line.sku].add(told.expected_on)
    for sku, wanted in units.items():
        day = expected_on(ahead, wanted, supply, at.date())
        said = day.isoformat() if day else ""
        if known[sku] != {said}:
            yield sku, said


def _lacking(line: Line, item: str) -> int:
    return sum(part.quantity * line.backordered for part in line.parts if part.item == item)
