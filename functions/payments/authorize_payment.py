"""Step of the order workflow: reserve the money, or say why not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.payments.settling import settle
from oms.domain.order import Order
from oms.domain.waits import prepared
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE",)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event["order_id"]
    outcome = authorize_payment(orders_table(), order_id, at=datetime.now(UTC))
    return {"outcome": outcome, "order_id": order_id}


def authorize_payment(orders: OrdersTable, order_id: str, *, at: datetime) -> str:
    """authorized, or what keeps the order from going on; asked again, it answers the same."""
    return _outcome(settle(orders, order_id, at=at))


def _outcome(order: Order) -> str:
    return prepared(order) or "authorized"
