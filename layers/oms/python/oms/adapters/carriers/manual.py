"""Parcels that no carrier reports on: staff say that they were delivered."""

from __future__ import annotations

from oms.adapters.carriers.base import Ignored
from oms.adapters.webhooks import Call
from oms.domain.tracking import TrackingUpdate


class Manual:
    code = "manual"

    def verify(self, call: Call, secret: str) -> bool:  # noqa: ARG002
        return False

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:  # noqa: ARG002
        return Ignored("parcels of this carrier are delivered by hand")
