"""When a watched level is told of: once as it becomes low, once as it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from oms.domain.events import StockLow, StockOut


class Alert(StrEnum):
    NONE = ""
    LOW = "low"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class WatchedLevel:
    """`told`: what the world has been told of it and has not been taken back since."""

    sku: str
    location: str
    available: int
    threshold: int
    told: Alert = Alert.NONE

    @property
    def now(self) -> Alert:
        if self.available > self.threshold:
            return Alert.NONE
        return Alert.LOW if self.available > 0 else Alert.OUT

    @property
    def event(self) -> StockLow | StockOut | None:
        """What to tell. One that was empty and is low has been told of, and has not recovered."""
        if self.now is Alert.OUT and self.told is not Alert.OUT:
            return StockOut(self.sku, self.location)
        if self.now is Alert.LOW and self.told is Alert.NONE:
            return StockLow(self.sku, self.location, self.available, self.threshold)
        return None
