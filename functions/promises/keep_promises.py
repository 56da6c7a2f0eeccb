"""After an event by which a promise is at risk: help it, or tell the customer in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from oms.adapters.routing.promises import promise_desk
from oms.observability import logger, observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    now = datetime.now(UTC)
    return {"outcome": keep(event["detail"], promise_desk(now).reconsider, now)}


def keep(told: dict[str, Any], reconsider: Callable[[str, datetime], str], now: datetime) -> str:
    """What became of it."""
    said = reconsider(told["order_id"], now)
    extra = {"order_id": told["order_id"], "after": told["type"], "outcome": said}
    logger().info("a promise was reconsidered", extra=extra)
    return said
