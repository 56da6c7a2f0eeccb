"""Holds: laid over an order, each keeps it from some of its steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class HoldStep(StrEnum):
    """What a hold may keep from being done. FULFILLMENT is the hand-over: goods may be picked and
    packed, but neither leave nor be collected."""

    ROUTING = "routing"
    FULFILLMENT = "fulfillment"
    REFUND = "refund"


# A refund that is kept back for longer needs a person.
PATIENCE_WITH_REFUNDS = timedelta(days=14)
# A hold that names no steps keeps the goods back; the customer's money only one that says so.
GOODS = (HoldStep.ROUTING, HoldStep.FULFILLMENT)


@dataclass(frozen=True, slots=True)
class NewHold:
    """`blocks`: the steps that it keeps from being done, empty for GOODS; after `until` it is
    released by itself."""

    type: str
    reason: str
    blocks: tuple[HoldStep, ...] = ()
    until: datetime | None = None

    def due_at(self, placed_at: datetime) -> datetime | None:
        """When it must be looked at: to release it, or as it keeps somebody's money."""
        if self.until is None and HoldStep.REFUND in self.blocks:
            return placed_at + PATIENCE_WITH_REFUNDS
        return self.until
