"""Who ships what, and what waits for stock."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import decide, not_on_hold
from oms.domain.errors import IllegalTransition, QuantityExceeded, Refused
from oms.domain.inventory import fits
from oms.domain.lines import Line
from oms.domain.order import Order, OrderStatus


@decide.register
def _(command: c.PlanRouting, order: Order) -> tuple[e.Event, ...]:
    _routable(order)
    if order.routing_plan is not None:
        raise IllegalTransition(order.order_id, "being routed", "be planned again")
    return (e.OrderRoutingPlanned(command.plan, command.record),)


@decide.register
def _(command: c.AbandonRouting, order: Order) -> tuple[e.Event, ...]:
    return (e.OrderRoutingAbandoned(command.reason),) if order.routing_plan else ()


@decide.register
def _(command: c.RecordRouting, order: Order) -> tuple[e.Event, ...]:
    _routable(order)
    taken = order.routing_plan.plan if order.routing_plan else None
    if taken is None and needs_batches(command.plan, order.line):
        raise Refused(f"the stock of {order.order_id} must be taken in batches first")
    if taken is not None and taken != command.plan:
        raise Refused(f"{order.order_id} is being routed by another plan")
    _covers_open(order, command.plan)
    return (e.OrderRouted(command.plan, command.record),)


@decide.register
def _(command: c.Backorder, order: Order) -> tuple[e.Event, ...]:
    _routable(order)
    for wanted in command.lines:
        if wanted.quantity > (left := order.line(wanted.line_id).open):
            raise QuantityExceeded(wanted.line_id, wanted.quantity, left)
    return (e.OrderBackordered(command.lines),)


@decide.register
def _(command: c.ReleaseBackorder, order: Order) -> tuple[e.Event, ...]:
    waits = any(line.sku == command.sku and line.backordered for line in order.lines)
    return (e.BackorderReleased(command.sku),) if waits else ()


def _routable(order: Order) -> None:
    if order.status not in (OrderStatus.CONFIRMED, OrderStatus.IN_FULFILLMENT):
        raise IllegalTransition(order.order_id, order.status, "be routed")
    not_on_hold(order)
    if not any(line.open for line in order.lines):
        raise IllegalTransition(order.order_id, "routed", "be routed again")


def needs_batches(plan: Sequence[e.Assigned], lines: Callable[[str], Line]) -> bool:
    """Whether the stock of a plan is too much for one transaction. Lines of one SKU that will be
    one row are counted apart: a plan is rather taken in batches than refused."""
    items = sum(len(lines(each.line_id).parts) for assigned in plan for each in assigned.lines)
    return not fits(items, len(plan))


def _covers_open(order: Order, plan: Sequence[e.Assigned]) -> None:
    wanted = {line.line_id: line.open for line in order.lines if line.open}
    planned: dict[str, int] = {}
    for quantity in (q for assigned in plan for q in assigned.lines):
        planned[quantity.line_id] = planned.get(quantity.line_id, 0) + quantity.quantity
    if planned != wanted:
        raise Refused(f"the plan of {order.order_id} does not cover its open lines")
