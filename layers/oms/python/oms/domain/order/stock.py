"""What the facts of an order do to stock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import singledispatch

from oms.domain import events as e
from oms.domain.fulfillment import Quantity
from oms.domain.inventory import MovementKind, StockChange, StockItemChange, fits
from oms.domain.lines import Line
from oms.domain.order.model import Fact, Order, RoutingPlan, cause_of


def stock_change(order: Order, fact: Fact) -> StockChange | None:
    """What the fact does to stock, seen from the order before it.

    A plan that was taken in batches has moved its stock before it is recorded as routed.
    """
    moved = _stock_moved(fact.event, order)
    if moved is None or not moved[1]:
        return None
    kind, items = moved
    return StockChange(kind, cause_of(order.order_id, fact.seq), fact.at, items)


def planned_change(plan: RoutingPlan, lines: Callable[[str], Line]) -> StockChange:
    """What the batches of a routing plan take."""
    items = _assigned_items(plan.plan, lines)
    return StockChange(MovementKind.ALLOCATED, plan.cause, plan.at, items)


Items = tuple[StockItemChange, ...]


@singledispatch
def _stock_moved(event: object, order: Order) -> tuple[MovementKind, Items] | None:
    return None


@_stock_moved.register
def _(event: e.OrderRouted, order: Order) -> tuple[MovementKind, Items] | None:
    if order.routing_plan is not None:
        return None
    return MovementKind.ALLOCATED, _assigned_items(event.plan, order.line)


@_stock_moved.register
def _(event: e.FulfillmentOrderShipped, order: Order) -> tuple[MovementKind, Items] | None:
    return MovementKind.CONSUMED, _items_of(order, event.fulfillment_order_id)


@_stock_moved.register
def _(event: e.FulfillmentOrderRejected, order: Order) -> tuple[MovementKind, Items] | None:
    return MovementKind.RELEASED, _items_of(order, event.fulfillment_order_id)


@_stock_moved.register(e.OrderLinesCancelled)
@_stock_moved.register(e.OrderCancelled)
def _(
    event: e.OrderLinesCancelled | e.OrderCancelled, order: Order
) -> tuple[MovementKind, Items] | None:
    items = (
        item
        for unit in event.units
        if unit.fulfillment_order_id
        for item in _taken(
            order.line(unit.line_id),
            unit.quantity,
            order.fulfillment_order(unit.fulfillment_order_id).location_id,
            unit.fulfillment_order_id,
        )
    )
    return MovementKind.RELEASED, tuple(items)


def _items_of(order: Order, fulfillment_order_id: str) -> Items:
    source = order.fulfillment_order(fulfillment_order_id)
    return _items_at(source.lines, order.line, source.location_id, fulfillment_order_id)


def _assigned_items(plan: tuple[e.Assigned, ...], lines: Callable[[str], Line]) -> Items:
    return tuple(
        item
        for assigned in plan
        for item in _items_at(
            assigned.lines, lines, assigned.location_id, assigned.fulfillment_order_id
        )
    )


def _items_at(
    quantities: Iterable[Quantity], lines: Callable[[str], Line], location: str, reservation: str
) -> Items:
    return tuple(
        item
        for each in quantities
        for item in _taken(lines(each.line_id), each.quantity, location, reservation)
    )


def _taken(line: Line, quantity: int, location: str, reservation: str) -> Items:
    """The stock items that so many units of a line take."""
    return tuple(
        StockItemChange(part.item, location, part.quantity * quantity, reservation)
        for part in line.parts
    )


def moves_at_once(order: Order, fact: Fact) -> StockChange | None:
    """The stock that moves in the fact's own transaction: all of it, or none when it is owed."""
    change = stock_change(order, fact)
    if change is None or not fits(len(change.items), _other_rows(fact.event)):
        return None
    return change


def owed_by(order: Order, fact: Fact) -> tuple[int, ...]:
    """A change that gives stock back or out and is too large for the transaction is owed."""
    owes = stock_change(order, fact) is not None and moves_at_once(order, fact) is None
    return (fact.seq,) if owes else ()


@singledispatch
def _other_rows(event: object) -> int:
    """Rows of fulfillment orders and parcels that are written with the event."""
    return 1


@_other_rows.register
def _(event: e.OrderRouted) -> int:
    return len(event.plan)


@_other_rows.register
def _(event: e.FulfillmentOrderShipped) -> int:
    return 1 + len(event.parcels)


@_other_rows.register(e.OrderLinesCancelled)
@_other_rows.register(e.OrderCancelled)
def _(event: e.OrderLinesCancelled | e.OrderCancelled) -> int:
    return len({unit.fulfillment_order_id for unit in event.units})
