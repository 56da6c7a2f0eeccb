"""`apply` is pure, and total over all that `decide` allows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from oms.domain import events as e
from oms.domain.errors import NotFound
from oms.domain.fulfillment import (
    ELSEWHERE,
    Delivery,
    FulfillmentOrder,
    FulfillmentStatus,
    Parcel,
    Quantity,
    quantities,
    totals,
)
from oms.domain.lines import Line
from oms.domain.order.evolving import (
    confirmed,
    evolve,
    moved,
    requested,
    units_cancelled,
    units_taken,
    with_fulfillment,
    with_return,
    withdrawn,
)
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
from oms.domain.payment import Payment
from oms.domain.promising.promise import OrderPromise
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
    after = evolve(fact.event, order, fact)
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
        linked_to=event.linked_to,
        billing_country=event.billing_country,
        risk=event.risk,
    )
    return confirmed(order)


@evolve.register
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


@evolve.register
def _(event: e.OrderRoutingAbandoned, order: Order, fact: Fact) -> Order:
    return replace(order, routing_plan=None)


@evolve.register
def _(event: e.OrderRouted, order: Order, fact: Fact) -> Order:
    lines = order.lines
    for assigned in event.plan:
        lines = moved(lines, assigned.lines, "open", "allocated")
    opened = tuple(_opened(each, fact) for each in event.plan)
    promise = replace(event.promise, made_at=fact.at) if event.promise else order.promise
    return replace(
        order,
        status=OrderStatus.IN_FULFILLMENT,
        lines=lines,
        routing=event.record,
        routing_plan=None,
        deferred_until=None,
        fulfillment_orders=(*order.fulfillment_orders, *opened),
        promise=promise,
    )


def _opened(assigned: e.Assigned, fact: Fact) -> FulfillmentOrder:
    return FulfillmentOrder(
        assigned.fulfillment_order_id,
        assigned.location_id,
        assigned.lines,
        delivery=Delivery(assigned.delivery),
        ship_on=assigned.ship_on,
        ship_by=assigned.ship_by,
        deliver_by=assigned.deliver_by,
        basis=assigned.basis,
        assigned_at=fact.at if assigned.basis else None,
    )


@evolve.register
def _(event: e.FulfillmentOrderUpgraded, order: Order, fact: Fact) -> Order:
    return with_fulfillment(
        order,
        event.fulfillment_order_id,
        method=event.method,
        ship_by=event.ship_by,
        deliver_by=event.deliver_by,
        basis=event.basis,
    )


@evolve.register
def _(event: e.PromiseRevised, order: Order, fact: Fact) -> Order:
    before = order.promise or OrderPromise(event.instead_of)
    return replace(order, promise=replace(before, revised=event.deliver_by, told_at=fact.at))


@evolve.register
def _(event: e.OrderRoutingDeferred, order: Order, fact: Fact) -> Order:
    return replace(order, deferred_until=event.until)


@evolve.register
def _(event: e.OrderBackordered, order: Order, fact: Fact) -> Order:
    short = totals(event.lines)
    kept = tuple(each for each in order.backorders if each.line_id not in short)
    stand = tuple(_backordered(order, line_id, event, fact) for line_id in short)
    return replace(
        order,
        lines=moved(order.lines, event.lines, "open", "backordered"),
        backorders=(*kept, *stand),
        deferred_until=None,
    )


def _backordered(order: Order, line_id: str, event: e.OrderBackordered, fact: Fact) -> Backordered:
    known = order.backorder(line_id)
    since = known.since if known else fact.at
    return Backordered(line_id, since, event.expected_on, event.preorder)


@evolve.register
def _(event: e.BackorderRescheduled, order: Order, fact: Fact) -> Order:
    backorders = tuple(
        replace(each, expected_on=event.expected_on) if each.line_id in event.line_ids else each
        for each in order.backorders
    )
    return replace(order, backorders=backorders)


@evolve.register
def _(event: e.BackorderReleased, order: Order, fact: Fact) -> Order:
    lines = _released(order.lines)
    return replace(order, lines=lines, deferred_until=None, resolution="")


@evolve.register
def _(event: e.HoldPlaced, order: Order, fact: Fact) -> Order:
    hold = Hold(
        event.hold_id,
        event.type,
        event.reason,
        fact.actor,
        fact.at,
        blocks=event.blocks,
        until=event.until,
    )
    return replace(order, holds=(*order.holds, hold))


@evolve.register
def _(event: e.HoldReleased, order: Order, fact: Fact) -> Order:
    holds = tuple(
        _released_by(hold, event, fact) if hold.hold_id == event.hold_id else hold
        for hold in order.holds
    )
    return replace(order, holds=holds, resolution="")


def _released_by(hold: Hold, event: e.HoldReleased, fact: Fact) -> Hold:
    by, why = fact.actor, event.reason
    return replace(hold, released_at=fact.at, released_by=by, release_reason=why)


@evolve.register
def _(event: e.OrderScreened, order: Order, fact: Fact) -> Order:
    return replace(order, verdict=event.verdict)


@evolve.register
def _(event: e.OrderNeedsAttention, order: Order, fact: Fact) -> Order:
    if event.return_id:
        return with_return(order, event.return_id, attention=event.reason, decision="")
    return replace(order, attention=event.reason, resolution="")


@evolve.register
def _(event: e.AttentionResolved, order: Order, fact: Fact) -> Order:
    if event.return_id:
        return with_return(order, event.return_id, attention="", decision=event.resolution)
    order = replace(order, attention="", resolution=event.resolution)
    if event.resolution != RETRY:
        return order
    return replace(order, refused_by=(), deferred_until=None)  # everybody is asked again


@evolve.register
def _(event: e.FulfillmentOrderAccepted, order: Order, fact: Fact) -> Order:
    return with_fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.ACCEPTED)


@evolve.register
def _(event: e.FulfillmentOrderPicked, order: Order, fact: Fact) -> Order:
    return with_fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.PICKING)


@evolve.register
def _(event: e.FulfillmentOrderPacked, order: Order, fact: Fact) -> Order:
    return with_fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.PACKED)


@evolve.register
def _(event: e.FulfillmentOrderRejected, order: Order, fact: Fact) -> Order:
    rejected = order.fulfillment_order(event.fulfillment_order_id)
    order = with_fulfillment(
        order,
        event.fulfillment_order_id,
        status=FulfillmentStatus.REJECTED,
        reason=event.reason,
    )
    refusal = e.RejectedLocation(event.location_id, f"rejected: {event.reason}", event.until)
    return _open_again(order, rejected.lines, refusal)


@evolve.register
def _(event: e.FulfillmentOrderShortPicked, order: Order, fact: Fact) -> Order:
    for each in event.lines:
        order = withdrawn(order, event.fulfillment_order_id, each, event.reason)
    refusal = e.RejectedLocation(event.location_id, f"short: {event.reason}", event.until)
    return _open_again(order, event.lines, refusal)


def _open_again(order: Order, units: Iterable[Quantity], refusal: e.RejectedLocation) -> Order:
    lines = moved(order.lines, units, "allocated", "open")
    return replace(
        order,
        lines=_released(lines),  # what waits for stock is decided anew, with the rest
        refused_by=(*order.refused_by, refusal),
        resolution="",
    )


@evolve.register
def _(event: e.FulfillmentOrderArrived, order: Order, fact: Fact) -> Order:
    if event.scanned is not None:
        order = _parcels_scanned(order, event.scanned)
    return with_fulfillment(order, event.fulfillment_order_id, status=FulfillmentStatus.ARRIVED)


@evolve.register
def _(event: e.FulfillmentOrderReady, order: Order, fact: Fact) -> Order:
    ready = FulfillmentStatus.READY_FOR_PICKUP
    return with_fulfillment(order, event.fulfillment_order_id, status=ready, ready_at=fact.at)


@evolve.register
def _(event: e.FulfillmentOrderCollected, order: Order, fact: Fact) -> Order:
    collected = order.fulfillment_order(event.fulfillment_order_id)
    source = "allocated" if collected.in_warehouse else "shipped"
    identity, here = event.fulfillment_order_id, FulfillmentStatus.COLLECTED
    order = with_fulfillment(order, identity, status=here, delivered_at=fact.at)
    order = replace(order, lines=moved(order.lines, collected.lines, source, "delivered"))
    return order if event.capture is None else requested(order, event.capture)


@evolve.register
def _(event: e.FulfillmentOrderShipped, order: Order, fact: Fact) -> Order:
    parcels = tuple(Parcel(p.carrier, p.tracking_number, p.lines) for p in event.parcels)
    shipped = order.fulfillment_order(event.fulfillment_order_id)
    order = with_fulfillment(
        order,
        event.fulfillment_order_id,
        status=FulfillmentStatus.SHIPPED,
        parcels=parcels,
        shipped_at=fact.at if shipped.basis else None,
    )
    order = replace(order, lines=moved(order.lines, shipped.lines, "allocated", "shipped"))
    return order if event.capture is None else requested(order, event.capture)


@evolve.register
def _(event: e.ParcelScanned, order: Order, fact: Fact) -> Order:
    return _parcels_scanned(order, event)


@evolve.register
def _(event: e.FulfillmentOrderDelivered, order: Order, fact: Fact) -> Order:
    if event.scanned is not None:
        order = _parcels_scanned(order, event.scanned)
    delivered = order.fulfillment_order(event.fulfillment_order_id)
    identity, there = event.fulfillment_order_id, FulfillmentStatus.DELIVERED
    order = with_fulfillment(order, identity, status=there, delivered_at=fact.at)
    return replace(order, lines=moved(order.lines, delivered.lines, "shipped", "delivered"))


@evolve.register
def _(event: e.OrderLinesCancelled, order: Order, fact: Fact) -> Order:
    return units_cancelled(order, event.units)


@evolve.register
def _(event: e.UnitsFulfilledElsewhere, order: Order, fact: Fact) -> Order:
    order = units_taken(order, event.units, "delivered")
    units = totals(Quantity(each.line_id, each.quantity) for each in event.units)
    theirs = FulfillmentOrder(
        event.fulfillment_order_id,
        ELSEWHERE,
        quantities(units),
        FulfillmentStatus.DELIVERED,
        reason=event.reference,
        delivered_at=fact.at,
    )
    return replace(order, fulfillment_orders=(*order.fulfillment_orders, theirs))


@evolve.register
def _(event: e.OrderCancelled, order: Order, fact: Fact) -> Order:
    status = OrderStatus.EXPIRED if event.expired else OrderStatus.CANCELLED
    order = units_cancelled(order, event.units)
    return replace(order, status=status, cancel_reason=event.reason, attention="")


@evolve.register
def _(event: e.StockSettled, order: Order, fact: Fact) -> Order:
    owed = tuple(x for x in order.owed_stock if cause_of(order.order_id, x) != event.cause)
    return replace(order, owed_stock=owed)


@evolve.register
def _(event: e.OrderCompleted, order: Order, fact: Fact) -> Order:
    kept = order.unresolved or order.payment.is_disputed
    attention = order.attention if kept else ""
    return replace(order, status=OrderStatus.COMPLETED, attention=attention)


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


def _without_served(order: Order) -> Order:
    """Lines of which a location has all by now, or nobody wants any more, wait no longer."""
    waiting = {line.line_id for line in order.lines if line.open or line.backordered}
    kept = tuple(each for each in order.backorders if each.line_id in waiting)
    return replace(order, backorders=kept)
