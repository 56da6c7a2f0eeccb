"""Who ships what, and what waits for stock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.cancelling import called_off
from oms.domain.decide.deciding import after, decide, not_on_hold
from oms.domain.decide.promising import promise_of
from oms.domain.errors import IllegalTransition, QuantityExceeded, Refused
from oms.domain.fulfillment import Delivery, Quantity, totals
from oms.domain.holds import HoldStep
from oms.domain.lines import Line
from oms.domain.order import Order, OrderStatus, needs_batches

OUT_OF_STOCK = "out_of_stock"


@decide.register
def _(command: c.PlanRouting, order: Order) -> tuple[e.Event, ...]:
    _routable(order)
    if order.routing_plan is not None:
        raise IllegalTransition(order.order_id, "being routed", "be planned again")
    _well_said(order, command)
    short = tuple(_short(order, each) for each in _backorders(command))
    return (e.OrderRoutingPlanned(command.plan, command.record, short, command.denied),)


@decide.register
def _(command: c.AbandonRouting, order: Order) -> tuple[e.Event, ...]:
    return (e.OrderRoutingAbandoned(command.reason),) if order.routing_plan else ()


@decide.register
def _(command: c.RecordRouting, order: Order) -> tuple[e.Event, ...]:
    _routable(order)
    short = tuple(_short(order, each) for each in _backorders(command))
    if order.routing_plan is not None:
        _as_planned(order, command, short)
    elif needs_batches(command.plan, order):
        raise Refused(f"the stock of {order.order_id} must be taken in batches first")
    _well_said(order, command)
    _covers_open(order, command)
    promise = promise_of(order, command.plan, command.record, waits=bool(short))
    events: tuple[e.Event, ...] = (e.OrderRouted(command.plan, command.record, promise), *short)
    return (*events, *_denied(after(order, *events), command.denied))


@decide.register
def _(command: c.DeferRouting, order: Order) -> tuple[e.Event, ...]:
    _routable(order)
    if order.routing_plan is not None:
        raise IllegalTransition(order.order_id, "being routed", "be deferred")
    if order.is_deferred and order.deferred_until == command.until:
        return ()
    return (e.OrderRoutingDeferred(command.until, command.sku),)


@decide.register
def _(command: c.Backorder, order: Order) -> tuple[e.Event, ...]:
    _routable(order)
    _a_day_or_none(command.expected_on)
    for line_id, quantity in totals(command.lines).items():
        if quantity > (left := order.line(line_id).open):
            raise QuantityExceeded(line_id, quantity, left)
    return (_short(order, command),)


@decide.register
def _(command: c.RescheduleBackorder, order: Order) -> tuple[e.Event, ...]:
    _a_day_or_none(command.expected_on)
    line_ids = tuple(
        line.line_id
        for line in order.lines
        if (known := order.backorder(line.line_id))
        and known.expected_on != command.expected_on
        and _is_of(line, command.sku)
    )
    return (e.BackorderRescheduled(line_ids, command.expected_on),) if line_ids else ()


@decide.register
def _(command: c.ReleaseBackorder, order: Order) -> tuple[e.Event, ...]:
    waits = any(line.backordered and _is_of(line, command.sku) for line in order.lines)
    return (e.BackorderReleased(command.sku),) if waits else ()


def _is_of(line: Line, sku: str) -> bool:
    """Ordered under this SKU, or made of this stock item."""
    return sku in (line.sku, *(part.item for part in line.parts))


def _routable(order: Order) -> None:
    if order.status not in (OrderStatus.CONFIRMED, OrderStatus.IN_FULFILLMENT):
        raise IllegalTransition(order.order_id, order.status, "be routed")
    not_on_hold(order, HoldStep.ROUTING)
    if not any(line.open for line in order.lines):
        raise IllegalTransition(order.order_id, "routed", "be routed again")


def _backorders(command: c.PlanRouting | c.RecordRouting) -> Iterator[c.Backorder]:
    if command.short:
        yield c.Backorder(command.short, command.expected_on, command.preorder)
    yield from command.backorders


def _short(order: Order, said: c.Backorder) -> e.OrderBackordered:
    known = (order.backorder(each.line_id) for each in said.lines)
    again = all(
        each is not None and (each.expected_on, each.preorder) == (said.expected_on, said.preorder)
        for each in known
    )
    return e.OrderBackordered(said.lines, said.expected_on, said.preorder, again)


def _as_planned(
    order: Order, command: c.RecordRouting, short: tuple[e.OrderBackordered, ...]
) -> None:
    kept = order.routing_plan
    assert kept is not None
    said = (command.plan, tuple(each.lines for each in short), command.denied)
    if said != (kept.plan, tuple(each.lines for each in kept.backordered), kept.denied):
        raise Refused(f"{order.order_id} is being routed by another plan")


def _well_said(order: Order, command: c.PlanRouting | c.RecordRouting) -> None:
    if not command.plan:
        raise Refused("a plan that gives nothing to anybody is none")
    for assigned in command.plan:
        _reaches(order, assigned)
        _a_day_or_none(assigned.ship_on)
    for each in _backorders(command):
        _a_day_or_none(each.expected_on)


def _reaches(order: Order, assigned: e.Assigned) -> None:
    """What is to be collected needs a store, and lies there or is brought there. A plan that was
    made before another was carried out, and rejected, is out of date."""
    if any(
        x.fulfillment_order_id == assigned.fulfillment_order_id for x in order.fulfillment_orders
    ):
        raise Refused(f"{assigned.fulfillment_order_id} was given to a location before")
    if assigned.delivery not in set(Delivery):
        raise Refused(f"nothing is delivered by {assigned.delivery!r}")
    store, here = order.pickup_location, assigned.location_id
    if assigned.delivery != Delivery.SHIP and not store:
        raise Refused(f"{order.order_id} is collected nowhere")
    if assigned.delivery == Delivery.PICKUP and store != here:
        raise Refused(f"{order.order_id} is collected at {store}, not at {here}")


def _a_day_or_none(said: str) -> None:
    try:
        date.fromisoformat(said) if said else None
    except ValueError:
        raise Refused(f"{said!r} is no day") from None


def _covers_open(order: Order, command: c.RecordRouting) -> None:
    """Each open unit is shipped by somebody, waits, or is cancelled: none is forgotten."""
    short = (each for backorder in _backorders(command) for each in backorder.lines)
    covered = totals([*_planned(command.plan), *short, *command.denied])
    if covered != {line.line_id: line.open for line in order.lines if line.open}:
        raise Refused(f"the plan of {order.order_id} does not cover its open lines")


def _planned(plan: Sequence[e.Assigned]) -> Iterable[Quantity]:
    return (each for assigned in plan for each in assigned.lines)


def _denied(order: Order, units: Sequence[Quantity]) -> tuple[e.Event, ...]:
    """What may not wait for stock is cancelled in the same decision, and not paid for."""
    open_units = tuple(e.CancelledUnits(each.line_id, each.quantity, "open") for each in units)
    return called_off(order, open_units, OUT_OF_STOCK)
