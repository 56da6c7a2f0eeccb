"""What an order answers to a command: events, or a refusal. Pure; nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import singledispatch

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import IllegalTransition, OnHold, QuantityExceeded, Refused
from oms.domain.fulfillment import NEXT, FulfillmentOrder, FulfillmentStatus, Quantity
from oms.domain.inventory import fits
from oms.domain.money import spread
from oms.domain.order import Fact, Order, OrderStatus, apply, cause_of
from oms.domain.payment import Operation, OperationKind, OperationStatus
from oms.domain.tracking import TrackingStatus

# After so many refusals a person decides: routing is never a loop.
MAX_ROUTING_ROUNDS = 5
SCANLESS_CARRIER = "manual"


def place(command: c.PlaceOrder) -> tuple[e.Event, ...]:
    """Accept an order: spread its discounts over the lines and request its authorization."""
    discount = sum(each.amount for each in command.discounts)
    shares = spread(discount, [line.discounted for line in command.lines])
    lines = tuple(
        replace(line, order_discount=share)
        for line, share in zip(command.lines, shares, strict=True)
    )
    total = sum(line.payable(0, line.quantity, tax_included=command.tax_included) for line in lines)
    total += command.shipping.payable(tax_included=command.tax_included)
    return (
        e.OrderPlaced(
            channel=command.channel,
            external_id=command.external_id,
            currency=command.currency,
            customer_id=command.customer_id,
            placed_at=command.placed_at,
            destination=command.destination,
            lines=lines,
            discounts=command.discounts,
            shipping=command.shipping,
            tax_included=command.tax_included,
            total=total,
            provider=command.provider,
            operations=_first_operations(total, command.captured),
        ),
        *(
            e.HoldPlaced(f"hold_{number}", kind, reason)
            for number, (kind, reason) in enumerate(command.holds, 1)
        ),
    )


def _first_operations(total: int, captured: int) -> tuple[Operation, ...]:
    if total == 0:
        return ()
    if captured:  # the channel took it, or a part of it: recorded as it happened elsewhere
        done = OperationStatus.SUCCEEDED
        return (
            Operation("op_1", OperationKind.AUTHORIZE, total, done, reference="channel"),
            Operation(
                "op_2", OperationKind.CAPTURE, min(captured, total), done, reference="channel"
            ),
        )
    return (Operation("op_1", OperationKind.AUTHORIZE, total),)


def facts(
    order_id: str, order: Order | None, events: Iterable[e.Event], at: datetime, actor: str
) -> tuple[tuple[Fact, ...], Order]:
    """Give events their place in the history, and the order after them."""
    recorded: list[Fact] = []
    for event in events:
        fact = Fact((order.version if order else 0) + 1, at, actor, event)
        order = apply(order_id, order, fact)
        recorded.append(fact)
    if order is None:
        raise ValueError("an order begins with an event")
    return tuple(recorded), order


@singledispatch
def decide(command: object, order: Order) -> tuple[e.Event, ...]:
    """Events that answer the command; none when it is already so. `Refused` changes nothing."""
    raise TypeError(f"no order understands {type(command).__name__}")


# --- payment -----------------------------------------------------------------------------------


@decide.register
def _(command: c.RecordPaymentResult, order: Order) -> tuple[e.Event, ...]:
    operation = order.payment.operation(command.operation_id)
    stale = operation.attempt != command.attempt or operation.settled
    if stale or operation.status is command.status:
        return ()  # said before, or of an attempt that is over
    return _RESULTS[command.status](operation, command, order)


def _succeeded(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    kind = _SUCCEEDED[operation.kind]
    done = kind(operation.operation_id, operation.amount, command.reference)
    return (done, *_money_back(_after(order, done)))


def _failed(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    if operation.kind is OperationKind.AUTHORIZE:
        return (e.PaymentDeclined(operation.operation_id, command.reason),)
    failed = e.PaymentOperationFailed(operation.operation_id, command.reason)
    return (failed, e.OrderNeedsAttention(f"{operation.kind} failed: {command.reason}"))


def _pending(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    return (e.PaymentPending(operation.operation_id, command.reference),)


def _unknown(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    return (e.PaymentUnknown(operation.operation_id),)


_SUCCEEDED: dict[
    OperationKind,
    type[e.PaymentAuthorized | e.PaymentCaptured | e.PaymentVoided | e.PaymentRefunded],
] = {
    OperationKind.AUTHORIZE: e.PaymentAuthorized,
    OperationKind.CAPTURE: e.PaymentCaptured,
    OperationKind.VOID: e.PaymentVoided,
    OperationKind.REFUND: e.PaymentRefunded,
}
_RESULTS = {
    OperationStatus.SUCCEEDED: _succeeded,
    OperationStatus.FAILED: _failed,
    OperationStatus.PENDING: _pending,
    OperationStatus.UNKNOWN: _unknown,
}


@decide.register
def _(command: c.RetryPaymentOperation, order: Order) -> tuple[e.Event, ...]:
    """Never for money that was asked for again in its place since it failed."""
    operation = order.payment.operation(command.operation_id)
    if operation not in order.unresolved:
        return ()
    return (e.PaymentOperationRetried(operation.operation_id, operation.attempt + 1),)


def _money_back(order: Order) -> tuple[e.Event, ...]:
    """What must be returned: captured money for cancelled units, and what was only authorized."""
    first = len(order.payment.operations) + 1
    owed = ((kind, order.owed(kind)) for kind in (OperationKind.REFUND, OperationKind.VOID))
    asked = ((kind, amount) for kind, amount in owed if amount)
    return tuple(
        e.PaymentOperationRequested(Operation(f"op_{number}", kind, amount))
        for number, (kind, amount) in enumerate(asked, first)
    )


# --- routing -----------------------------------------------------------------------------------


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
    if taken is None and needs_batches(command.plan):
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
    _not_on_hold(order)
    if not any(line.open for line in order.lines):
        raise IllegalTransition(order.order_id, "routed", "be routed again")


def needs_batches(plan: Sequence[e.Assigned]) -> bool:
    """Whether the stock of a plan is too much for one transaction. Lines of one SKU that will be
    one row are counted apart: a plan is rather taken in batches than refused."""
    return not fits(sum(len(assigned.lines) for assigned in plan), len(plan))


def _covers_open(order: Order, plan: Sequence[e.Assigned]) -> None:
    wanted = {line.line_id: line.open for line in order.lines if line.open}
    planned: dict[str, int] = {}
    for quantity in (q for assigned in plan for q in assigned.lines):
        planned[quantity.line_id] = planned.get(quantity.line_id, 0) + quantity.quantity
    if planned != wanted:
        raise Refused(f"the plan of {order.order_id} does not cover its open lines")


# --- holds and attention -----------------------------------------------------------------------


@decide.register
def _(command: c.PlaceHold, order: Order) -> tuple[e.Event, ...]:
    _not_final(order, "be held")
    return (e.HoldPlaced(f"hold_{len(order.holds) + 1}", command.type, command.reason),)


@decide.register
def _(command: c.ReleaseHold, order: Order) -> tuple[e.Event, ...]:
    held = {hold.hold_id for hold in order.active_holds}
    return (e.HoldReleased(command.hold_id, command.reason),) if command.hold_id in held else ()


@decide.register
def _(command: c.RaiseAttention, order: Order) -> tuple[e.Event, ...]:
    if order.is_final or order.attention == command.reason:
        return ()  # what is over needs nobody, but for money that did not move: that says so itself
    return (e.OrderNeedsAttention(command.reason),)


@decide.register
def _(command: c.ResolveAttention, order: Order) -> tuple[e.Event, ...]:
    return (e.AttentionResolved(command.resolution),) if order.attention else ()


def _not_on_hold(order: Order) -> None:
    if order.active_holds:
        raise OnHold(order.order_id, tuple(hold.type for hold in order.active_holds))


def _not_final(order: Order, wish: str) -> None:
    if order.is_final:
        raise IllegalTransition(order.order_id, order.status, wish)


# --- fulfillment -------------------------------------------------------------------------------


@decide.register
def _(command: c.AcceptFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    moved = _moves(order, command.fulfillment_order_id, FulfillmentStatus.ACCEPTED)
    return (e.FulfillmentOrderAccepted(command.fulfillment_order_id),) if moved else ()


@decide.register
def _(command: c.PickFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    moved = _moves(order, command.fulfillment_order_id, FulfillmentStatus.PICKING)
    return (e.FulfillmentOrderPicked(command.fulfillment_order_id),) if moved else ()


@decide.register
def _(command: c.PackFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    moved = _moves(order, command.fulfillment_order_id, FulfillmentStatus.PACKED)
    return (e.FulfillmentOrderPacked(command.fulfillment_order_id),) if moved else ()


@decide.register
def _(command: c.RejectFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if not _moves(order, command.fulfillment_order_id, FulfillmentStatus.REJECTED):
        return ()
    rejected = e.FulfillmentOrderRejected(
        command.fulfillment_order_id, current.location_id, command.reason
    )
    if len(order.refused_by) + 1 < MAX_ROUTING_ROUNDS:
        return (rejected,)
    reason = f"rejected by {len(order.refused_by) + 1} locations, the last: {command.reason}"
    return (rejected, e.OrderNeedsAttention(reason))


@decide.register
def _(command: c.ShipFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if _shipped_so(current, command.parcels):
        return ()
    if not _moves(order, command.fulfillment_order_id, FulfillmentStatus.SHIPPED):
        raise IllegalTransition(current.fulfillment_order_id, "shipped", "ship other parcels")
    _not_on_hold(order)
    _packs_all(current, command.parcels)
    shipped = e.FulfillmentOrderShipped(
        command.fulfillment_order_id, current.location_id, command.parcels, None
    )
    due = _after(order, shipped).owed(OperationKind.CAPTURE)
    if due:
        operation_id = order.payment.next_operation_id
        capture = Operation(
            operation_id, OperationKind.CAPTURE, due, cause=command.fulfillment_order_id
        )
        shipped = replace(shipped, capture=capture)
    return (shipped, *_money_back(_after(order, shipped)))


def _shipped_so(current: FulfillmentOrder, parcels: Sequence[e.PackedParcel]) -> bool:
    """The same parcels were reported before."""
    known = {(p.carrier, p.tracking_number, p.lines) for p in current.parcels}
    gone = current.status in (FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED)
    return gone and known == {(p.carrier, p.tracking_number, p.lines) for p in parcels}


def _packs_all(current: FulfillmentOrder, parcels: Sequence[e.PackedParcel]) -> None:
    packed: dict[str, int] = {}
    for quantity in (q for parcel in parcels for q in parcel.lines):
        packed[quantity.line_id] = packed.get(quantity.line_id, 0) + quantity.quantity
    wanted = {q.line_id: q.quantity for q in current.lines}
    for line_id in sorted(packed.keys() | wanted.keys()):
        if packed.get(line_id, 0) > wanted.get(line_id, 0):
            raise QuantityExceeded(line_id, packed[line_id], wanted.get(line_id, 0))
        if packed.get(line_id, 0) < wanted[line_id]:
            raise Refused(
                f"{line_id}: {packed.get(line_id, 0)} of {wanted[line_id]} are in parcels"
            )


@decide.register
def _(command: c.DeliverFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if current.status is FulfillmentStatus.DELIVERED:
        return ()
    scanned = sorted({p.carrier for p in current.parcels if p.carrier != SCANLESS_CARRIER})
    if scanned:
        raise Refused(f"{command.fulfillment_order_id} is delivered by the scans of {scanned[0]}")
    _moves(order, command.fulfillment_order_id, FulfillmentStatus.DELIVERED)
    return _delivered(order, command.fulfillment_order_id)


@decide.register
def _(command: c.RecordScans, order: Order) -> tuple[e.Event, ...]:
    parcels = {
        scan.fingerprint
        for each in order.fulfillment_orders
        for parcel in each.parcels
        if (parcel.carrier, parcel.tracking_number) == (command.carrier, command.tracking_number)
        for scan in command.scans
        if not parcel.has(scan)
    }
    unseen = {scan.fingerprint: scan for scan in command.scans if scan.fingerprint in parcels}
    if not unseen:
        return ()
    in_order = tuple(sorted(unseen.values(), key=lambda scan: (scan.at, scan.fingerprint)))
    scanned = e.ParcelScanned(command.carrier, command.tracking_number, in_order)
    seen = _after(order, scanned)
    arrived = [x.fulfillment_order_id for x in seen.fulfillment_orders if _has_arrived(x)]
    if len(arrived) == 1:  # one fact: the scan that told of it is in it
        return _delivered(order, arrived[0], scanned)
    events: tuple[e.Event, ...] = (scanned, *_gone_astray(order, seen))
    for identity in arrived:  # a number that two fulfillment orders share
        events = (*events, *_delivered(_after(order, *events), identity))
    return events


def _gone_astray(before: Order, after: Order) -> tuple[e.Event, ...]:
    """A parcel that is lost or on its way back is a person's business."""
    known, now = _astray(before), _astray(after)
    return tuple(e.OrderNeedsAttention(reason) for reason in now if reason not in known)[:1]


def _astray(order: Order) -> list[str]:
    return [
        f"parcel {parcel.carrier} {parcel.tracking_number}: {parcel.status}"
        for each in order.fulfillment_orders
        for parcel in each.parcels
        if parcel.status in (TrackingStatus.LOST, TrackingStatus.RETURN_TO_SENDER)
    ]


def _has_arrived(fulfillment_order: FulfillmentOrder) -> bool:
    return fulfillment_order.status is FulfillmentStatus.SHIPPED and _all_arrived(fulfillment_order)


def _all_arrived(fulfillment_order: FulfillmentOrder) -> bool:
    return all(p.status is TrackingStatus.DELIVERED for p in fulfillment_order.parcels)


def _delivered(
    order: Order, identity: str, scanned: e.ParcelScanned | None = None
) -> tuple[e.Event, ...]:
    delivered = e.FulfillmentOrderDelivered(identity, scanned)
    return (delivered, *_completed(_after(order, delivered)))


def _completed(order: Order) -> tuple[e.Event, ...]:
    """Every unit has arrived or was cancelled, and at least one arrived."""
    arrived = all(line.delivered + line.cancelled == line.quantity for line in order.lines)
    if order.is_final or not arrived or not any(line.delivered for line in order.lines):
        return ()
    return (e.OrderCompleted(),)


def _moves(order: Order, identity: str, target: FulfillmentStatus) -> bool:
    """Whether the step is a move; False when it was made before; refused when it is not one."""
    current = order.fulfillment_order(identity)
    if current.status is target:
        return False
    if target not in NEXT[current.status]:
        raise IllegalTransition(identity, current.status, f"become {target}")
    return True


# --- cancellation ------------------------------------------------------------------------------


@decide.register
def _(command: c.CancelOrder, order: Order) -> tuple[e.Event, ...]:
    if order.status in (OrderStatus.CANCELLED, OrderStatus.EXPIRED):
        return ()
    _not_final(order, "be cancelled")
    if command.expired and order.is_paid_for:
        raise IllegalTransition(order.order_id, "paid for", "expire")
    units = _units_to_cancel(order, command.lines)
    if not units:
        raise IllegalTransition(order.order_id, "shipped", "be cancelled")
    partial = e.OrderLinesCancelled(units, command.reason)
    after = _after(order, partial)
    if after.has_unshipped or any(line.dispatched for line in after.lines):
        return (partial, *_money_back(after), *_completed(after))
    whole = e.OrderCancelled(units, command.reason, command.expired)
    return (whole, *_money_back(_after(order, whole)))


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


def _after(order: Order, *events: e.Event) -> Order:
    """The order as it would be; the time of a thought does not matter."""
    return facts(order.order_id, order, events, order.placed_at, "")[1]
