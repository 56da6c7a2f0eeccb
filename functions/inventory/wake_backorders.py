"""Units are free again: wake the orders that wait for them, first come first served.

Goods came in, or an order gave back what it had, or did not take what it was woken for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import singledispatch
from typing import Any

from oms.adapters.orders_table import OrdersTable
from oms.adapters.routing.desk import Routing, routing
from oms.adapters.stock_table import StockTable
from oms.domain import events as e
from oms.domain.lines import Line
from oms.domain.order import Order, awaited_items
from oms.domain.returns import Disposition
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("CUSTOMERS_TABLE", "ORDERS_TABLE", "STOCK_TABLE")
LEAVES = frozenset({"OrderBackordered", "HoldPlaced", "OrderNeedsAttention"})
# Placed, backordered, released: no order leaves what it was woken for before its fourth fact.
FIRST_LEFT = 4
THREADS = 8


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    woken = wake_after(routing(), event["detail"], datetime.now(UTC))
    return {"outcome": "woken" if woken else "nobody waited", "woken": woken}


def wake_after(routing: Routing, detail: Mapping[str, Any], at: datetime) -> int:
    """How many the event has woken; most free nothing that anybody waits for."""
    if "sku" in detail:
        return wake_backorders(routing, detail["sku"], at)
    if detail["type"] in LEAVES and detail["seq"] < FIRST_LEFT:
        return 0
    freed = _freed(routing.orders, detail["order_id"], detail["seq"])
    return _wake(routing, freed, at)


def wake_backorders(routing: Routing, sku: str, at: datetime) -> int:
    """How many were woken. An order that needs more than is left lets smaller ones pass."""
    return _wake(routing, [sku], at)


def _wake(routing: Routing, skus: Iterable[str], at: datetime) -> int:
    if not (awaited := _awaited(routing.stock, skus)):
        return 0
    return sum(map(routing.lines(at).wake, awaited))


def _awaited(stock: StockTable, skus: Iterable[str]) -> list[str]:
    """Those for which somebody stands in line."""
    asked = sorted(set(skus))
    with ThreadPoolExecutor(THREADS) as threads:
        lines = threads.map(lambda sku: stock.waiting(sku, 1), asked)
        return [sku for sku, line in zip(asked, lines, strict=True) if line]


def _freed(orders: OrdersTable, order_id: str, seq: int) -> set[str]:
    """Stock items of units that somebody may have since this fact of the order."""
    order = orders.get(order_id)
    if seq in order.owed_stock:
        return set()  # they are on their way: StockSettled tells when they are back
    event = orders.fact(order_id, seq).event
    if isinstance(event, e.StockSettled):
        return _freed(orders, order_id, _seq_of(event.cause))
    if type(event).__name__ in LEAVES:
        return _left(order) if _was_woken(orders, order_id, seq) else set()
    return _freed_by(event, order)


def _seq_of(cause: str) -> int:
    return int(cause.rpartition("#")[2])


def _left(order: Order) -> set[str]:
    """Of units that were there for the order, and that it does not take now."""
    return _items(line for line in order.lines if line.open)


def _items(lines: Iterable[Line]) -> set[str]:
    return {part.item for line in lines for part in line.parts}


def _was_woken(orders: OrdersTable, order_id: str, seq: int) -> bool:
    """Only what was kept for an order may have been kept from others."""
    before = orders.history(order_id, 0, seq - 1).facts
    return any(isinstance(fact.event, e.BackorderReleased) for fact in before)


@singledispatch
def _freed_by(event: object, order: Order) -> set[str]:  # noqa: ARG001
    return set()


@_freed_by.register(e.OrderCancelled)
@_freed_by.register(e.OrderLinesCancelled)
@_freed_by.register(e.UnitsFulfilledElsewhere)
def _(
    event: e.OrderCancelled | e.OrderLinesCancelled | e.UnitsFulfilledElsewhere, order: Order
) -> set[str]:
    cancelled = {unit.line_id for unit in event.units}
    return _items(line for line in order.lines if line.line_id in cancelled)


@_freed_by.register
def _(event: e.OrderEdited, order: Order) -> set[str]:
    """What it takes back from its locations may be had by others, before it is routed anew."""
    cancelled = {unit.line_id for unit in event.units}
    taken_back = bool(event.taken_back)
    return _items(x for x in order.lines if x.line_id in cancelled or (taken_back and x.open))


@_freed_by.register
def _(event: e.FulfillmentOrderRejected, order: Order) -> set[str]:
    rejected = order.fulfillment_order(event.fulfillment_order_id).lines
    line_ids = {quantity.line_id for quantity in rejected}
    return _items(line for line in order.lines if line.line_id in line_ids)


@_freed_by.register
def _(event: e.ReturnInspected, order: Order) -> set[str]:
    back = {each.line_id for each in event.lines if each.disposition is Disposition.RESTOCK}
    return _items(line for line in order.lines if line.line_id in back)


@_freed_by.register(e.OrderRoutingAbandoned)
def _(event: object, order: Order) -> set[str]:  # noqa: ARG001
    """The plan is gone from the order; it was for these, or for some of them."""
    return _items(order.lines)


@_freed_by.register(e.HoldReleased)
@_freed_by.register(e.AttentionResolved)
def _(event: object, order: Order) -> set[str]:  # noqa: ARG001
    """Nothing is free: but the order itself may be woken now."""
    return set(awaited_items(order))
