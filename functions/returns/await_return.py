"""Where the workflow of a return waits: keep its token, or answer at once when the wait is over."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.workflow import wake
from oms.domain.commands import RaiseAttention
from oms.domain.ids import order_of_return
from oms.domain.returns.waits import ReturnWait, nobody_asked
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE",)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    outcome = await_return(orders_table(), event, datetime.now(UTC))
    if outcome is not None:
        wake(event["token"], outcome)
    ids = {"order_id": event["order_id"], "return_id": event["return_id"]}
    return {"outcome": outcome or "waiting", **ids}


def await_return(orders: OrdersTable, event: dict[str, Any], at: datetime) -> str | None:
    """The outcome when there is nothing to wait for."""
    return_id, wait = event["return_id"], ReturnWait(event["wait"])
    if wait is ReturnWait.ATTENTION and event.get("reason"):
        _call_for_attention(orders, return_id, str(event["reason"]), at)
    return orders.keep_return_token(return_id, wait, event["token"])


def _call_for_attention(orders: OrdersTable, return_id: str, reason: str, at: datetime) -> None:
    """The workflow's own reason; what the return has said itself was heard, and perhaps decided."""
    order = orders.get(order_of_return(return_id))
    if nobody_asked(order, return_id):
        command = RaiseAttention(reason, return_id)
        orders.change(order.order_id, command, at=at, actor="system")
