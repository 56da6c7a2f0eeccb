"""What keeps an order from going on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.holds import HoldStep


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """`blocks` are the steps that it keeps from being done, empty for all; after `until` it is
    released by itself."""

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
class OrderNeedsAttention:
    reason: str


@dataclass(frozen=True, slots=True)
class AttentionResolved:
    resolution: str
