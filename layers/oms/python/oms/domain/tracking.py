"""What a carrier says of a parcel: its truth, kept apart from ours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
FINAL = (TrackingStatus.RETURN_TO_SENDER, TrackingStatus.DELIVERED)

# Carriers use a number again. What was seen before the order was there is of an older parcel; a day
# is left for clocks and zones. It is not counted from the shipment, which warehouses report late.
BEFORE_THE_ORDER = timedelta(days=1)


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
    parcel was shipped. `unknown` are codes that no table of ours has, `zoneless` how many times
    came without a zone and were taken for UTC: both are counted, never guessed."""

    carrier: str
    tracking_number: str
    scans: tuple[Scan, ...]
    known_as: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    zoneless: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The carriers under which the parcel may be found."""
        return tuple(dict.fromkeys((self.carrier, *self.known_as)))


def number_of(text: str) -> str:
    """A tracking number as it was typed or told, without the spaces between its groups."""
    return "".join(text.split())


def scan(
    carrier: str, tracking_number: str, status: TrackingStatus, at: datetime, code: str
) -> Scan:
    """A scan with its fingerprint: the same however often and in whatever company it is sent."""
    at = at.astimezone(UTC)
    text = "\x1f".join((carrier, tracking_number, at.isoformat(), status, code))
    return Scan(status, at, code, hashlib.sha256(text.encode()).hexdigest()[:16])


def since(placed_at: datetime, scans: tuple[Scan, ...]) -> tuple[Scan, ...]:
    """Those that can be of a parcel of an order that was placed then."""
    return tuple(scan for scan in scans if scan.at >= placed_at - BEFORE_THE_ORDER)


def furthest(
    status: TrackingStatus, scanned_at: datetime | None, scan: Scan
) -> tuple[TrackingStatus, datetime | None]:
    """A parcel's status and its time after one more scan, whatever the order scans arrive in.

    * The latest scan by the carrier's time counts; a late message never moves a parcel back.
    * What says nothing (`unknown`) changes nothing.
    * Delivered or on its way back is the end, even if the carrier stamped it before an earlier leg
      (they do). Of the two the first counts: the delivery after a return is the one to the sender,
      not to the customer; so is one at the same time.
    """
    if scan.status is TrackingStatus.UNKNOWN or not _moves(status, scanned_at, scan):
        return status, scanned_at
    return scan.status, scan.at


def _moves(status: TrackingStatus, scanned_at: datetime | None, scan: Scan) -> bool:
    if scanned_at is None:
        return True
    if status in FINAL and scan.status in FINAL:
        return (scan.at, FINAL.index(scan.status)) < (scanned_at, FINAL.index(status))
    if status in FINAL or scan.status in FINAL:
        return scan.status in FINAL
    return (scan.at, RANK[scan.status]) > (scanned_at, RANK[status])
