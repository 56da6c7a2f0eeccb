"""A return: what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from oms.domain.fulfillment import Quantity
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


NOT_GIVEN_FOR = frozenset({Reception.SHORT, Reception.WRONG_ITEM, Reception.LOST_IN_TRANSIT})


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


# Ours again, but nobody is promised them: they lie at a location that orders are not routed to.
NOT_SOLD_YET = frozenset({Disposition.REFURBISH, Disposition.QUARANTINE})

# Reasons of units that left us and never came to the customer: they cannot come back.
NEVER_ARRIVED = frozenset({"lost", "not_received"})


@dataclass(frozen=True, slots=True)
class Received:
    """What became of so many units that were announced; `damaged` ones were received."""

    line_id: str
    quantity: int
    reception: Reception = Reception.RECEIVED
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Inspected:
    """`location_id` is where the units go; empty, once it is decided: where no stock is counted."""

    line_id: str
    quantity: int
    acceptance: Acceptance
    disposition: Disposition
    location_id: str = ""
    note: str = ""

    @property
    def is_restocked(self) -> bool:
        return self.acceptance is Acceptance.ACCEPTED and self.disposition is Disposition.RESTOCK

    @property
    def stocked_at(self) -> str:
        """The location whose stock they add to; empty: they are no stock of ours, or lie where no
        stock is counted."""
        put_aside = self.disposition in NOT_SOLD_YET and self.acceptance is Acceptance.ACCEPTED
        return self.location_id if self.is_restocked or put_aside else ""


Told = TypeVar("Told", bound=Received | Inspected)


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
    def never_arrived(self) -> bool:
        return self.reason in NEVER_ARRIVED

    @property
    def accounted(self) -> int:
        """It is known what became of these on their way."""
        return sum(each.quantity for each in self.received)

    @property
    def arrived(self) -> int:
        here = Reception.RECEIVED
        return sum(each.quantity for each in self.received if each.reception is here)

    @property
    def missing(self) -> int:
        """They have not come, and will not: nothing is given for them."""
        return sum(each.quantity for each in self.received if each.reception in NOT_GIVEN_FOR)

    @property
    def decided(self) -> int:
        """Of those that arrived, it is known whether they are taken back."""
        return self.judged(Acceptance.ACCEPTED) + self.judged(Acceptance.REJECTED)

    @property
    def undecided(self) -> int:
        return self.arrived - self.decided

    def judged(self, acceptance: Acceptance) -> int:
        return sum(each.quantity for each in self.inspected if each.acceptance is acceptance)


def with_told(known: Iterable[Told], told: Iterable[Told]) -> tuple[Told, ...]:
    """Equal but for their units is one: so that a line of many units stays small."""
    units: dict[Told, int] = {}
    for each in (*known, *told):
        alike = replace(each, quantity=0)
        units[alike] = units.get(alike, 0) + each.quantity
    return tuple(replace(alike, quantity=count) for alike, count in units.items())


@dataclass(frozen=True, slots=True)
class ReturnParcel:
    """`document`: the file of its label; `qr`: what is shown instead of it."""

    carrier: str
    tracking_number: str
    status: TrackingStatus = TrackingStatus.LABEL_CREATED
    scanned_at: datetime | None = None
    scans: tuple[str, ...] = ()
    document: str = ""
    qr: str = ""

    @property
    def is_moving(self) -> bool:
        """The carrier has it, or had it."""
        return self.status not in (TrackingStatus.UNKNOWN, TrackingStatus.LABEL_CREATED)

    def has(self, scan: Scan) -> bool:
        return scan.fingerprint in self.scans


@dataclass(frozen=True, slots=True)
class Return:
    """`in_store`: the location over whose counter it is handed; `exchange`: what is wanted
    instead; `linked_order`: the order that brings it, and `exchange_value` what of it the goods
    pay, in minor units; `location_id`: where goods were received;
    `unexpected`: units that came beside those announced; `key`: the request that asked for it;
    `override`: why staff have allowed what the policy does not; `attention`: why it needs a person,
    and `decision`: what a person has decided last."""

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
    exchange_value: int = 0
    reason: str = ""
    approved_at: datetime | None = None
    unexpected: tuple[Quantity, ...] = ()
    key: str = ""
    override: str = ""
    attention: str = ""
    decision: str = ""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_handed_over(self) -> bool:
        """Goods are on their way, or here."""
        return bool(self.location_id) or any(each.is_moving for each in self.parcels)

    @property
    def settled(self) -> int:
        """Units."""
        return sum(each.settled for each in self.lines)

    @property
    def never_arrived(self) -> bool:
        return any(each.never_arrived for each in self.lines)

    def line(self, line_id: str) -> ReturnLine | None:
        return next((each for each in self.lines if each.line_id == line_id), None)

    def outstanding(self, line: ReturnLine) -> int:
        """Units of a line that something may still be given for. What was rejected after it had
        been paid for is not among those that are left."""
        lost = line.missing
        if self.terms.refund_when is RefundWhen.INSPECTION:
            lost += line.judged(Acceptance.REJECTED)
        return max(0, line.quantity - line.settled - lost) if self.is_open else 0


def announced(returns: Iterable[Return], line_id: str) -> int:
    """Units that are on their way back, or may be: not yet paid for, in returns that are open."""
    return sum(
        found.outstanding(each)
        for found in returns
        for each in found.lines
        if each.line_id == line_id
    )


def spoken_for(returns: Iterable[Return], line_id: str, *, never_arrived: bool) -> int:
    """Units that something was given for, or may be: of goods that come back, or of those that
    never came to the customer."""
    return sum(
        found.outstanding(each) + each.settled
        for found in returns
        for each in found.lines
        if each.line_id == line_id and each.never_arrived is never_arrived
    )
