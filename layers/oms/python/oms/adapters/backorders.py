"""Orders that wait for stock: whether another try would end otherwise, and giving them one.

Nothing is taken here. An order that is released is routed again and takes its stock then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from oms.adapters.orders_table import MAX_QUEUES, OrdersTable
from oms.adapters.stock_table import StockTable
from oms.domain import commands as c
from oms.domain.inventory import EFFECT_OF_ONE, Level, MovementKind
from oms.domain.locations import Location
from oms.domain.order import Order
from oms.domain.routing import Assignment, Decision, Demand, RoutingOutcome, route
from oms.domain.waits import prepared

ACTOR = "system"
IN_LINE = 50  # orders looked at together
IGNORED = "ignore"


@dataclass(frozen=True, slots=True)
class Supply:
    """What lies where, and which places there are."""

    levels: Mapping[str, Sequence[Level]]
    locations: Sequence[Location]

    def decision(self, order: Order) -> Decision:
        """Who ships what of it; those that have rejected it are not asked again."""
        return self._decision(order, {each.location_id: each.reason for each in order.refused_by})

    def lies_with_refusers(self, order: Order) -> bool:
        """Whether those that have rejected the order have what the others lack."""
        return bool(order.refused_by) and _is_routed(self._decision(order, {}))

    def would_end_otherwise(self, order: Order, decision: Decision) -> bool:
        """Whether a waiting order should be routed again: it can be filled, or a person must
        decide, or it stands in no line for what it lacks."""
        return (
            _is_routed(decision)
            or self.lies_with_refusers(order)
            or _short_skus(order, decision).isdisjoint(lines_of(order))
        )

    def _decision(self, order: Order, excluded: Mapping[str, str]) -> Decision:
        wanted = demand_of(order)
        return route(wanted, self.levels, self.locations, order.destination, excluded)


class Lines:
    """One look at the lines of some SKUs: what was left to one order is not left to the next."""

    def __init__(self, orders: OrdersTable, stock: StockTable, at: datetime) -> None:
        self._orders, self._stock, self._at = orders, stock, at
        self._levels: dict[str, Sequence[Level]] = {}
        self._locations: Sequence[Location] = ()
        self._looked_at: set[str] = set()
        self._turn = Lock()

    def wake(self, sku: str) -> int:
        """Release who can be filled, first come first served; how many. Each line once.

        Who cannot be filled lets those behind pass: for them, too, it would be in vain to wait.
        """
        with self._turn:
            if sku in self._looked_at:
                return 0
            self._looked_at.add(sku)
            return self._wake(sku)

    def _wake(self, sku: str) -> int:
        woken = 0
        self._read([sku])
        for order in self._line(sku) if self._free(sku) else ():
            if waits_for_stock(order) and self._needed(order, sku) <= self._free(sku):
                woken += self._try(order, sku)
            if not self._free(sku):
                break
        return woken

    def _try(self, order: Order, sku: str) -> bool:
        self._read(skus_of(order))
        supply = Supply(self._levels, self._locations)
        decision = supply.decision(order)
        if not supply.would_end_otherwise(order, decision):
            return False
        release(self._orders, order, sku, self._at)
        self._leave(decision.plan)
        return True

    def _line(self, sku: str) -> Iterator[Order]:
        """Who waits, oldest first; whoever is woken has left the line when the next are called."""
        seen: set[str] = set()
        while True:
            waiting = self._stock.waiting(sku, max(IN_LINE, 2 * len(seen)))
            ids = [each.order_id for each in waiting if each.order_id not in seen]
            if not ids:
                return
            for first in range(0, len(ids), IN_LINE):
                together = ids[first : first + IN_LINE]
                found = self._orders.many(together)
                yield from (found[each] for each in together if each in found)
            seen.update(ids)

    def _read(self, skus: Iterable[str]) -> None:
        if not self._locations:
            self._locations = self._stock.locations()
        if unread := [sku for sku in skus if sku not in self._levels]:
            self._levels.update(self._stock.levels(unread))

    def _free(self, sku: str) -> int:
        """What the locations that ship have of it, and nobody was woken for."""
        shipping = {location.location_id for location in self._locations if location.active}
        return sum(lv.available for lv in self._levels[sku] if lv.location in shipping)

    def _needed(self, order: Order, sku: str) -> int:
        return sum(each.quantity for each in demand_of(order) if each.sku == sku)

    def _leave(self, plan: Sequence[Assignment]) -> None:
        for location_id, part in ((x.location_id, part) for x in plan for part in x.lines):
            taken = EFFECT_OF_ONE[MovementKind.ALLOCATED].times(part.quantity)
            self._levels[part.sku] = tuple(
                level.moved(taken) if level.location == location_id else level
                for level in self._levels[part.sku]
            )


def release(orders: OrdersTable, order: Order, sku: str, at: datetime) -> Order:
    """Let the order, which lacks this SKU, try again."""
    command = c.ReleaseBackorder(sku)
    return orders.change(order.order_id, command, at=at, actor=ACTOR, seen=order)


def waits_for_stock(order: Order) -> bool:
    """For nothing but stock: once it is released, its workflow routes it."""
    waits = any(line.backordered for line in order.lines) and order.resolution != IGNORED
    return waits and prepared(order) is None and not order.active_holds


def demand_of(order: Order) -> list[Demand]:
    """All units that no location has been given yet."""
    wanted = ((line, line.open + line.backordered) for line in order.lines)
    return [Demand(line.line_id, line.sku, quantity) for line, quantity in wanted if quantity]


def skus_of(order: Order) -> set[str]:
    return {each.sku for each in demand_of(order)}


def lines_of(order: Order) -> list[str]:
    """The SKUs for which the order stands in line."""
    return sorted({line.sku for line in order.lines if line.backordered})[:MAX_QUEUES]


def _short_skus(order: Order, decision: Decision) -> set[str]:
    short = {line_id for line_id, _ in decision.backordered}
    return {line.sku for line in order.lines if line.line_id in short}


def _is_routed(decision: Decision) -> bool:
    return decision.outcome is RoutingOutcome.ROUTED
