"""Where the order workflow waits: keep its token, or answer at once when the wait is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from oms.adapters.lost_parcels import give_up_silent
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.workflow import wake
from oms.domain.commands import RaiseAttention
from oms.domain.order import Order
from oms.domain.waits import Wait
from oms.domain.watching import TrackingPolicy
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE",)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    outcome = await_outcome(orders_table(), event, datetime.now(UTC), tracking_policy)
    if outcome is not None:
        wake(event["token"], outcome)
    return {"outcome": outcome or "waiting", "order_id": event["order_id"]}


def tracking_policy() -> TrackingPolicy:
    return policies_table().current("tracking", TrackingPolicy)[0]


def await_outcome(
    orders: OrdersTable,
    event: dict[str, Any],
    at: datetime,
    policy: Callable[[], TrackingPolicy] = TrackingPolicy,
) -> str | None:
    """The outcome when there is nothing to wait for."""
    order_id, wait = event["order_id"], Wait(event["wait"])
    if wait is Wait.ATTENTION and event.get("reason"):
        order = give_up_silent(orders, orders.get(order_id), policy(), at)
        _call_for_attention(orders, order, str(event["reason"]), at)
    return orders.keep_token(order_id, wait, event["token"], at)


def _call_for_attention(orders: OrdersTable, order: Order, reason: str, at: datetime) -> None:
    """The workflow's own reason; what the order has said itself was heard, and perhaps decided.
    Where a deadline has passed, a lost parcel may be why, and has said so."""
    if not order.attention:
        orders.change(order.order_id, RaiseAttention(reason), at=at, actor="system")
