"""Stopping what can still be stopped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide, not_final
from oms.domain.decide.fulfillment import completed
from oms.domain.decide.payment import money_back
from oms.domain.errors import IllegalTransition, QuantityExceeded
from oms.domain.fulfillment import Quantity
from oms.domain.order import Order, OrderStatus, cause_of


@decide.register
def _(command: c.CancelOrder, order: Order) -> tuple[e.Event, ...]:
    if order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        return ()
    not_final(order, "be cancelled")
    if command.expired and order.is_paid_for:
        raise IllegalTransition(order.order_id, "paid for", "expire")
    units = _units_to_cancel(order, command.lines)
    if not units:
        raise IllegalTransition(order.order_id, "shipped", "be cancelled")
    partial = e.OrderLinesCancelled(units, command.reason)
    left = after(order, partial)
    if left.has_unshipped or any(line.dispatched for line in left.lines):
        return (partial, *money_back(left), *completed(left))
    whole = e.OrderCancelled(units, command.reason, command.expired)
    return (whole, *money_back(after(order, whole)))


def _units_to_cancel(order: Order, wanted: Sequence[Quantity]) -> tuple[e.CancelledUnits, ...]:
    lines = wanted or tuple(Quantity(x.line_id, x.unshipped) for x in order.lines if x.unshipped)
    return tuple(unit for each in _summed(lines) for unit in _units_of(order, each))


def _summed(wanted: Iterable[Quantity]) -> tuple[Quantity, ...]:
    by_line: dict[str, int] = {}
    for each in wanted:
        by_line[each.line_id] = by_line.get(each.line_id, 0) + each.quantity
    return tuple(Quantity(line_id, quantity) for line_id, quantity in by_line.items())


def _units_of(order: Order, wanted: Quantity) -> tuple[e.CancelledUnits, ...]:
    """Take units where they cost least to stop: not routed yet, waiting, then the newest box."""
    line = order.line(wanted.line_id)
    left = wanted.quantity
    units: list[e.CancelledUnits] = []
    for source, quantity, fulfillment_order in _stoppable(order, line.line_id):
        taken = min(left, quantity)
        if taken:
            units.append(e.CancelledUnits(line.line_id, taken, source, fulfillment_order))
            left -= taken
    if left:
        raise QuantityExceeded(line.line_id, wanted.quantity, line.unshipped)
    return tuple(units)


def _stoppable(order: Order, line_id: str) -> Iterable[tuple[str, int, str]]:
    line = order.line(line_id)
    yield "open", line.open, ""
    yield "backordered", line.backordered, ""
    for each in reversed(order.fulfillment_orders):
        if each.in_warehouse:
            quantity = sum(q.quantity for q in each.lines if q.line_id == line_id)
            yield "allocated", quantity, each.fulfillment_order_id


@decide.register
def _(command: c.SettleStock, order: Order) -> tuple[e.Event, ...]:
    owed = any(cause_of(order.order_id, seq) == command.cause for seq in order.owed_stock)
    return (e.StockSettled(command.cause),) if owed else ()
