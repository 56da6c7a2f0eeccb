"""What becomes of units that nobody can ship now: they wait, with a day where one is known, or are
cancelled, as their item and the channel say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from oms.adapters.agenda import Agenda
from oms.adapters.dynamodb import Write
from oms.adapters.order_reader import OrderReader
from oms.adapters.routing.sourcing import Sourced
from oms.adapters.stock_table import StockTable
from oms.adapters.supply_table import SupplyTable
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.availability import OnShortage
from oms.domain.fulfillment import Quantity
from oms.domain.items import BackorderMode, StockItem
from oms.domain.lines import Line
from oms.domain.order import Order, day_begins
from oms.domain.supply.expecting import ExpectedSupply, expected_on

MAX_DAYS = 6  # that one order is told at once: each is an event of its own
IN_LINE = 200  # orders whose units are counted; behind so many nobody is told a day


@dataclass(frozen=True, slots=True)
class Shortage:
    """Every short unit of a decision waits or is denied."""

    backorders: tuple[c.Backorder, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class Ahead:
    """Who stands in line for an item before an order: `units`, None when they are too many."""

    units: int | None
    supply: tuple[ExpectedSupply, ...] = ()

    def served_on(self, wanted: int, today: date) -> date | None:
        return None if self.units is None else expected_on(self.units, wanted, self.supply, today)


class Shortages:
    def __init__(
        self, orders: OrderReader, stock: StockTable, supply: SupplyTable, agenda: Agenda
    ) -> None:
        self._orders, self._stock, self._supply, self._agenda = orders, stock, supply, agenda

    def of(self, order: Order, sourced: Sourced, at: datetime) -> Shortage:
        short = dict(sourced.decision.backordered)
        if not short:
            return Shortage()
        items = {part.item for line_id in short for part in order.line(line_id).parts}
        expected = self._supply.expected(items)
        ahead = {
            item: Ahead(self._ahead(order, item), expected.get(item, ())) for item in sorted(items)
        }
        lines = [(order.line(line_id), units) for line_id, units in sorted(short.items())]
        return shortage(lines, sourced, ahead, at.date())

    def deadlines(self, order: Order, sourced: Sourced, at: datetime) -> Iterator[Write]:
        """What the agenda must look at, for an order that is told to wait."""
        for kind, when in deadlines(order, sourced, at):
            yield from self._agenda.writes(kind, order.order_id, when)

    def _ahead(self, order: Order, item: str) -> int | None:
        waiting = self._stock.waiting(item, IN_LINE + 1)
        before = [each.order_id for each in waiting if each.placed_at < order.placed_at]
        if len(before) > IN_LINE:
            return None
        found = self._orders.many(before)
        return sum(_lacks(each, item) for each in found.values() if each.order_id != order.order_id)


def shortage(
    lines: Iterable[tuple[Line, int]],
    sourced: Sourced,
    ahead: Mapping[str, Ahead],
    today: date,
) -> Shortage:
    waiting: defaultdict[tuple[str, bool], list[Quantity]] = defaultdict(list)
    denied: list[Quantity] = []
    for line, units in lines:
        if _denies(line, units, sourced, ahead, today):
            denied.append(Quantity(line.line_id, units))
        else:
            day, preorder = _expected(line, units, sourced.items, ahead, today)
            waiting[day.isoformat() if day else "", preorder].append(Quantity(line.line_id, units))
    return Shortage(
        tuple(
            c.Backorder(tuple(each), day, preorder)
            for (day, preorder), each in sorted(_on_few_days(waiting).items())
        ),
        tuple(denied),
    )


Waiting = Mapping[tuple[str, bool], list[Quantity]]  # by the day, and whether that is a release


def _on_few_days(waiting: Waiting) -> Waiting:
    """Of very many days the later ones are told as the last of them."""
    days = sorted(day for day, preorder in waiting if day and not preorder)
    late = set(days[MAX_DAYS - 1 :])
    few: defaultdict[tuple[str, bool], list[Quantity]] = defaultdict(list)
    for (day, preorder), lines in waiting.items():
        told = days[-1] if day in late and not preorder else day
        few[told, preorder] += lines
    return few


def deadlines(order: Order, sourced: Sourced, at: datetime) -> Iterator[tuple[str, datetime]]:
    """When waiting is over by the items' policy, and when what is pre-ordered is released."""
    short = {line_id for line_id, _ in sourced.decision.backordered}
    parts = {p.item for line_id in short for p in order.line(line_id).parts}
    policies = [sourced.items[item].policy.backorders for item in parts if item in sourced.items]
    days = [each.cancel_after_days for each in policies if each.cancel_after_days]
    if days:
        yield DueKind.CANCEL_BACKORDER, at + timedelta(days=min(days))
    releases = [day for item in parts if (day := _release(sourced.items.get(item), at.date()))]
    if releases:  # the next ones are looked for on that day
        yield DueKind.RELEASE_PREORDER, day_begins(min(releases).isoformat())


def _denies(
    line: Line, units: int, sourced: Sourced, ahead: Mapping[str, Ahead], today: date
) -> bool:
    """What is sold before its release is not short."""
    cancels = sourced.channel.on_shortage is OnShortage.CANCEL
    if cancels and not any(_release(sourced.items.get(each.item), today) for each in line.parts):
        return True
    return any(
        _refuses(sourced.items.get(part.item), part.quantity * units, ahead[part.item])
        for part in line.parts
    )


def _refuses(item: StockItem | None, units: int, ahead: Ahead) -> bool:
    if item is None:
        return False
    backorders = item.policy.backorders
    if backorders.mode is BackorderMode.DENY or backorders.cancel_after_days == 0:
        return True
    if backorders.limit is None:
        return False
    return ahead.units is None or ahead.units + units > backorders.limit


def _expected(
    line: Line,
    units: int,
    items: Mapping[str, StockItem],
    ahead: Mapping[str, Ahead],
    today: date,
) -> tuple[date | None, bool]:
    """The day on which the last of its parts should be there; pre-ordered ones on their release."""
    released = {part.item: _release(items.get(part.item), today) for part in line.parts}
    days = [
        released[part.item] or ahead[part.item].served_on(part.quantity * units, today)
        for part in line.parts
    ]
    known = [day for day in days if day is not None]
    return (max(known) if len(known) == len(days) and known else None), any(released.values())


def _release(item: StockItem | None, today: date) -> date | None:
    """The day from which the item may be given to somebody, while that is to come."""
    if item is None or item.policy.backorders.is_released(today):
        return None
    return item.policy.backorders.release_on


def _lacks(order: Order, item: str) -> int:
    return sum(
        part.quantity * line.backordered
        for line in order.lines
        for part in line.parts
        if part.item == item
    )
