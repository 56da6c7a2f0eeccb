"""What a carrier says of a parcel: its truth, kept apart from ours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class TrackingStatus(StrEnum):
    """In the order of a parcel's way; of two scans at one time the later in this order counts."""

    UNKNOWN = "unknown"
    LABEL_CREATED = "label_created"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    ATTEMPT_FAILED = "attempt_failed"
    EXCEPTION = "exception"
    LOST = "lost"
    RETURN_TO_SENDER = "return_to_sender"
    DELIVERED = "delivered"


RANK = {status: rank for rank, status in enumerate(TrackingStatus)}


@dataclass(frozen=True, slots=True)
class Scan:
    """`at` is the carrier's time, in UTC; `code` the carrier's own word, to argue with it later.

    The carrier's free text is not kept: it names who signed.
    """

    status: TrackingStatus
    at: datetime
    code: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TrackingUpdate:
    """What one message of a carrier says of one parcel, in the carrier's order of time. Where an
    aggregator speaks for others, `known_as` are the carriers that may have been named when the
    parcel was shipped."""

    carrier: str
    tracking_number: str
    scans: tuple[Scan, ...]
    known_as: tuple[str, ...] = ()


def scan(
    carrier: str, tracking_number: str, status: TrackingStatus, at: datetime, code: str
) -> Scan:
    """A scan with its fingerprint: the same however often and in whatever company it is sent."""
    at = at.astimezone(UTC)
    text = "\x1f".join((carrier, tracking_number, at.isoformat(), status, code))
    return Scan(status, at, code, hashlib.sha256(text.encode()).hexdigest()[:16])


def furthest(
    status: TrackingStatus, scanned_at: datetime | None, scan: Scan
) -> tuple[TrackingStatus, datetime | None]:
    """A parcel's status and its time after one more scan, whatever the order scans arrive in.

    * The latest scan by the carrier's time counts; a late message never moves a parcel back.
    * What says nothing (`unknown`) changes nothing.
    * Delivered is the end, even if the carrier stamped it before an earlier leg (they do).
    * A return to the sender is left only by a delivery that came before it: the delivery after
      it is the one to the sender, not to the customer.
    """
    if scan.status is TrackingStatus.UNKNOWN or status is TrackingStatus.DELIVERED:
        return status, scanned_at
    if _moves(status, scanned_at, scan):
        return scan.status, scan.at
    return status, scanned_at


def _moves(status: TrackingStatus, scanned_at: datetime | None, scan: Scan) -> bool:
    if scanned_at is None:
        return True
    if status is TrackingStatus.RETURN_TO_SENDER:
        return scan.status is TrackingStatus.DELIVERED and scan.at < scanned_at
    if scan.status in (TrackingStatus.DELIVERED, TrackingStatus.RETURN_TO_SENDER):
        return True
    return (scan.at, RANK[scan.status]) > (scanned_at, RANK[status])
