"""Stock arrived: wake the orders that wait for it, first come first served.

Nothing is taken here. An order that wakes is routed again and takes its stock then, or waits on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.stock_table import StockTable, stock_table
from oms.domain import commands as c
from oms.domain.order import Order
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")
ACTOR = "system"
IN_LINE = 50  # orders looked at together


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    sku = event["detail"]["sku"]
    woken = wake_backorders(orders_table(with_stock=True), stock_table(), sku, datetime.now(UTC))
    return {"outcome": "woken" if woken else "nobody waited", "sku": sku, "woken": woken}


def wake_backorders(orders: OrdersTable, stock: StockTable, sku: str, at: datetime) -> int:
    """How many were woken. An order that needs more than is left lets smaller ones pass."""
    left = sum(level.available for level in stock.levels([sku])[sku])
    woken = 0
    for order in _line(orders, stock, sku):
        needed = _needed(order, sku)
        if needed <= left:
            orders.change(order.order_id, c.ReleaseBackorder(sku), at=at, actor=ACTOR, seen=order)
            left -= needed
            woken += 1
        if left <= 0:
            break
    return woken


def _line(orders: OrdersTable, stock: StockTable, sku: str) -> Iterator[Order]:
    """Who waits, oldest first; whoever is woken has left the line when the next are called."""
    seen: set[str] = set()
    while True:
        waiting = stock.waiting(sku, len(seen) + IN_LINE)
        ids = [each.order_id for each in waiting if each.order_id not in seen]
        if not ids:
            return
        yield from map(orders.get, ids)
        seen.update(ids)


def _needed(order: Order, sku: str) -> int:
    return sum(line.open + line.backordered for line in order.lines if line.sku == sku)
