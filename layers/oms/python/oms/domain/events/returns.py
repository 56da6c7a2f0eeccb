"""Goods come back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.refunds import Credit
from oms.domain.returns import (
    ExchangeLine,
    Inspected,
    Received,
    Resolution,
    ReturnLine,
    Terms,
)
from oms.domain.tracking import Scan


@dataclass(frozen=True, slots=True)
class ReturnRequested:
    """`key`: of the request; `override`: why staff have allowed what the policy does not."""

    return_id: str
    lines: tuple[ReturnLine, ...]
    resolution: Resolution
    in_store: str = ""
    exchange: tuple[ExchangeLine, ...] = ()
    key: str = ""
    override: str = ""


@dataclass(frozen=True, slots=True)
class ReturnApproved:
    """`expires_at`: by then the goods must have been handed over; `automatic`: by the policy."""

    return_id: str
    terms: Terms
    expires_at: datetime | None = None
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class ReturnDeclined:
    return_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnLabelIssued:
    """`document`: the name of its file; `qr`: what the square says that is shown instead of it."""

    return_id: str
    carrier: str
    tracking_number: str
    document: str = ""
    qr: str = ""


@dataclass(frozen=True, slots=True)
class ReturnParcelScanned:
    return_id: str
    carrier: str
    tracking_number: str
    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class ReturnReceived:
    """`unexpected`: units by line that came beside those that were announced."""

    return_id: str
    location_id: str
    lines: tuple[Received, ...]
    unexpected: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnInspected:
    """Units go to stock, or out of it, in the fact's own transaction."""

    return_id: str
    lines: tuple[Inspected, ...]


@dataclass(frozen=True, slots=True)
class ReturnSettled:
    """These units are paid for by the credit, whose refunds are requested with it."""

    return_id: str
    lines: tuple[Quantity, ...]
    credit: Credit


@dataclass(frozen=True, slots=True)
class ExchangePlaced:
    """The order that brings what the customer gets instead: `amount` of it, in minor units, is paid
    by what the goods that come back are worth."""

    return_id: str
    linked_order: str
    amount: int = 0


@dataclass(frozen=True, slots=True)
class ReturnCompleted:
    return_id: str


@dataclass(frozen=True, slots=True)
class ReturnCancelled:
    return_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReturnExpired:
    """The goods were not handed over in time."""

    return_id: str
