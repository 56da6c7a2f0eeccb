"""Give stock back, or out, that did not fit into the order's own transaction.

The first step of the cancel workflow: the order is cancelled if it is not yet, and whatever its
batches still hold is released. On the bus: whatever any event says its order owes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.owed_stock import settle_stock
from oms.adapters.payments import PROVIDERS, SETTINGS
from oms.adapters.payments.base import Provider
from oms.adapters.payments.settling import Undecided, look_up_pending
from oms.adapters.stock_table import StockTable, stock_table
from oms.domain import commands as c
from oms.domain.errors import IllegalTransition
from oms.domain.order import Order, still_expected
from oms.domain.waits import Wait, outcome
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", *SETTINGS)
ACTOR = "system"
DEADLINES = {"expired": Wait.PAYMENT, "out_of_stock": Wait.STOCK}  # by their reason to cancel


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id, reason = event.get("detail", event)["order_id"], event.get("reason", "")
    orders, at = orders_table(with_stock=True), datetime.now(UTC)
    return {
        "outcome": release(orders, stock_table(), order_id, reason, at),
        "order_id": order_id,
    }


def release(
    orders: OrdersTable,
    stock: StockTable,
    order_id: str,
    reason: str,
    at: datetime,
    providers: Mapping[str, Provider] = PROVIDERS,
) -> str:
    """released; or prepared, when a deadline finds that the order can go on after all."""
    wait = DEADLINES.get(reason)
    if wait is not None and goes_on(orders, order_id, wait, at, providers):
        return "prepared"
    if reason:
        cancel(orders, order_id, reason, at)
    settle_stock(orders, stock, order_id, at)
    return "released"


def goes_on(
    orders: OrdersTable,
    order_id: str,
    wait: Wait,
    at: datetime,
    providers: Mapping[str, Provider],
) -> bool:
    """Whether what the order waited for has come, though nobody has told its workflow yet."""
    try:
        order = look_up_pending(orders, order_id, at=at, providers=providers)
    except Undecided:
        return True  # prepared again, it waits once more: perhaps it is paid
    if order.is_final:
        return False
    return not _is_late(order, at) if wait is Wait.STOCK else outcome(order, wait) is not None


def _is_late(order: Order, at: datetime) -> bool:
    """Stock is lacking, and the day by which it was expected, if any, is over."""
    return order.is_backordered and not still_expected(order, at)


def cancel(orders: OrdersTable, order_id: str, reason: str, at: datetime) -> None:
    """Cancel what can still be stopped; an order that has shipped whole is left as it is. Where
    stock was lacking, what a location has is left as well."""
    expired, waiting = reason == "expired", DEADLINES.get(reason) is Wait.STOCK
    command = c.CancelOrder(reason, expired=expired, waiting=waiting)
    try:
        orders.change(order_id, command, at=at, actor=ACTOR)
    except IllegalTransition:
        return
