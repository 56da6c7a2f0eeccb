"""A return: what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from oms.domain.lines import Line
from oms.domain.tracking import Scan, TrackingStatus


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    IN_TRANSIT = "in_transit"
    PARTIALLY_RECEIVED = "partially_received"
    RECEIVED = "received"
    INSPECTED = "inspected"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_S = ReturnStatus
OPEN = frozenset(
    {_S.REQUESTED, _S.APPROVED, _S.IN_TRANSIT, _S.PARTIALLY_RECEIVED, _S.RECEIVED, _S.INSPECTED}
)


class Resolution(StrEnum):
    """What the customer gets for the goods."""

    REFUND = "refund"
    STORE_CREDIT = "store_credit"
    GIFT_CARD = "gift_card"
    EXCHANGE = "exchange"
    REPLACEMENT = "replacement"


class RefundWhen(StrEnum):
    """What the money waits for."""

    APPROVAL = "approval"
    FIRST_SCAN = "first_scan"
    RECEIPT = "receipt"
    INSPECTION = "inspection"


class Reception(StrEnum):
    RECEIVED = "received"
    SHORT = "short"
    WRONG_ITEM = "wrong_item"
    LOST_IN_TRANSIT = "lost_in_transit"
    KEPT_BY_CUSTOMER = "kept_by_customer"


class Acceptance(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    MANUAL_REVIEW = "manual_review"


class Disposition(StrEnum):
    RESTOCK = "restock"
    REFURBISH = "refurbish"
    QUARANTINE = "quarantine"
    WRITE_OFF = "write_off"
    RETURN_TO_VENDOR = "return_to_vendor"
    SEND_BACK = "send_back"


@dataclass(frozen=True, slots=True)
class Received:
    """What became of so many units that were announced; `damaged` ones were received."""

    line_id: str
    quantity: int
    reception: Reception = Reception.RECEIVED
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Inspected:
    """`location_id` is where the units go; empty: where they were received."""

    line_id: str
    quantity: int
    acceptance: Acceptance
    disposition: Disposition
    location_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """A line that the customer wants instead, at its own price."""

    line: Line


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed when it was approved, by the policy of that day.

    `restocking_fee_bp`: basis points of what the goods cost; `return_shipping`: minor units that
    the customer pays for the way back; `refund_shipping`: the way there is given back with the last
    unit; `keep`: nothing has to come back; `exchange_at_once`: not only when goods have come.
    """

    refund_when: RefundWhen = RefundWhen.INSPECTION
    restocking_fee_bp: int = 0
    return_shipping: int = 0
    refund_shipping: bool = False
    keep: bool = False
    exchange_at_once: bool = False
    policy_version: int = 0


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """Units of a line that are announced; `settled` of them have been paid for."""

    line_id: str
    quantity: int
    reason: str = ""
    note: str = ""
    received: tuple[Received, ...] = ()
    inspected: tuple[Inspected, ...] = ()
    settled: int = 0

    @property
    def accounted(self) -> int:
        """It is known what became of these on their way."""
        return sum(each.quantity for each in self.received)

    @property
    def arrived(self) -> int:
        here = Reception.RECEIVED
        return sum(each.quantity for each in self.received if each.reception is here)

    def judged(self, acceptance: Acceptance) -> int:
        return sum(each.quantity for each in self.inspected if each.acceptance is acceptance)


@dataclass(frozen=True, slots=True)
class ReturnParcel:
    carrier: str
    tracking_number: str
    status: TrackingStatus = TrackingStatus.LABEL_CREATED
    scanned_at: datetime | None = None
    scans: tuple[str, ...] = ()

    def has(self, scan: Scan) -> bool:
        return scan.fingerprint in self.scans


@dataclass(frozen=True, slots=True)
class Return:
    """`in_store`: the location over whose counter it is handed; `exchange`: what is wanted
    instead; `linked_order`: the order that brings it; `location_id`: where goods were received."""

    return_id: str
    status: ReturnStatus
    resolution: Resolution
    lines: tuple[ReturnLine, ...]
    requested_at: datetime
    requested_by: str
    terms: Terms = Terms()
    expires_at: datetime | None = None
    in_store: str = ""
    location_id: str = ""
    parcels: tuple[ReturnParcel, ...] = ()
    exchange: tuple[ExchangeLine, ...] = ()
    linked_order: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    def line(self, line_id: str) -> ReturnLine | None:
        return next((each for each in self.lines if each.line_id == line_id), None)


def announced(returns: Iterable[Return], line_id: str) -> int:
    """Units that are on their way back, or may be: not yet paid for, in returns that are open."""
    return sum(
        each.quantity - each.settled - each.judged(Acceptance.REJECTED)
        for found in returns
        if found.is_open
        for each in found.lines
        if each.line_id == line_id
    )
