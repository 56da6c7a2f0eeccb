"""On each shipment and collection: take the money for the units that left."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import orders_table
from oms.adapters.payments import SETTINGS
from oms.adapters.payments.settling import settle
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", *SETTINGS)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event["detail"]["order_id"]
    order = settle(orders_table(with_stock=True), order_id, at=datetime.now(UTC))
    return {"outcome": "settled", "order_id": order_id, "captured": order.payment.captured}
