"""Step of the order workflow: decide who ships what, and take the stock in the same transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.routing.desk import routing
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("CUSTOMERS_TABLE", "ORDERS_TABLE", "STOCK_TABLE")


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event["order_id"]
    return {"outcome": routing().router(datetime.now(UTC)).route(order_id), "order_id": order_id}
