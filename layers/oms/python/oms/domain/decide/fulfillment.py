"""The steps of a warehouse and of the carriers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide, not_on_hold
from oms.domain.decide.payment import asked_for, money_back
from oms.domain.decide.promising import way_of
from oms.domain.errors import IllegalTransition, QuantityExceeded, Refused
from oms.domain.fulfillment import (
    NOT_BEGUN,
    Delivery,
    FulfillmentOrder,
    FulfillmentStatus,
    Parcel,
    quantities,
    totals,
)
from oms.domain.holds import HoldStep
from oms.domain.order import Order
from oms.domain.order.folding import RETRY
from oms.domain.payment import OperationKind
from oms.domain.tracking import TrackingStatus, since

# After so many refusals a person decides: routing is never a loop.
MAX_ROUTING_ROUNDS = 5
SCANLESS_CARRIER = "manual"
_ASTRAY = (TrackingStatus.LOST, TrackingStatus.RETURN_TO_SENDER)
_BEYOND_THE_CARRIER = frozenset(
    {
        FulfillmentStatus.ARRIVED,
        FulfillmentStatus.READY_FOR_PICKUP,
        FulfillmentStatus.COLLECTED,
    }
)


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
        command.fulfillment_order_id, current.location_id, command.reason, command.until
    )
    return (rejected, *_too_many_rounds(order, command.reason))


@decide.register
def _(command: c.TakeBackFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if current.status is not FulfillmentStatus.REJECTED and current.status not in NOT_BEGUN:
        raise IllegalTransition(current.fulfillment_order_id, current.status, "be taken back")
    return decide(
        c.RejectFulfillmentOrder(command.fulfillment_order_id, command.reason, command.until),
        order,
    )


def _too_many_rounds(order: Order, reason: str) -> tuple[e.Event, ...]:
    """Counted since a person has last decided; exclusions that are over count too."""
    rounds = len(order.refused_by) + 1
    if rounds < MAX_ROUTING_ROUNDS:
        return ()
    return (e.OrderNeedsAttention(f"rejected by {rounds} locations, the last: {reason}"),)


@decide.register
def _(command: c.ShortPickFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    missing = quantities(_missing(current, command))
    if not missing:
        return ()
    if not current.in_warehouse:
        raise IllegalTransition(current.fulfillment_order_id, current.status, "be picked short")
    short = e.FulfillmentOrderShortPicked(
        current.fulfillment_order_id, current.location_id, missing, command.reason, command.until
    )
    return (short, *_too_many_rounds(order, command.reason))


def _missing(current: FulfillmentOrder, command: c.ShortPickFulfillmentOrder) -> dict[str, int]:
    """What was found can be told twice: then nothing more is missing."""
    missing = totals(command.missing)
    for line_id, found in totals(command.found).items():
        missing[line_id] = missing.get(line_id, 0) + current.quantity(line_id) - found
    for line_id, units in missing.items():
        if not 0 <= units <= current.quantity(line_id):
            asked = units if units > 0 else current.quantity(line_id) - units
            raise QuantityExceeded(line_id, asked, current.quantity(line_id))
    return missing


@decide.register
def _(command: c.ShipFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if _shipped_so(current, command.parcels):
        return ()
    if not _moves(order, command.fulfillment_order_id, FulfillmentStatus.SHIPPED):
        raise IllegalTransition(current.fulfillment_order_id, "shipped", "ship other parcels")
    not_on_hold(order, HoldStep.FULFILLMENT)
    _packs_all(current, command.parcels)
    shipped = e.FulfillmentOrderShipped(
        command.fulfillment_order_id, current.location_id, command.parcels, None
    )
    events = _captured(order, shipped)
    return (*events, *money_back(after(order, *events)))


HandedOver = e.FulfillmentOrderShipped | e.FulfillmentOrderCollected


def _captured(order: Order, handed_over: HandedOver) -> tuple[e.Event, ...]:
    """The fact with its capture, and those of further tenders; none when it was taken before.
    Nothing is handed over whose authorization has ended."""
    if not order.is_paid_for:
        raise IllegalTransition(order.order_id, "not paid for", "be handed over")
    shares = after(order, handed_over).shares_owed(OperationKind.CAPTURE)
    asked = ((OperationKind.CAPTURE, share) for share in shares)
    events = asked_for(order, *asked, cause=handed_over.fulfillment_order_id)
    first = events[0] if events else None
    if not isinstance(first, e.PaymentOperationRequested):
        return (handed_over,)
    return (replace(handed_over, capture=first.operation), *events[1:])


@decide.register
def _(command: c.ReadyFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if not _moves(order, command.fulfillment_order_id, FulfillmentStatus.READY_FOR_PICKUP):
        return ()
    not_on_hold(order, HoldStep.FULFILLMENT)
    store = order.pickup_location or current.location_id
    return (e.FulfillmentOrderReady(command.fulfillment_order_id, store),)


@decide.register
def _(command: c.CollectFulfillmentOrder, order: Order) -> tuple[e.Event, ...]:
    current = order.fulfillment_order(command.fulfillment_order_id)
    if not _moves(order, command.fulfillment_order_id, FulfillmentStatus.COLLECTED):
        return ()
    not_on_hold(order, HoldStep.FULFILLMENT)
    store = order.pickup_location or current.location_id
    collected = e.FulfillmentOrderCollected(command.fulfillment_order_id, store, None)
    events = _captured(order, collected)
    left = after(order, *events)
    return (*events, *money_back(left), *completed(left))


def _shipped_so(current: FulfillmentOrder, parcels: Sequence[e.PackedParcel]) -> bool:
    """The same parcels were reported before."""
    known = {(p.carrier, p.tracking_number, p.lines) for p in current.parcels}
    return bool(known) and known == {(p.carrier, p.tracking_number, p.lines) for p in parcels}


def _packs_all(current: FulfillmentOrder, parcels: Sequence[e.PackedParcel]) -> None:
    packed = totals(q for parcel in parcels for q in parcel.lines)
    wanted = totals(current.lines)
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
    if current.status is FulfillmentStatus.DELIVERED or current.status in _BEYOND_THE_CARRIER:
        return ()
    scanned = sorted({p.carrier for p in current.parcels if p.carrier != SCANLESS_CARRIER})
    if scanned:
        raise Refused(f"{command.fulfillment_order_id} is delivered by the scans of {scanned[0]}")
    _moves(order, command.fulfillment_order_id, _brought(current))
    return _reached(order, command.fulfillment_order_id)


@decide.register
def _(command: c.RecordScans, order: Order) -> tuple[e.Event, ...]:
    scans = since(order.placed_at, command.scans)
    parcels = {
        scan.fingerprint
        for each in order.fulfillment_orders
        for parcel in each.parcels
        if (parcel.carrier, parcel.tracking_number) == (command.carrier, command.tracking_number)
        for scan in scans
        if not parcel.has(scan)
    }
    unseen = {scan.fingerprint: scan for scan in scans if scan.fingerprint in parcels}
    if not unseen:
        return ()
    in_order = tuple(sorted(unseen.values(), key=lambda scan: (scan.at, scan.fingerprint)))
    scanned = e.ParcelScanned(command.carrier, command.tracking_number, in_order)
    seen = after(order, scanned)
    arrived = [x.fulfillment_order_id for x in seen.fulfillment_orders if _has_arrived(x)]
    if len(arrived) == 1:  # one fact: the scan that told of it is in it
        events = _reached(order, arrived[0], scanned)
        return (*events, *_found(order, after(order, *events)))
    events = (scanned, *_gone_astray(order, seen))
    for identity in arrived:  # a number that two fulfillment orders share
        events = (*events, *_reached(after(order, *events), identity))
    return (*events, *_found(order, after(order, *events)))


def _found(before: Order, after: Order) -> tuple[e.Event, ...]:
    """What a person was asked for is no more: the order goes on, as if they had said so."""
    if _astray(after) or not _astray(before):
        return ()
    parcels = (parcel for each in after.fulfillment_orders for parcel in each.parcels)
    reasons = {_reason(parcel, status) for parcel in parcels for status in _ASTRAY}
    return (e.AttentionResolved(RETRY),) if after.attention in reasons else ()


def _gone_astray(before: Order, after: Order) -> tuple[e.Event, ...]:
    """A parcel that is lost or on its way back is a person's business."""
    known, now = _astray(before), _astray(after)
    return tuple(e.OrderNeedsAttention(reason) for reason in now if reason not in known)[:1]


def _astray(order: Order) -> list[str]:
    parcels = (parcel for each in order.fulfillment_orders for parcel in each.parcels)
    return [_reason(parcel, parcel.status) for parcel in parcels if parcel.status in _ASTRAY]


def _reason(parcel: Parcel, status: TrackingStatus) -> str:
    return f"parcel {parcel.carrier} {parcel.tracking_number}: {status}"


def _has_arrived(fulfillment_order: FulfillmentOrder) -> bool:
    return fulfillment_order.status is FulfillmentStatus.SHIPPED and _all_arrived(fulfillment_order)


def _all_arrived(fulfillment_order: FulfillmentOrder) -> bool:
    return all(p.status is TrackingStatus.DELIVERED for p in fulfillment_order.parcels)


def _brought(current: FulfillmentOrder) -> FulfillmentStatus:
    """What its parcels have come to when the carriers are done with them."""
    to_store = current.delivery is Delivery.SHIP_TO_STORE
    return FulfillmentStatus.ARRIVED if to_store else FulfillmentStatus.DELIVERED


def _reached(
    order: Order, identity: str, scanned: e.ParcelScanned | None = None
) -> tuple[e.Event, ...]:
    """The customer's door, or a store: where nothing is delivered before it is collected."""
    if _brought(order.fulfillment_order(identity)) is FulfillmentStatus.ARRIVED:
        return (e.FulfillmentOrderArrived(identity, scanned),)
    seen = after(order, scanned) if scanned else order
    way = way_of(seen, seen.fulfillment_order(identity))
    delivered = e.FulfillmentOrderDelivered(identity, scanned, way)
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
    if not current.can_become(target):
        raise IllegalTransition(identity, current.status, f"become {target}")
    return True
