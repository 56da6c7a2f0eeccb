"""What keeps an order from going on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.holds import HoldStep
from oms.domain.screening import Screening, Verdict


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """`blocks`: the steps that it keeps from being done, empty for routing and hand-over; after
    `until` it is released by itself."""

    type: str
    reason: str
    blocks: tuple[HoldStep, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EndHolds:
    """Release those whose time is over at the instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """Of a screener, for an order that was not screened yet."""

    verdict: Verdict
    screening: Screening


@dataclass(frozen=True, slots=True)
class RaiseAttention:
    """`return_id`: for a return of the order, not for the order itself."""

    reason: str
    return_id: str = ""


@dataclass(frozen=True, slots=True)
class ResolveAttention:
    resolution: str
    return_id: str = ""
