"""Fulfillment orders: what one location ships of one order, and the parcels it went in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from oms.domain.tracking import Scan, TrackingStatus


class FulfillmentStatus(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    PICKING = "picking"
    PACKED = "packed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


# A warehouse may skip a step it does not report, never go back.
NEXT: dict[FulfillmentStatus, frozenset[FulfillmentStatus]] = {
    FulfillmentStatus.OPEN: frozenset(
        {
            FulfillmentStatus.ACCEPTED,
            FulfillmentStatus.PICKING,
            FulfillmentStatus.REJECTED,
            FulfillmentStatus.CANCELLED,
        }
    ),
    FulfillmentStatus.ACCEPTED: frozenset(
        {FulfillmentStatus.PICKING, FulfillmentStatus.REJECTED, FulfillmentStatus.CANCELLED}
    ),
    FulfillmentStatus.PICKING: frozenset(
        {FulfillmentStatus.PACKED, FulfillmentStatus.REJECTED, FulfillmentStatus.CANCELLED}
    ),
    FulfillmentStatus.PACKED: frozenset(
        {FulfillmentStatus.SHIPPED, FulfillmentStatus.REJECTED, FulfillmentStatus.CANCELLED}
    ),
    FulfillmentStatus.SHIPPED: frozenset({FulfillmentStatus.DELIVERED}),
    FulfillmentStatus.DELIVERED: frozenset(),
    FulfillmentStatus.REJECTED: frozenset(),
    FulfillmentStatus.CANCELLED: frozenset(),
}

IN_WAREHOUSE = frozenset(
    {
        FulfillmentStatus.OPEN,
        FulfillmentStatus.ACCEPTED,
        FulfillmentStatus.PICKING,
        FulfillmentStatus.PACKED,
    }
)


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
    fulfillment_order_id: str
    location_id: str
    lines: tuple[Quantity, ...]
    status: FulfillmentStatus = FulfillmentStatus.OPEN
    parcels: tuple[Parcel, ...] = ()
    reason: str = ""

    @property
    def in_warehouse(self) -> bool:
        return self.status in IN_WAREHOUSE
