"""Carry out the refunds that a return has asked for: the last step of its settlement."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import orders_table
from oms.adapters.payments import SETTINGS
from oms.adapters.payments.settling import settle
from oms.domain.ids import order_of_return
from oms.domain.returns.waits import settled
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", *SETTINGS)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    return_id = event["return_id"]
    order_id = order_of_return(return_id)
    order = settle(orders_table(with_stock=True), order_id, at=datetime.now(UTC))
    return {"outcome": settled(order, return_id), "order_id": order_id, "return_id": return_id}
