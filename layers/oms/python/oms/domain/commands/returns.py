"""Goods that come back: what customers ask for, and what warehouses and stores see of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
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
class RequestReturn:
    """With `terms` it is approved at once, if the order has fewer returns than `at_most`.

    `handed_in` is what was received over the counter and looked at there; `key` names the request:
    told again, it is the same return. `override`: why staff have allowed what the policy does not.
    """

    lines: tuple[ReturnLine, ...]
    resolution: Resolution
    in_store: str = ""
    exchange: tuple[ExchangeLine, ...] = ()
    terms: Terms | None = None
    expires_at: datetime | None = None
    key: str = ""
    handed_in: tuple[Inspected, ...] = ()
    override: str = ""
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class ApproveReturn:
    return_id: str
    terms: Terms
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeclineReturn:
    return_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CancelReturn:
    """By the customer, or for them: nothing comes back after all."""

    return_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExpireReturn:
    """Its goods were not handed over in time."""

    return_id: str


@dataclass(frozen=True, slots=True)
class ReceiveReturn:
    """`unexpected`: units beside those that were announced; `inspected`: what was looked at as soon
    as it came."""

    return_id: str
    location_id: str
    lines: tuple[Received, ...]
    unexpected: tuple[Quantity, ...] = ()
    inspected: tuple[Inspected, ...] = ()


@dataclass(frozen=True, slots=True)
class InspectReturn:
    return_id: str
    lines: tuple[Inspected, ...]


@dataclass(frozen=True, slots=True)
class RecordReturnLabel:
    """`document`: the name of its file; `qr`: what the square says that is shown instead of it."""

    return_id: str
    carrier: str
    tracking_number: str
    document: str = ""
    qr: str = ""


@dataclass(frozen=True, slots=True)
class RecordReturnScans:
    return_id: str
    carrier: str
    tracking_number: str
    scans: tuple[Scan, ...]
