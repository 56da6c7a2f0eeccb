"""Where the order workflow waits: keep its token, or answer at once when the wait is over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.workflow import wake
from oms.domain.commands import RaiseAttention
from oms.domain.waits import Wait
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE",)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    outcome = await_outcome(orders_table(), event, datetime.now(UTC))
    if outcome is not None:
        wake(event["token"], outcome)
    return {"outcome": outcome or "waiting", "order_id": event["order_id"]}


def await_outcome(orders: OrdersTable, event: dict[str, Any], at: datetime) -> str | None:
    """The outcome when there is nothing to wait for."""
    order_id, wait = event["order_id"], Wait(event["wait"])
    if wait is Wait.ATTENTION and event.get("reason"):
        _call_for_attention(orders, order_id, str(event["reason"]), at)
    return orders.keep_token(order_id, wait, event["token"], at)


def _call_for_attention(orders: OrdersTable, order_id: str, reason: str, at: datetime) -> None:
    """The workflow's own reason; what the order has said itself was heard, and perhaps decided."""
    if not orders.get(order_id).attention:
        orders.change(order_id, RaiseAttention(reason), at=at, actor="system")
