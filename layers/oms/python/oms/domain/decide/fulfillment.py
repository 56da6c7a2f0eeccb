"""The steps of a warehouse and of the carriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide, not_on_hold
from oms.domain.decide.payment import money_back
from oms.domain.errors import IllegalTransition, QuantityExceeded, Refused
from oms.domain.fulfillment import NEXT, FulfillmentOrder, FulfillmentStatus
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationKind
from oms.domain.tracking import TrackingStatus

# After so many refusals a person decides: routing is never a loop.
MAX_ROUTING_ROUNDS = 5
SCANLESS_CARRIER = "manual"


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
    not_on_hold(order)
    _packs_all(current, command.parcels)
    shipped = e.FulfillmentOrderShipped(
        command.fulfillment_order_id, current.location_id, command.parcels, None
    )
    due = after(order, shipped).owed(OperationKind.CAPTURE)
    if due:
        operation_id = order.payment.next_operation_id
        capture = Operation(
            operation_id, OperationKind.CAPTURE, due, cause=command.fulfillment_order_id
        )
        shipped = replace(shipped, capture=capture)
    return (shipped, *money_back(after(order, shipped)))


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
    seen = after(order, scanned)
    arrived = [x.fulfillment_order_id for x in seen.fulfillment_orders if _has_arrived(x)]
    if len(arrived) == 1:  # one fact: the scan that told of it is in it
        return _delivered(order, arrived[0], scanned)
    events: tuple[e.Event, ...] = (scanned, *_gone_astray(order, seen))
    for identity in arrived:  # a number that two fulfillment orders share
        events = (*events, *_delivered(after(order, *events), identity))
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
    return (delivered, *completed(after(order, delivered)))


def completed(order: Order) -> tuple[e.Event, ...]:
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
