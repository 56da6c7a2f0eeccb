"""Stopping what can still be stopped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide, not_final
from oms.domain.decide.fulfillment import completed
from oms.domain.decide.payment import money_back
from oms.domain.errors import IllegalTransition, QuantityExceeded
from oms.domain.fulfillment import FulfillmentStatus, Quantity, quantities, totals
from oms.domain.order import Order, OrderStatus, cause_of


@decide.register
def _(command: c.CancelOrder, order: Order) -> tuple[e.Event, ...]:
    if order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        return ()
    not_final(order, "be cancelled")
    if command.expired and order.is_paid_for:
        raise IllegalTransition(order.order_id, "paid for", "expire")
    if command.waiting:
        units = tuple(_waiting_units(order, command.lines))
    elif not (units := units_to_cancel(order, command.lines)):
        raise IllegalTransition(order.order_id, "shipped", "be cancelled")
    return called_off(order, units, command.reason, expired=command.expired)


def called_off(
    order: Order, units: tuple[e.CancelledUnits, ...], reason: str, *, expired: bool = False
) -> tuple[e.Event, ...]:
    """Some of the order, or what is left of it; and the money back."""
    if not units:
        return ()
    partial = e.OrderLinesCancelled(units, reason)
    left = after(order, partial)
    if left.has_unshipped or any(line.dispatched for line in left.lines):
        return (partial, *money_back(left), *completed(left))
    whole = e.OrderCancelled(units, reason, expired)
    return (whole, *money_back(after(order, whole)))


@decide.register
def _(command: c.CancelPickup, order: Order) -> tuple[e.Event, ...]:
    """What was brought to the store was paid and has left its warehouse: a person sends it back."""
    current = order.fulfillment_order(command.fulfillment_order_id)
    if current.status is not FulfillmentStatus.READY_FOR_PICKUP:
        return ()
    if not current.in_warehouse:
        reason = f"{command.fulfillment_order_id}: {command.reason}"
        return () if order.attention else (e.OrderNeedsAttention(reason),)
    units = tuple(
        e.CancelledUnits(each.line_id, each.quantity, "allocated", current.fulfillment_order_id)
        for each in current.lines
    )
    return called_off(order, units, command.reason)


def _waiting_units(order: Order, lines: Sequence[Quantity]) -> Iterator[e.CancelledUnits]:
    wanted = totals(lines) or {x.line_id: x.quantity for x in order.lines}
    for line_id, most in wanted.items():
        line = order.line(line_id)
        for source, quantity in (("open", line.open), ("backordered", line.backordered)):
            if taken := min(most, quantity):
                yield e.CancelledUnits(line_id, taken, source)
                most -= taken


def units_to_cancel(order: Order, wanted: Sequence[Quantity]) -> tuple[e.CancelledUnits, ...]:
    """All that can be stopped where nothing is named."""
    lines = wanted or tuple(Quantity(x.line_id, x.unshipped) for x in order.lines if x.unshipped)
    summed = quantities(totals(lines))
    return tuple(unit for each in summed for unit in _units_of(order, each))


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
            yield "allocated", each.quantity(line_id), each.fulfillment_order_id


@decide.register
def _(command: c.SettleStock, order: Order) -> tuple[e.Event, ...]:
    owed = any(cause_of(order.order_id, seq) == command.cause for seq in order.owed_stock)
    return (e.StockSettled(command.cause),) if owed else ()
