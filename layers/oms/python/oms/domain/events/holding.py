"""What keeps an order from going on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.holds import HoldStep
from oms.domain.screening import Verdict


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """`blocks` are the steps that it keeps from being done, empty for routing and hand-over; after
    `until` it is released by itself."""

    hold_id: str
    type: str
    reason: str
    blocks: tuple[HoldStep, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HoldReleased:
    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderScreened:
    """What the screener said; it is asked once."""

    verdict: Verdict


@dataclass(frozen=True, slots=True)
class OrderNeedsAttention:
    """`return_id`: the return that does, where it is not the order itself."""

    reason: str
    return_id: str = ""


@dataclass(frozen=True, slots=True)
class AttentionResolved:
    resolution: str
    return_id: str = ""
