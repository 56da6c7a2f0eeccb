"""Fulfillment orders: what one location ships of one order, and the parcels it went in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain.network.lanes import Basis
from oms.domain.tracking import Scan, TrackingStatus


class FulfillmentStatus(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    ARRIVED = "arrived"
    READY_FOR_PICKUP = "ready_for_pickup"
    COLLECTED = "collected"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Delivery(StrEnum):
    """How the goods come to the customer: by a carrier to their door, collected from where they
    lie, or collected from a store to which a carrier brings them."""

    SHIP = "ship"
    PICKUP = "pickup"
    SHIP_TO_STORE = "ship_to_store"


_S = FulfillmentStatus
Moves = dict[FulfillmentStatus, frozenset[FulfillmentStatus]]

_STOPPED = frozenset({_S.REJECTED, _S.CANCELLED})
_LAST: Moves = {each: frozenset() for each in (_S.DELIVERED, _S.COLLECTED, *_STOPPED)}


def _in_warehouse(from_picking: frozenset[FulfillmentStatus], packed: FulfillmentStatus) -> Moves:
    return {
        _S.OPEN: frozenset({_S.ACCEPTED, _S.PICKING}) | _STOPPED,
        _S.ACCEPTED: frozenset({_S.PICKING}) | _STOPPED,
        _S.PICKING: from_picking | _STOPPED,
        _S.PACKED: frozenset({packed}) | _STOPPED,
    }


# A warehouse may skip a step it does not report, never go back. A store may have ready what no
# carrier has scanned.
NEXT: dict[Delivery, Moves] = {
    Delivery.SHIP: {
        **_in_warehouse(frozenset({_S.PACKED}), _S.SHIPPED),
        _S.SHIPPED: frozenset({_S.DELIVERED}),
        **_LAST,
    },
    Delivery.PICKUP: {
        **_in_warehouse(frozenset({_S.PACKED, _S.READY_FOR_PICKUP}), _S.READY_FOR_PICKUP),
        _S.READY_FOR_PICKUP: frozenset({_S.COLLECTED}) | _STOPPED,
        **_LAST,
    },
    Delivery.SHIP_TO_STORE: {
        **_in_warehouse(frozenset({_S.PACKED}), _S.SHIPPED),
        _S.SHIPPED: frozenset({_S.ARRIVED, _S.READY_FOR_PICKUP}),
        _S.ARRIVED: frozenset({_S.READY_FOR_PICKUP}),
        _S.READY_FOR_PICKUP: frozenset({_S.COLLECTED}),
        **_LAST,
    },
}

ELSEWHERE = "elsewhere"  # in place of a location: others have shipped it
COLLECT_WITHIN = timedelta(days=7)  # of being ready
IN_WAREHOUSE = frozenset({_S.OPEN, _S.ACCEPTED, _S.PICKING, _S.PACKED})
NOT_BEGUN = frozenset({_S.OPEN, _S.ACCEPTED})  # nobody has picked any of it yet
# What the store has to do where the customer collects the order.
IN_STORE = frozenset({_S.ARRIVED, _S.READY_FOR_PICKUP})
ON_ITS_WAY = frozenset({_S.SHIPPED, _S.ARRIVED, _S.READY_FOR_PICKUP})


@dataclass(frozen=True, slots=True)
class Quantity:
    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """`status` is the carrier's truth; `scans` are the fingerprints of what was recorded."""

    carrier: str
    tracking_number: str
    lines: tuple[Quantity, ...]
    status: TrackingStatus = TrackingStatus.LABEL_CREATED
    scanned_at: datetime | None = None
    scans: tuple[str, ...] = ()

    def has(self, scan: Scan) -> bool:
        return scan.fingerprint in self.scans


@dataclass(frozen=True, slots=True)
class FulfillmentOrder:
    """`ship_on` is the local day (ISO) whose capacity it has taken, if that is limited; `ready_at`
    since when the customer can collect it; `delivered_at` when we were told that they have it.
    `basis` is what `deliver_by` was made of; only with it `assigned_at` and `shipped_at` are kept.
    `method`: it goes by another than the order's."""

    fulfillment_order_id: str
    location_id: str
    lines: tuple[Quantity, ...]
    status: FulfillmentStatus = FulfillmentStatus.OPEN
    parcels: tuple[Parcel, ...] = ()
    reason: str = ""
    delivery: Delivery = Delivery.SHIP
    ship_on: str = ""
    ship_by: datetime | None = None
    deliver_by: str = ""
    ready_at: datetime | None = None
    delivered_at: datetime | None = None
    basis: Basis | None = None
    assigned_at: datetime | None = None
    shipped_at: datetime | None = None
    method: str = ""

    def is_uncollected(self, at: datetime) -> bool:
        """It is ready, and nobody came for it in time."""
        waits = self.status is FulfillmentStatus.READY_FOR_PICKUP
        return waits and self.ready_at is not None and self.ready_at + COLLECT_WITHIN <= at

    @property
    def in_warehouse(self) -> bool:
        """Its units are reserved where it is: also those that wait there to be collected."""
        awaits = self.status is FulfillmentStatus.READY_FOR_PICKUP
        return self.status in IN_WAREHOUSE or (awaits and self.delivery is Delivery.PICKUP)

    @property
    def has_left(self) -> bool:
        """On its way to the customer or to the store, or waiting there."""
        return self.status in ON_ITS_WAY and not self.in_warehouse

    @property
    def is_under_way(self) -> bool:
        return self.in_warehouse or self.has_left

    def worked_on_at(self, store: str) -> str:
        """The location that has something to do with it; `store`: where the order is collected."""
        if self.in_warehouse:
            return self.location_id
        return store if self.has_left and self.delivery is Delivery.SHIP_TO_STORE else ""

    def quantity(self, line_id: str) -> int:
        return sum(each.quantity for each in self.lines if each.line_id == line_id)

    def can_become(self, target: FulfillmentStatus) -> bool:
        return target in NEXT[self.delivery][self.status]


def totals(quantities: Iterable[Quantity]) -> dict[str, int]:
    """Units by line."""
    by_line: dict[str, int] = {}
    for each in quantities:
        by_line[each.line_id] = by_line.get(each.line_id, 0) + each.quantity
    return by_line


def quantities(by_line: Mapping[str, int]) -> tuple[Quantity, ...]:
    """Of the lines that have any."""
    return tuple(Quantity(line_id, units) for line_id, units in by_line.items() if units)
