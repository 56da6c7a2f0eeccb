"""What keeps an order from going on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    hold_id: str
    type: str
    reason: str


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
