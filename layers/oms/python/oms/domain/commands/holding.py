"""What keeps an order from going on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlaceHold:
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RaiseAttention:
    reason: str


@dataclass(frozen=True, slots=True)
class ResolveAttention:
    resolution: str
