"""`apply` is pure, and total over all that `decide` allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch

from oms.domain import events as e
from oms.domain.errors import NotFound
from oms.domain.fulfillment import (
    Delivery,
    FulfillmentOrder,
    FulfillmentStatus,
    Parcel,
    Quantity,
    totals,
)
from oms.domain.lines import Line
from oms.domain.order.model import (
    Backordered,
    Fact,
    Hold,
    Order,
    OrderStatus,
    RoutingPlan,
    cause_of,
)
from oms.domain.order.stock import owed_by
from oms.domain.payment import Operation, OperationStatus, Payment
from oms.domain.tracking import furthest

RETRY = "retry"


def fold(order_id: str, facts: Iterable[Fact]) -> Order:
    order: Order | None = None
    for fact in facts:
        order = apply(order_id, order, fact)
    if order is None:
        raise NotFound("order", order_id)
    return order


def apply(order_id: str, order: Order | None, fact: Fact) -> Order:
    """The order after the fact. The first fact of an order is that it was placed."""
    if isinstance(fact.event, e.OrderPlaced):
        return _placed(order_id, fact.event, fact.seq)
    if order is None:
        raise NotFound("order", order_id)
    owed = owed_by(order, fact)
    after = _evolve(fact.event, order, fact)
    after = _without_served(after) if after.backorders else after
    return replace(after, version=fact.seq, owed_stock=(*after.owed_stock, *owed))


def _placed(order_id: str, event: e.OrderPlaced, seq: int) -> Order:
    order = Order(
        order_id=order_id,
        version=seq,
        status=OrderStatus.PLACED,
        channel=event.channel,
        external_id=event.external_id,
        currency=event.currency,
        customer_id=event.customer_id,
        placed_at=event.placed_at,
        destination=event.destination,
        lines=event.lines,
        discounts=event.discounts,
        shipping=event.shipping,
        tax_included=event.tax_included,
        payment=Payment(event.provider, event.operations),
        stock_hold_id=event.stock_hold_id,
        tags=event.tags,
        customer_tier=event.customer_tier,
        deliver_by=event.deliver_by,
        pickup_location=event.pickup_location,
    )
    return _confirmed(order)


def _confirmed(order: Order) -> Order:
    """Placed orders are confirmed as soon as they are paid for and nothing holds them."""
    ready = order.is_paid_for and not order.active_holds
    if order.status is OrderStatus.PLACED and ready:
        return replace(order, status=OrderStatus.CONFIRMED)
    return order


@singledispatch
def _evolve(event: object, order: Order, fact: Fact) -> Order:
    raise TypeError(f"no order knows {type(event).__name__}")


@_evolve.register
def _(event: e.PaymentAuthorized, order: Order, fact: Fact) -> Order:
    return _confirmed(_settled(order, event.operation_id, reference=event.reference))


@_evolve.register
def _(event: e.PaymentPending, order: Order, fact: Fact) -> Order:
    return _operation(
        order, event.operation_id, status=OperationStatus.PENDING, reference=event.reference
    )


@_evolve.register
def _(event: e.PaymentUnknown, order: Order, fact: Fact) -> Order:
    return _operation(order, event.operation_id, status=OperationStatus.UNKNOWN)


@_evolve.register(e.PaymentDeclined)
@_evolve.register(e.PaymentOperationFailed)
def _(event: e.PaymentDeclined | e.PaymentOperationFailed, order: Order, fact: Fact) -> Order:
    return _operation(order, event.operation_id, status=OperationStatus.FAILED, reason=event.reason)


@_evolve.register
def _(event: e.PaymentOperationRequested, order: Order, fact: Fact) -> Order:
    return _requested(order, event.operation)


@_evolve.register(e.PaymentCaptured)
@_evolve.register(e.PaymentVoided)
@_evolve.register(e.PaymentRefunded)
def _(
    event: e.PaymentCaptured | e.PaymentVoided | e.PaymentRefunded, order: Order, fact: Fact
) -> Order:
    return _settled(order, event.operation_id, reference=event.reference)


@_evolve.register
def _(event: e.PaymentOperationRetried, order: Order, fact: Fact) -> Order:
    return _operation(
        order, event.operation_id, status=OperationStatus.REQUESTED, attempt=event.attempt
    )


@_evolve.register
def _(event: e.OrderRoutingPlanned, order: Order, fact: Fact) -> Order:
    plan = RoutingPlan(
        cause_of(order.order_id, fact.seq),
        fact.at,
        event.plan,
        event.record,
        event.backordered,
        event.denied,
    )
    return replace(order, routing_plan=plan, deferred_until=None)


@_evolve.register
def _(event: e.OrderRoutingAbandoned, order: Order, fact: Fact) -> Order:
    return replace(order, routing_plan=None)


@_evolve.register
def _(event: e.OrderRouted, order: Order, fact: Fact) -> Order:
    lines = order.lines
    for assigned in event.plan:
        lines = _moved(lines, assigned.lines, "open", "allocated")
    opened = tuple(map(_opened, event.plan))
    return replace(
        order,
        status=OrderStatus.IN_FULFILLMENT,
        lines=lines,
        routing=event.record,
        routing_plan=None,
        deferred_until=None,
        fulfillment_orders=(*order.fulfillment_orders, *opened),
    )


def _opened(assigned: e.Assigned) -> FulfillmentOrder:
    return FulfillmentOrder(
        assigned.fulfillment_order_id,
        assigned.location_id,
        assigned.lines,
        delivery=Delivery(assigned.delivery),
        ship_on=assigned.ship_on,
        ship_by=assigned.ship_by,
        deliver_by=assigned.deliver_by,
    )


@_evolve.register
def _(event: e.OrderRoutingDeferred, order: Order, fact: Fact) -> Order:
    return replace(order, deferred_until=event.until)


@_evolve.register
def _(event: e.OrderBackordered, order: Order, fact: Fact) -> Order:
    short = totals(event.lines)
    kept = tuple(each for each in order.backorders if each.line_id not in short)
    stand = tuple(_backordered(order, line_id, event, fact) for line_id in short)
    return replace(
        order,
        lines=_moved(order.lines, event.lines, "open", "backordered"),
        backorders=(*kept, *stand),
        deferred_until=None,
    )


def _backordered(order: Order, line_id: str, event: e.OrderBackordered, fact: Fact) -> Backordered:
    known = order.backorder(line_id)
    since = known.since if known else fact.at
    return Backordered(line_id, since, event.expected_on, event.preorder)


@_evolve.register
def _(event: e.BackorderRescheduled, order: Order, fact: Fact) -> Order:
    backorders = tuple(
        replace(each, expected_on=event.expected_on) if each.line_id in event.line_ids else each
        for each in order.backorders
    )
    return replace(order, backorders=backorders)


@_evolve.register
def _(event: e.BackorderReleased, order: Order, fact: Fact) -> Order:
    lines = _released(order.lines)
    return replace(order, lines=lines, deferred_until=None, resolution="")


@_evolve.register
def _(event: e.HoldPlaced, order: Order, fact: Fact) -> Order:
    hold = Hold(event.hold_id, event.type, event.reason, fact.actor, fact.at)
    return replace(order, holds=(*order.holds, hold))


@_evolve.register
def _(event: e.HoldReleased, order: Order, fact: Fact) -> Order:
    holds = tuple(
        replace(hold, released_at=fact.at) if hold.hold_id == event.hold_id else hold
        for hold in order.holds
    )
    return _confirmed(replace(order, holds=holds, resolution=""))


@_evolve.register
def _(event: e.OrderNeedsAttention, order: Order, fact: Fact) -> Order:
    return replace(order, attention=event.reason, resolution="")


@_evolve.register
def _(event: e.AttentionResolved, order: Order, fact: Fact) -> Order:
    order = replace(order, attention="", resolution=event.resolution)
    if event.resolution != RETRY:
        return order
    return replace(order, refused_by=(), deferred_until=None)  # everybody is asked again


@_evolve.register
def _(event: e.FulfillmentOrderAccepted, order: Order, fact: Fact) -> Order:
    return _fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.ACCEPTED)


@_evolve.register
def _(event: e.FulfillmentOrderPicked, order: Order, fact: Fact) -> Order:
    return _fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.PICKING)


@_evolve.register
def _(event: e.FulfillmentOrderPacked, order: Order, fact: Fact) -> Order:
    return _fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.PACKED)


@_evolve.register
def _(event: e.FulfillmentOrderRejected, order: Order, fact: Fact) -> Order:
    rejected = order.fulfillment_order(event.fulfillment_order_id)
    order = _fulfillment(
        order,
        event.fulfillment_order_id,
        status=FulfillmentStatus.REJECTED,
        reason=event.reason,
    )
    refusal = e.RejectedLocation(event.location_id, f"rejected: {event.reason}", event.until)
    return _open_again(order, rejected.lines, refusal)


@_evolve.register
def _(event: e.FulfillmentOrderShortPicked, order: Order, fact: Fact) -> Order:
    for each in event.lines:
        order = _withdrawn(order, event.fulfillment_order_id, each, event.reason)
    refusal = e.RejectedLocation(event.location_id, f"short: {event.reason}", event.until)
    return _open_again(order, event.lines, refusal)


def _open_again(order: Order, units: Iterable[Quantity], refusal: e.RejectedLocation) -> Order:
    lines = _moved(order.lines, units, "allocated", "open")
    return replace(
        order,
        lines=_released(lines),  # what waits for stock is decided anew, with the rest
        refused_by=(*order.refused_by, refusal),
        resolution="",
    )


@_evolve.register
def _(event: e.FulfillmentOrderArrived, order: Order, fact: Fact) -> Order:
    if event.scanned is not None:
        order = _parcels_scanned(order, event.scanned)
    return _fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.ARRIVED)


@_evolve.register
def _(event: e.FulfillmentOrderReady, order: Order, fact: Fact) -> Order:
    ready = FulfillmentStatus.READY_FOR_PICKUP
    return _fulfillment(order, event.fulfillment_order_id, status=ready, ready_at=fact.at)


@_evolve.register
def _(event: e.FulfillmentOrderCollected, order: Order, fact: Fact) -> Order:
    collected = order.fulfillment_order(event.fulfillment_order_id)
    source = "allocated" if collected.in_warehouse else "shipped"
    order = _fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.COLLECTED)
    order = replace(order, lines=_moved(order.lines, collected.lines, source, "delivered"))
    return order if event.capture is None else _requested(order, event.capture)


@_evolve.register
def _(event: e.FulfillmentOrderShipped, order: Order, fact: Fact) -> Order:
    parcels = tuple(Parcel(p.carrier, p.tracking_number, p.lines) for p in event.parcels)
    shipped = order.fulfillment_order(event.fulfillment_order_id)
    order = _fulfillment(
        order, event.fulfillment_order_id, status=FulfillmentStatus.SHIPPED, parcels=parcels
    )
    order = replace(order, lines=_moved(order.lines, shipped.lines, "allocated", "shipped"))
    return order if event.capture is None else _requested(order, event.capture)


@_evolve.register
def _(event: e.ParcelScanned, order: Order, fact: Fact) -> Order:
    return _parcels_scanned(order, event)


@_evolve.register
def _(event: e.FulfillmentOrderDelivered, order: Order, fact: Fact) -> Order:
    if event.scanned is not None:
        order = _parcels_scanned(order, event.scanned)
    delivered = order.fulfillment_order(event.fulfillment_order_id)
    order = _fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.DELIVERED)
    return replace(order, lines=_moved(order.lines, delivered.lines, "shipped", "delivered"))


@_evolve.register
def _(event: e.OrderLinesCancelled, order: Order, fact: Fact) -> Order:
    return _units_cancelled(order, event.units)


@_evolve.register
def _(event: e.OrderCancelled, order: Order, fact: Fact) -> Order:
    status = OrderStatus.EXPIRED if event.expired else OrderStatus.CANCELLED
    order = _units_cancelled(order, event.units)
    return replace(order, status=status, cancel_reason=event.reason, attention="")


@_evolve.register
def _(event: e.StockSettled, order: Order, fact: Fact) -> Order:
    owed = tuple(x for x in order.owed_stock if cause_of(order.order_id, x) != event.cause)
    return replace(order, owed_stock=owed)


@_evolve.register
def _(event: e.OrderCompleted, order: Order, fact: Fact) -> Order:
    attention = order.attention if order.unresolved else ""
    return replace(order, status=OrderStatus.COMPLETED, attention=attention)


def _operation(order: Order, operation_id: str, **changes: object) -> Order:
    operations = tuple(
        replace(each, **changes) if each.operation_id == operation_id else each  # type: ignore[arg-type]
        for each in order.payment.operations
    )
    return replace(order, payment=replace(order.payment, operations=operations))


def _settled(order: Order, operation_id: str, *, reference: str) -> Order:
    return _operation(order, operation_id, status=OperationStatus.SUCCEEDED, reference=reference)


def _requested(order: Order, operation: Operation) -> Order:
    operations = (*order.payment.operations, operation)
    return replace(order, payment=replace(order.payment, operations=operations))


def _fulfillment(order: Order, identity: str, **changes: object) -> Order:
    changed = tuple(
        replace(each, **changes) if each.fulfillment_order_id == identity else each  # type: ignore[arg-type]
        for each in order.fulfillment_orders
    )
    return replace(order, fulfillment_orders=changed)


def _moved(
    lines: tuple[Line, ...], quantities: Iterable[Quantity], source: str, target: str
) -> tuple[Line, ...]:
    by_line = {line.line_id: line for line in lines}
    for moved in quantities:
        by_line[moved.line_id] = by_line[moved.line_id].move(source, target, moved.quantity)
    return tuple(by_line.values())


def _parcels_scanned(order: Order, scanned: e.ParcelScanned) -> Order:
    fulfillment_orders = tuple(
        replace(each, parcels=tuple(_scanned(parcel, scanned) for parcel in each.parcels))
        for each in order.fulfillment_orders
    )
    return replace(order, fulfillment_orders=fulfillment_orders)


def _released(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    return tuple(line.move("backordered", "open", line.backordered) for line in lines)


def _scanned(parcel: Parcel, event: e.ParcelScanned) -> Parcel:
    if (parcel.carrier, parcel.tracking_number) != (event.carrier, event.tracking_number):
        return parcel
    for scan in event.scans:
        status, scanned_at = furthest(parcel.status, parcel.scanned_at, scan)
        scans = (*parcel.scans, scan.fingerprint)
        parcel = replace(parcel, status=status, scanned_at=scanned_at, scans=scans)
    return parcel


def _units_cancelled(order: Order, units: Iterable[e.CancelledUnits]) -> Order:
    for unit in units:
        quantity = (Quantity(unit.line_id, unit.quantity),)
        order = replace(order, lines=_moved(order.lines, quantity, unit.source, "cancelled"))
        if unit.fulfillment_order_id:
            order = _withdrawn(order, unit.fulfillment_order_id, quantity[0])
    return order


def _withdrawn(order: Order, identity: str, units: Quantity, reason: str = "") -> Order:
    """Take units out of a fulfillment order; one that is empty is cancelled."""
    before = order.fulfillment_order(identity)
    left = tuple(
        replace(q, quantity=q.quantity - units.quantity) if q.line_id == units.line_id else q
        for q in before.lines
    )
    left = tuple(q for q in left if q.quantity)
    status = before.status if left else FulfillmentStatus.CANCELLED
    told = reason or before.reason
    return _fulfillment(order, identity, lines=left, status=status, reason=told)


def _without_served(order: Order) -> Order:
    """Lines of which a location has all by now, or nobody wants any more, wait no longer."""
    waiting = {line.line_id for line in order.lines if line.open or line.backordered}
    kept = tuple(each for each in order.backorders if each.line_id in waiting)
    return replace(order, backorders=kept)
