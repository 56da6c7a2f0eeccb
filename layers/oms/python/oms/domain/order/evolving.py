"""What an event makes of an order: the dispatch, and the changes that several of them make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch

from oms.domain import events as e
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.lines import Line
from oms.domain.order.model import Fact, Order, OrderStatus
from oms.domain.payment import Operation


@singledispatch
def evolve(event: object, order: Order, fact: Fact) -> Order:
    raise TypeError(f"no order knows {type(event).__name__}")


def confirmed(order: Order) -> Order:
    """Placed orders are confirmed as soon as they are paid for; holds are laid over that."""
    if order.status is OrderStatus.PLACED and order.is_paid_for:
        return replace(order, status=OrderStatus.CONFIRMED)
    return order


def with_operation(order: Order, operation_id: str, **changes: object) -> Order:
    operations = tuple(
        replace(each, **changes) if each.operation_id == operation_id else each  # type: ignore[arg-type]
        for each in order.payment.operations
    )
    return replace(order, payment=replace(order.payment, operations=operations))


def requested(order: Order, operation: Operation) -> Order:
    operations = (*order.payment.operations, operation)
    return replace(order, payment=replace(order.payment, operations=operations))


def with_fulfillment(order: Order, identity: str, **changes: object) -> Order:
    changed = tuple(
        replace(each, **changes) if each.fulfillment_order_id == identity else each  # type: ignore[arg-type]
        for each in order.fulfillment_orders
    )
    return replace(order, fulfillment_orders=changed)


def with_return(order: Order, identity: str, **changes: object) -> Order:
    changed = tuple(
        replace(each, **changes) if each.return_id == identity else each  # type: ignore[arg-type]
        for each in order.returns
    )
    return replace(order, returns=changed)


def moved(
    lines: tuple[Line, ...], quantities: Iterable[Quantity], source: str, target: str
) -> tuple[Line, ...]:
    by_line = {line.line_id: line for line in lines}
    for moved in quantities:
        by_line[moved.line_id] = by_line[moved.line_id].move(source, target, moved.quantity)
    return tuple(by_line.values())


def units_cancelled(order: Order, units: Iterable[e.CancelledUnits]) -> Order:
    return units_taken(order, units, "cancelled")


def units_taken(order: Order, units: Iterable[e.CancelledUnits], target: str) -> Order:
    """From where they are, also out of their fulfillment orders."""
    for unit in units:
        quantity = (Quantity(unit.line_id, unit.quantity),)
        order = replace(order, lines=moved(order.lines, quantity, unit.source, target))
        if unit.fulfillment_order_id:
            order = withdrawn(order, unit.fulfillment_order_id, quantity[0])
    return order


def withdrawn(order: Order, identity: str, units: Quantity, reason: str = "") -> Order:
    """Take units out of a fulfillment order; one that is empty is cancelled."""
    before = order.fulfillment_order(identity)
    left = tuple(
        replace(q, quantity=q.quantity - units.quantity) if q.line_id == units.line_id else q
        for q in before.lines
    )
    left = tuple(q for q in left if q.quantity)
    status = before.status if left else FulfillmentStatus.CANCELLED
    told = reason or before.reason
    return with_fulfillment(order, identity, lines=left, status=status, reason=told)
