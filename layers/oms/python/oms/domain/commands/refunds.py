"""Money that is given back beside cancellations, and what it pays instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GrantRefund:
    """As goodwill, for the order or one of its lines, in minor units. `most`: what whoever asks may
    have granted on an order in all; None: as much as was taken."""

    amount: int
    reason: str
    line_id: str = ""
    as_store_credit: bool = False
    most: int | None = None


@dataclass(frozen=True, slots=True)
class ReceiveExchange:
    """So much of the money of returned goods has come for this order, all in all."""

    amount: int
