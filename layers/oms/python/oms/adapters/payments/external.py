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
    prepaid = False

    def authorize(
        self,
        key: str,
        amount: int,
        currency: str,
        token: str,
        order_id: str = "",
    ) -> Result:
        """`token` is the client's own text: it goes into no event."""
        return RECORDED

    def renew(
        self,
        key: str,
        amount: int,
        currency: str,
        reference: str,
        order_id: str = "",
    ) -> Result:
        return RECORDED

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return RECORDED

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return RECORDED

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return RECORDED

    def look_up(
        self,
        key: str,
        kind: OperationKind,
        token: str = "",
        reference: str = "",
    ) -> Result | None:
        return RECORDED

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        return False

    def read(self, body: bytes) -> Notice | Ignored:
        return Ignored("channels report payments with their orders")
