"""The order: a fold of its facts. `apply` is pure, and total over all that `decide` allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import singledispatch
from typing import TypeVar

from oms.domain import events as e
from oms.domain.errors import NotFound
from oms.domain.fulfillment import (
    FulfillmentOrder,
    FulfillmentStatus,
    Parcel,
    Quantity,
)
from oms.domain.inventory import MovementKind, StockChange, StockItemChange, fits
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.payment import Operation, OperationKind, OperationStatus, Payment
from oms.domain.routing import Destination
from oms.domain.tracking import furthest

T = TypeVar("T")


class OrderStatus(StrEnum):
    PLACED = "placed"
    CONFIRMED = "confirmed"
    IN_FULFILLMENT = "in_fulfillment"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# The order has no further business: no stock, no money and no parcel is on its way.
FINAL = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED, OrderStatus.EXPIRED})


@dataclass(frozen=True, slots=True)
class Fact:
    """An event in its place in the history. `actor` is a client or staff id, or `system`."""

    seq: int
    at: datetime
    actor: str
    event: e.Event


@dataclass(frozen=True, slots=True)
class Hold:
    hold_id: str
    type: str
    reason: str
    placed_by: str
    placed_at: datetime
    released_at: datetime | None = None

    @property
    def active(self) -> bool:
        return self.released_at is None


@dataclass(frozen=True, slots=True)
class RoutingPlan:
    """A plan whose stock is being taken in batches; `cause` and `at` name their movements."""

    cause: str
    at: datetime
    plan: tuple[e.Assigned, ...]
    record: e.RoutingRecord


@dataclass(frozen=True, slots=True)
class Order:
    """`owed_stock` are the seqs of events whose stock is still to be moved, in batches.

    `resolution` is the last decision that a person took, while nothing has happened since that
    asks for another.
    """

    order_id: str
    version: int
    status: OrderStatus
    channel: str
    external_id: str
    currency: str
    customer_id: str
    placed_at: datetime
    destination: Destination
    lines: tuple[Line, ...]
    discounts: tuple[Discount, ...]
    shipping: Shipping
    tax_included: bool
    payment: Payment
    fulfillment_orders: tuple[FulfillmentOrder, ...] = ()
    holds: tuple[Hold, ...] = ()
    refused_by: tuple[e.RejectedLocation, ...] = ()
    routing: e.RoutingRecord | None = None
    routing_plan: RoutingPlan | None = None
    owed_stock: tuple[int, ...] = ()
    attention: str = ""
    resolution: str = ""
    cancel_reason: str = ""

    def line(self, line_id: str) -> Line:
        return _found((x for x in self.lines if x.line_id == line_id), "line", line_id)

    def fulfillment_order(self, identity: str) -> FulfillmentOrder:
        orders = (x for x in self.fulfillment_orders if x.fulfillment_order_id == identity)
        return _found(orders, "fulfillment order", identity)

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def active_holds(self) -> tuple[Hold, ...]:
        return tuple(hold for hold in self.holds if hold.active)

    @property
    def total(self) -> int:
        """What was ordered costs, in minor units; cancellations do not change it."""
        lines = sum(x.payable(0, x.quantity, tax_included=self.tax_included) for x in self.lines)
        return lines + self.shipping.payable(tax_included=self.tax_included)

    @property
    def payable(self) -> int:
        """What the units that are not cancelled cost; shipping is due while there are any."""
        kept = [(x, 0, x.quantity - x.cancelled) for x in self.lines]
        return self._cost(kept)

    @property
    def earned(self) -> int:
        """What the units that left a warehouse cost; shipping is earned with the first."""
        return self._cost([(x, 0, x.dispatched) for x in self.lines])

    @property
    def has_unshipped(self) -> bool:
        return any(line.unshipped for line in self.lines)

    @property
    def unrefunded(self) -> int:
        """Taken money that is kept, or on its way to be."""
        committed = self.payment.committed
        return committed(OperationKind.CAPTURE) - committed(OperationKind.REFUND)

    @property
    def uncaptured(self) -> int:
        """Authorized, and neither taken nor given up nor asked for."""
        committed = self.payment.committed
        taken = committed(OperationKind.CAPTURE) + committed(OperationKind.VOID)
        return self.payment.authorized - taken

    def owed(self, kind: OperationKind) -> int:
        """What is still to be captured, refunded or voided, beside what was asked for already."""
        if kind is OperationKind.CAPTURE:
            asked = self.payment.committed(OperationKind.CAPTURE)
            return max(0, min(self.earned, self.payment.authorized) - asked)
        if kind is OperationKind.REFUND:
            return max(0, self.unrefunded - self.payable)
        return 0 if self.has_unshipped else max(0, self.uncaptured)

    @property
    def unresolved(self) -> tuple[Operation, ...]:
        """Operations that failed for certain, and nothing was asked for in their place."""
        return tuple(
            operation
            for operation in self.payment.operations
            if operation.status is OperationStatus.FAILED
            and operation.kind is not OperationKind.AUTHORIZE
            and operation.amount <= self.owed(operation.kind)
        )

    @property
    def is_paid_for(self) -> bool:
        """Authorized, or taken elsewhere: the goods may go."""
        return self.payment.authorized >= self.total

    def _cost(self, units: list[tuple[Line, int, int]]) -> int:
        if not any(count for _, _, count in units):
            return 0
        lines = sum(
            line.payable(start, count, tax_included=self.tax_included)
            for line, start, count in units
        )
        return lines + self.shipping.payable(tax_included=self.tax_included)


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
    owed = _owed(order, fact)
    after = _evolve(fact.event, order, fact)
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


@_evolve.register
def _(event: e.PaymentDeclined, order: Order, fact: Fact) -> Order:
    return _operation(order, event.operation_id, status=OperationStatus.FAILED, reason=event.reason)


@_evolve.register
def _(event: e.PaymentOperationRequested, order: Order, fact: Fact) -> Order:
    return _requested(order, event.operation)


@_evolve.register
def _(event: e.PaymentCaptured, order: Order, fact: Fact) -> Order:
    return _settled(order, event.operation_id, reference=event.reference)


@_evolve.register
def _(event: e.PaymentVoided, order: Order, fact: Fact) -> Order:
    return _settled(order, event.operation_id, reference=event.reference)


@_evolve.register
def _(event: e.PaymentRefunded, order: Order, fact: Fact) -> Order:
    return _settled(order, event.operation_id, reference=event.reference)


@_evolve.register
def _(event: e.PaymentOperationFailed, order: Order, fact: Fact) -> Order:
    return _operation(order, event.operation_id, status=OperationStatus.FAILED, reason=event.reason)


@_evolve.register
def _(event: e.PaymentOperationRetried, order: Order, fact: Fact) -> Order:
    return _operation(
        order, event.operation_id, status=OperationStatus.REQUESTED, attempt=event.attempt
    )


@_evolve.register
def _(event: e.OrderRoutingPlanned, order: Order, fact: Fact) -> Order:
    plan = RoutingPlan(cause_of(order.order_id, fact.seq), fact.at, event.plan, event.record)
    return replace(order, routing_plan=plan)


@_evolve.register
def _(event: e.OrderRoutingAbandoned, order: Order, fact: Fact) -> Order:
    return replace(order, routing_plan=None)


@_evolve.register
def _(event: e.OrderRouted, order: Order, fact: Fact) -> Order:
    lines = order.lines
    for assigned in event.plan:
        lines = _moved(lines, assigned.lines, "open", "allocated")
    opened = tuple(
        FulfillmentOrder(a.fulfillment_order_id, a.location_id, a.lines) for a in event.plan
    )
    return replace(
        order,
        status=OrderStatus.IN_FULFILLMENT,
        lines=lines,
        routing=event.record,
        routing_plan=None,
        fulfillment_orders=(*order.fulfillment_orders, *opened),
    )


@_evolve.register
def _(event: e.OrderBackordered, order: Order, fact: Fact) -> Order:
    return replace(order, lines=_moved(order.lines, event.lines, "open", "backordered"))


@_evolve.register
def _(event: e.BackorderReleased, order: Order, fact: Fact) -> Order:
    return replace(order, lines=_released(order.lines), resolution="")


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
    return replace(order, attention="", resolution=event.resolution)


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
    refusal = e.RejectedLocation(event.location_id, f"rejected: {event.reason}")
    lines = _moved(order.lines, rejected.lines, "allocated", "open")
    return replace(
        order,
        lines=_released(lines),  # what waits for stock is decided anew, with the rest
        refused_by=(*order.refused_by, refusal),
        resolution="",
    )


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


def cause_of(order_id: str, seq: int) -> str:
    """The id of a fact, and the cause of the stock movements that it makes."""
    return f"{order_id}#{seq:06d}"


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
    items = tuple(
        StockItemChange(
            order.line(unit.line_id).sku,
            order.fulfillment_order(unit.fulfillment_order_id).location_id,
            unit.quantity,
        )
        for unit in event.units
        if unit.fulfillment_order_id
    )
    return MovementKind.RELEASED, items


def _items_of(order: Order, fulfillment_order_id: str) -> Items:
    source = order.fulfillment_order(fulfillment_order_id)
    return tuple(
        StockItemChange(order.line(q.line_id).sku, source.location_id, q.quantity)
        for q in source.lines
    )


def _assigned_items(plan: tuple[e.Assigned, ...], lines: Callable[[str], Line]) -> Items:
    return tuple(
        StockItemChange(lines(q.line_id).sku, assigned.location_id, q.quantity)
        for assigned in plan
        for q in assigned.lines
    )


def moves_at_once(order: Order, fact: Fact) -> StockChange | None:
    """The stock that moves in the fact's own transaction: all of it, or none when it is owed."""
    change = stock_change(order, fact)
    if change is None or not fits(len(change.items), _other_rows(fact.event)):
        return None
    return change


def _owed(order: Order, fact: Fact) -> tuple[int, ...]:
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
            order = _withdrawn(order, unit)
    return order


def _withdrawn(order: Order, unit: e.CancelledUnits) -> Order:
    """Take units out of a fulfillment order; one that is empty is cancelled."""
    before = order.fulfillment_order(unit.fulfillment_order_id)
    left = tuple(
        replace(q, quantity=q.quantity - unit.quantity) if q.line_id == unit.line_id else q
        for q in before.lines
    )
    left = tuple(q for q in left if q.quantity)
    status = before.status if left else FulfillmentStatus.CANCELLED
    return _fulfillment(order, unit.fulfillment_order_id, lines=left, status=status)


def _found(candidates: Iterable[T], kind: str, identity: str) -> T:
    for candidate in candidates:
        return candidate
    raise NotFound(kind, identity)
