"""The end of a routing window: orders that want the same scarce item are decided together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from oms.adapters.orders_table import OrdersTable
from oms.adapters.routing.router import Router
from oms.adapters.routing.sourcing import BUDGET, Sourced, Sourcing, items_of
from oms.adapters.routing.window_rows import Windows
from oms.domain.errors import Refused
from oms.domain.order import Order
from oms.domain.routing.windows import WINDOW, route_window


@dataclass(frozen=True, slots=True)
class WindowDesk:
    orders: OrdersTable
    windows: Windows
    sourcing: Sourcing
    router: Router

    def route(self, name: str) -> int:
        """Route who waits for the end of this window; how many were looked at.

        Whoever is overtaken meanwhile, and whoever gets nothing of what is scarce, is routed like
        any other order: alone.
        """
        waiting = self.windows.waiting(name)
        found = self.orders.many(waiting)
        deferred = [order for order in found.values() if order.is_deferred]
        for together in self._groups(deferred):
            self._route_together(together)
        for order_id in waiting:
            self.windows.forget(name, order_id)
        return len(deferred)

    def _groups(self, orders: Sequence[Order]) -> Iterator[list[Order]]:
        """As few as are well decided together, first come first served, of those that want the
        same items under one rule set."""
        in_turn = sorted(orders, key=lambda order: (order.placed_at, order.order_id))
        by_rules = sorted(in_turn, key=self._rules)
        for _, same in groupby(by_rules, key=self._rules):
            for group in rivals(list(same)):
                yield from (group[n : n + WINDOW] for n in range(0, len(group), WINDOW))

    def _rules(self, order: Order) -> int:
        return self.sourcing.rule_set_for(order).version

    def _route_together(self, orders: Sequence[Order]) -> None:
        """Each group sees what the groups before it have left."""
        found = [self.sourcing.source(order, fresh=True) for order in orders]
        snapshots = [each.snapshot for each in found]
        decided = route_window(snapshots, found[0].rule_set, budget=BUDGET)
        for order, each, kept in zip(orders, found, decided.decisions, strict=True):
            self._settle(order, replace(each, snapshot=kept.snapshot, decision=kept.decision))

    def _settle(self, order: Order, sourced: Sourced) -> None:
        if not sourced.is_routed or not self._taken(order, sourced):
            self.router.route(order.order_id)

    def _taken(self, order: Order, sourced: Sourced) -> bool:
        """Not when the order or the stock has changed since it was read."""
        try:
            self.router.take(order, sourced)
        except Refused:
            return False
        return True


def rivals(orders: Sequence[Order]) -> list[list[Order]]:
    """Groups of orders that want the same items, directly or through others; each in turn."""
    groups: list[tuple[set[str], list[Order]]] = []
    for order in orders:
        items, members = items_of(order), [order]
        for group in [group for group in groups if not group[0].isdisjoint(items)]:
            groups.remove(group)
            items |= group[0]
            members = [*group[1], *members]
        groups.append((items, members))
    rank = {order.order_id: place for place, order in enumerate(orders)}
    return [sorted(members, key=lambda order: rank[order.order_id]) for _, members in groups]
