"""Orders that wait for stock: whether another try would end otherwise, and giving them one.

Nothing is taken here. An order that is released is routed again and takes its stock then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from threading import Lock

from oms.adapters.orders_table import OrdersTable
from oms.adapters.routing.sourcing import Sourced, Sourcing, items_of
from oms.adapters.stock_table import StockTable
from oms.domain import commands as c
from oms.domain.holds import HoldStep
from oms.domain.inventory import EFFECT_OF_ONE, Level, MovementKind
from oms.domain.lines import Line
from oms.domain.order import (
    Order,
    is_tried_again,
    preordered,
)
from oms.domain.routing import Assignment
from oms.domain.stock_holds import Where
from oms.domain.waits import prepared

ACTOR = "system"
IN_LINE = 50  # orders looked at together
IGNORED = "ignore"


class Lines:
    """One look at the lines of some SKUs: what was left to one order is not left to the next."""

    def __init__(
        self, orders: OrdersTable, stock: StockTable, sourcing: Sourcing, at: datetime
    ) -> None:
        self._orders, self._stock, self._sourcing, self._at = orders, stock, sourcing, at
        self._levels: dict[str, Sequence[Level]] = {}
        self._looked_at: set[str] = set()
        self._ahead: dict[tuple[str, frozenset[str]], bool] = {}
        self._turn = Lock()

    def wake(self, item: str) -> int:
        """Release who can be filled, first come first served; how many. Each line once.

        Who cannot be filled lets those behind pass: for them, too, it would be in vain to wait. Who
        was released before and is not routed yet stands in line still: nobody behind is given what
        is meant for it, by whomever it was released.
        """
        with self._turn:
            if item in self._looked_at:
                return 0
            self._looked_at.add(item)
            return self._wake(item)

    def _wake(self, item: str) -> int:
        woken = 0
        self._read([item])
        for order in self._line(item) if self._free(item) else ():
            woken += self._serve(order, item)
            if not self._free(item):
                break
        return woken

    def _serve(self, order: Order, item: str) -> bool:
        own = self._sourcing.own(order)
        has = sum(units for (held, _), units in own.items() if held == item)
        enough = _needed(order, item) <= self._free(item) + has
        if not enough and not self._ships_ahead(order):
            return False
        if is_woken(order):
            self._leave(order, self._decided(order).decision.plan, own)
            return False
        return waits_for_stock(order, self._at) and self._try(order, item, own)

    def _ships_ahead(self, order: Order) -> bool:
        """Who waits for the same is asked about once: lines are long."""
        alike = order.channel, frozenset(items_of(order))
        if alike not in self._ahead:
            self._ahead[alike] = self._sourcing.ships_ahead(order)
        return self._sourcing.by_the_rules(order, ships_ahead=self._ahead[alike])

    def _try(self, order: Order, item: str, own: Mapping[Where, int]) -> bool:
        sourced = self._decided(order)
        if not self._sourcing.would_end_otherwise(order, sourced, self._levels):
            return False
        release(self._orders, order, item, self._at)
        self._leave(order, sourced.decision.plan, own)
        return True

    def _decided(self, order: Order) -> Sourced:
        self._read(items_of(order))
        return self._sourcing.source(order, levels=self._levels)

    def _line(self, item: str) -> Iterator[Order]:
        """Who waits, oldest first; whoever was routed has left it when the next are called."""
        seen: set[str] = set()
        while True:
            waiting = self._stock.waiting(item, max(IN_LINE, 2 * len(seen)))
            ids = [each.order_id for each in waiting if each.order_id not in seen]
            if not ids:
                return
            for first in range(0, len(ids), IN_LINE):
                together = ids[first : first + IN_LINE]
                found = self._orders.many(together)
                yield from (found[each] for each in together if each in found)
            seen.update(ids)

    def _read(self, items: Iterable[str]) -> None:
        if unread := [item for item in items if item not in self._levels]:
            self._levels.update(self._stock.levels(unread))

    def _free(self, item: str) -> int:
        """What the locations that ship have of it, and nobody was woken for."""
        shipping = self._sourcing.shipping_locations()
        return sum(lv.available for lv in self._levels[item] if lv.location in shipping)

    def _leave(self, order: Order, plan: Sequence[Assignment], own: Mapping[Where, int]) -> None:
        """What a cart has held for the order is free for nobody else."""
        left = Counter(own)
        for where, item, units in _taken(order, plan):
            kept = min(units, left[item, where])
            left[item, where] -= kept
            taken = EFFECT_OF_ONE[MovementKind.ALLOCATED].times(units - kept)
            self._levels[item] = tuple(
                level.moved(taken) if level.location == where else level
                for level in self._levels[item]
            )


def release(orders: OrdersTable, order: Order, item: str, at: datetime) -> Order:
    """Let the order, which lacks this item, try again."""
    command = c.ReleaseBackorder(item)
    return orders.change(order.order_id, command, at=at, actor=ACTOR, seen=order)


def waits_for_stock(order: Order, at: datetime) -> bool:
    """For nothing but stock: once it is released, its workflow routes it. For what is pre-ordered
    stock alone is not enough."""
    early = preordered(order, at)
    waits = any(line.backordered and line.line_id not in early for line in order.lines)
    return waits and _goes_on(order)


def is_woken(order: Order) -> bool:
    """Stock has come for it, and its workflow is about to route it."""
    return is_tried_again(order) and _goes_on(order)


def _wanted(order: Order) -> Iterator[tuple[Line, int]]:
    return ((line, line.unrouted) for line in order.lines if line.unrouted)


def _needed(order: Order, item: str) -> int:
    return sum(
        part.quantity * units
        for line, units in _wanted(order)
        for part in line.parts
        if part.item == item
    )


def _goes_on(order: Order) -> bool:
    able = prepared(order) is None and not order.held_from(HoldStep.ROUTING)
    return able and order.resolution != IGNORED


def _taken(order: Order, plan: Sequence[Assignment]) -> Iterator[tuple[str, str, int]]:
    """Location, stock item, units."""
    for assigned in plan:
        for each in assigned.lines:
            for part in order.line(each.line_id).parts:
                yield assigned.location_id, part.item, part.quantity * each.quantity
