"""What the facts of an order do to stock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import singledispatch

from oms.domain import events as e
from oms.domain.fulfillment import Quantity, totals
from oms.domain.inventory import (
    AdjustmentReason,
    MovementKind,
    StockChange,
    StockItemChange,
    fits,
)
from oms.domain.lines import Line
from oms.domain.order.backorders import MAX_QUEUES, awaited_items
from oms.domain.order.editing import freed
from oms.domain.order.model import Fact, Order, RoutingPlan, cause_of

DEADLINES_OF_THE_REST = 3


def stock_change(order: Order, fact: Fact) -> StockChange | None:
    """What the fact does to stock, seen from the order before it.

    A plan that was taken in batches has moved its stock before it is recorded as routed.
    """
    moved = _stock_moved(fact.event, order)
    if moved is None or not moved[1]:
        return None
    kind, items = moved
    came_back = kind is MovementKind.RECEIVED
    reason = AdjustmentReason.CUSTOMER_RETURN.value if came_back else ""
    return StockChange(kind, cause_of(order.order_id, fact.seq), fact.at, items, reason)


def planned_change(plan: RoutingPlan, lines: Callable[[str], Line]) -> StockChange:
    """What the batches of a routing plan take."""
    items = _assigned_items(plan.plan, lines)
    return StockChange(MovementKind.ALLOCATED, plan.cause, plan.at, items)


Items = tuple[StockItemChange, ...]
Taken = e.OrderLinesCancelled | e.OrderCancelled | e.UnitsFulfilledElsewhere


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


@_stock_moved.register
def _(event: e.FulfillmentOrderShortPicked, order: Order) -> tuple[MovementKind, Items] | None:
    """Of a kit all parts are missed: which of them it is, only a count can tell."""
    items = _items_at(event.lines, order.line, event.location_id, event.fulfillment_order_id)
    return MovementKind.MISSING, items


@_stock_moved.register
def _(event: e.FulfillmentOrderCollected, order: Order) -> tuple[MovementKind, Items] | None:
    """What was brought to the store was consumed where it was shipped."""
    if not order.fulfillment_order(event.fulfillment_order_id).in_warehouse:
        return None
    return MovementKind.CONSUMED, _items_of(order, event.fulfillment_order_id)


@_stock_moved.register(e.OrderLinesCancelled)
@_stock_moved.register(e.OrderCancelled)
@_stock_moved.register(e.UnitsFulfilledElsewhere)
def _(event: Taken, order: Order) -> tuple[MovementKind, Items] | None:
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


@_stock_moved.register
def _(event: e.ReturnInspected, order: Order) -> tuple[MovementKind, Items] | None:
    items = (
        item
        for each in event.lines
        if each.stocked_at
        for item in _taken(order.line(each.line_id), each.quantity, each.stocked_at, "")
    )
    return MovementKind.RECEIVED, tuple(items)


@_stock_moved.register
def _(event: e.OrderEdited, order: Order) -> tuple[MovementKind, Items] | None:
    items = (
        item
        for identity, units in freed(event, order)
        for item in _items_at(
            (units,), order.line, order.fulfillment_order(identity).location_id, identity
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
    if change is None or not fits(len(change.items), _other_rows(fact.event, order)):
        return None
    return change


def owed_by(order: Order, fact: Fact) -> tuple[int, ...]:
    """A change that gives stock back or out and is too large for the transaction is owed."""
    owes = stock_change(order, fact) is not None and moves_at_once(order, fact) is None
    return (fact.seq,) if owes else ()


def needs_batches(plan: Sequence[e.Assigned], order: Order) -> bool:
    """Whether the stock of a plan is too much for one transaction. Lines of one stock item that
    will be one row are counted apart: a plan is rather taken in batches than refused."""
    items = sum(len(order.line(each.line_id).parts) for part in plan for each in part.lines)
    return not fits(items, rows_of_plan(plan, order))


def rows_of_plan(plan: Sequence[e.Assigned], order: Order) -> int:
    """Of fulfillment orders, of the days whose capacity they take and the deadlines by which they
    leave, of the lines for stock in which the order stood, and of those that it joins."""
    limited = {(each.location_id, each.ship_on) for each in plan if each.ship_on}
    watched = sum(each.ship_by is not None for each in plan)
    given = totals(each for assigned in plan for each in assigned.lines)
    whole = all(given.get(line.line_id, 0) == line.open for line in order.lines)
    rest = 0 if whole else MAX_QUEUES + DEADLINES_OF_THE_REST
    return len(plan) + len(limited) + watched + len(awaited_items(order)) + rest


@singledispatch
def _other_rows(event: object, order: Order) -> int:
    """Rows that are written with the event beside those of stock: of fulfillment orders, parcels,
    capacities."""
    return 2


@_other_rows.register
def _(event: e.OrderRouted, order: Order) -> int:
    return rows_of_plan(event.plan, order)


@_other_rows.register
def _(event: e.FulfillmentOrderShipped, order: Order) -> int:
    return 1 + len(event.parcels)


@_other_rows.register(e.OrderLinesCancelled)
@_other_rows.register(e.OrderCancelled)
@_other_rows.register(e.UnitsFulfilledElsewhere)
def _(event: Taken, order: Order) -> int:
    """Units that others have shipped are in a fulfillment order that is new, and what was heard of
    them is written as well."""
    boxes = {unit.fulfillment_order_id for unit in event.units if unit.fulfillment_order_id}
    limited = sum(bool(order.fulfillment_order(each).ship_on) for each in boxes)
    more = 2 if isinstance(event, e.UnitsFulfilledElsewhere) else 0
    return 1 + more + len(boxes) + limited


@_other_rows.register
def _(event: e.OrderEdited, order: Order) -> int:
    """The proposal, its contact and its deadline as well, and the lines for stock that it joins or
    leaves."""
    boxes = {identity for identity, _ in freed(event, order)}
    limited = sum(bool(order.fulfillment_order(each).ship_on) for each in boxes)
    return 4 + 2 * MAX_QUEUES + len(boxes) + limited
