"""Money that a channel takes: we keep the books of it and move nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oms.adapters.payments.base import Ignored, Notice, Result
from oms.domain.payment import OperationKind, OperationStatus

RECORDED = Result(OperationStatus.SUCCEEDED, reference="external")


class External:
    """Every operation is a recorded fact; a refund is owed by the channel to the buyer."""

    code = "external"

    def authorize(self, key: str, amount: int, currency: str, token: str) -> Result:  # noqa: ARG002
        """`token` is the client's own text: it goes into no event."""
        return RECORDED

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:  # noqa: ARG002
        return RECORDED

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:  # noqa: ARG002
        return RECORDED

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:  # noqa: ARG002
        return RECORDED

    def look_up(self, key: str, kind: OperationKind, token: str = "") -> Result | None:  # noqa: ARG002
        return RECORDED

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:  # noqa: ARG002
        return False

    def read(self, body: bytes) -> Notice | Ignored:  # noqa: ARG002
        return Ignored("channels report payments with their orders")
