"""Give money back: void what was reserved, refund what was taken.

A step of the cancel workflow, and a consumer of requested operations on the bus.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import orders_table
from oms.adapters.payments import SETTINGS
from oms.adapters.payments.settling import settle
from oms.domain.order import Order, OrderStatus
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", *SETTINGS)
CANCELLED = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event.get("detail", event)["order_id"]
    order = settle(orders_table(with_stock=True), order_id, at=datetime.now(UTC))
    return {"outcome": standing(order), "order_id": order_id}


def standing(order: Order) -> str:
    """cancelled, or attention; remainder, when a part of the order is on its way to its buyer."""
    if order.attention:
        return "attention"
    return "cancelled" if order.status in CANCELLED else "remainder"
