"""Give stock back, or out, that did not fit into the order's own transaction.

The first step of the cancel workflow: the order is cancelled if it is not yet, and whatever its
batches still hold is released. On the bus: whatever any event says its order owes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.owed_stock import settle_stock
from oms.adapters.stock_table import stock_table
from oms.domain import commands as c
from oms.domain.errors import IllegalTransition
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")
ACTOR = "system"


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event.get("detail", event)["order_id"]
    at = datetime.now(UTC)
    if reason := event.get("reason"):
        cancel(orders_table(with_stock=True), order_id, reason, at)
    settle_stock(orders_table(with_stock=True), stock_table(), order_id, at)
    return {"outcome": "released", "order_id": order_id}


def cancel(orders: OrdersTable, order_id: str, reason: str, at: datetime) -> None:
    """Cancel what can still be stopped; an order that has shipped whole is left as it is."""
    command = c.CancelOrder(reason, expired=reason == "expired")
    try:
        orders.change(order_id, command, at=at, actor=ACTOR)
    except IllegalTransition:
        return
