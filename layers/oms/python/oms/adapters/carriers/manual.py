"""Parcels that no carrier reports on: staff say that they were delivered."""

from __future__ import annotations

from collections.abc import Mapping

from oms.adapters.carriers.base import Ignored
from oms.domain.tracking import TrackingUpdate


class Manual:
    code = "manual"

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:  # noqa: ARG002
        return False

    def read(self, body: bytes) -> TrackingUpdate | Ignored:  # noqa: ARG002
        return Ignored("parcels of this carrier are delivered by hand")
