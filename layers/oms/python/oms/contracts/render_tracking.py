"""An order as its customer follows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from oms.contracts.api import tracking as v
from oms.domain.carrier_pages import tracking_url
from oms.domain.events import FulfillmentOrderDelivered, FulfillmentOrderShipped, ParcelScanned
from oms.domain.fulfillment import (
    COLLECT_WITHIN,
    IN_WAREHOUSE,
    Delivery,
    FulfillmentOrder,
    FulfillmentStatus,
    Parcel,
    Quantity,
    quantities,
    totals,
)
from oms.domain.order import Fact, Order, OrderStatus
from oms.domain.tracking import RANK, Scan, TrackingStatus

Number = tuple[str, str]  # carrier and tracking number

OVER = frozenset({OrderStatus.CANCELLED, OrderStatus.EXPIRED})
TROUBLED = frozenset(
    {
        TrackingStatus.EXCEPTION,
        TrackingStatus.ATTEMPT_FAILED,
        TrackingStatus.LOST,
        TrackingStatus.RETURN_TO_SENDER,
    }
)
TO_COLLECT = frozenset(
    {FulfillmentStatus.READY_FOR_PICKUP, FulfillmentStatus.COLLECTED, FulfillmentStatus.ARRIVED}
)


def tracked_order(order: Order, facts: Sequence[Fact], *, can_return: bool) -> v.TrackedOrderView:
    timelines = timelines_of(facts)
    return v.TrackedOrderView(
        number=order.external_id,
        status=status_of(order),
        placed_at=order.placed_at,
        expected_on="" if order.is_final else _told_day(order),
        parcels=[
            _parcel(order, work, parcel, timelines)
            for work in order.fulfillment_orders
            for parcel in work.parcels
        ],
        pickups=[_pickup(order, each) for each in order.fulfillment_orders if _collected(each)],
        waiting=list(_waiting(order)),
        cancelled=_items(order, _cancelled(order)),
        returns=[
            v.TrackedReturnRowView(each.return_id, each.status, each.requested_at)
            for each in order.returns
        ],
        can_return=can_return,
    )


def _told_day(order: Order) -> str:
    """The day that the customer was told last."""
    return order.promise.expected if order.promise else order.deliver_by


def status_of(order: Order) -> str:
    """In one word, of what is the furthest of what the customer still waits for."""
    if order.status in OVER:
        return "cancelled"
    if order.status is OrderStatus.COMPLETED:
        return "delivered"
    parcels = [each.status for work in _shipped(order) for each in work.parcels]
    if any(status in TROUBLED for status in parcels):
        return "attention"
    if any(w.status is FulfillmentStatus.READY_FOR_PICKUP for w in order.fulfillment_orders):
        return "ready_for_pickup"
    if TrackingStatus.OUT_FOR_DELIVERY in parcels:
        return "out_for_delivery"
    if parcels:
        return "on_its_way"
    return "waiting" if order.is_backordered else "preparing"


def timelines_of(facts: Iterable[Fact]) -> dict[Number, list[Scan]]:
    """What carriers have said of each parcel, newest first by their own time."""
    found: dict[Number, dict[str, Scan]] = {}
    for said in _scanned(facts):
        number = (said.carrier, said.tracking_number)
        found.setdefault(number, {}).update({each.fingerprint: each for each in said.scans})
    return {number: _newest_first(scans.values()) for number, scans in found.items()}


def _scanned(facts: Iterable[Fact]) -> Iterator[ParcelScanned]:
    for fact in facts:
        if isinstance(fact.event, ParcelScanned):
            yield fact.event
        elif isinstance(fact.event, FulfillmentOrderDelivered) and fact.event.scanned:
            yield fact.event.scanned
        elif isinstance(fact.event, FulfillmentOrderShipped):
            yield from (
                ParcelScanned(each.carrier, each.tracking_number, (_handed_over(fact),))
                for each in fact.event.parcels
            )


def _handed_over(fact: Fact) -> Scan:
    return Scan(TrackingStatus.LABEL_CREATED, fact.at, "", f"shipped {fact.seq}")


def _newest_first(scans: Iterable[Scan]) -> list[Scan]:
    return sorted(scans, key=lambda each: (each.at, RANK[each.status]), reverse=True)


def _parcel(
    order: Order, work: FulfillmentOrder, parcel: Parcel, timelines: Mapping[Number, list[Scan]]
) -> v.TrackedParcelView:
    scans = timelines.get((parcel.carrier, parcel.tracking_number), [])
    there = work.status in (FulfillmentStatus.DELIVERED, FulfillmentStatus.COLLECTED)
    return v.TrackedParcelView(
        carrier=parcel.carrier,
        tracking_number=parcel.tracking_number,
        status=TrackingStatus.DELIVERED if there else parcel.status,
        items=_items(order, parcel.lines),
        timeline=[v.TrackedScanView(each.status, each.at) for each in _told(scans)],
        expected_on="" if there else (_told_day(order) or work.deliver_by),
        page=tracking_url(parcel.carrier, parcel.tracking_number),
    )


def _told(scans: Iterable[Scan]) -> Iterator[Scan]:
    """What says nothing is not shown; of a word that is said twice in a row, the first time."""
    told = [each for each in scans if each.status is not TrackingStatus.UNKNOWN]
    for place, each in enumerate(told):
        before = told[place + 1] if place + 1 < len(told) else None
        if before is None or before.status is not each.status:
            yield each


def _collected(work: FulfillmentOrder) -> bool:
    return work.delivery is not Delivery.SHIP and work.status in TO_COLLECT


def _pickup(order: Order, work: FulfillmentOrder) -> v.TrackedPickupView:
    waits = work.status is FulfillmentStatus.READY_FOR_PICKUP and work.ready_at
    return v.TrackedPickupView(
        location_id=order.pickup_location or work.location_id,
        status=work.status,
        items=_items(order, work.lines),
        until=work.ready_at + COLLECT_WITHIN if waits and work.ready_at else None,
    )


def _waiting(order: Order) -> Iterator[v.TrackedWaitingView]:
    if order.is_final:
        return
    late = {each.line_id: each.expected_on for each in order.backorders}
    lacking = [x for x in order.lines if x.backordered]
    for line in lacking:
        yield v.TrackedWaitingView(
            "waiting",
            [v.TrackedItemView(line.sku, line.backordered)],
            late.get(line.line_id, ""),
        )
    ready = totals(
        quantity
        for work in order.fulfillment_orders
        if work.status in IN_WAREHOUSE
        for quantity in work.lines
    )
    for line in order.lines:
        ready[line.line_id] = ready.get(line.line_id, 0) + line.open
    if any(ready.values()):
        yield v.TrackedWaitingView("preparing", _items(order, quantities(ready)))


def _cancelled(order: Order) -> tuple[Quantity, ...]:
    return quantities({line.line_id: line.cancelled for line in order.lines})


def _shipped(order: Order) -> Iterator[FulfillmentOrder]:
    return (each for each in order.fulfillment_orders if each.has_left)


def _items(order: Order, units: Iterable[Quantity]) -> list[v.TrackedItemView]:
    by_sku: dict[str, int] = {}
    for each in units:
        sku = order.line(each.line_id).sku
        by_sku[sku] = by_sku.get(sku, 0) + each.quantity
    return [v.TrackedItemView(sku, count) for sku, count in by_sku.items()]
