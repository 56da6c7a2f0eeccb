"""The provider `exchange`: what returned goods are worth pays another order.

A refund to `exchange:<order>` is recorded, and so is what that order takes of it. What the order
does not need in the end becomes store credit of the customer, whose account its authorization
refers to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oms.adapters.payments.base import Ignored, Notice, Provider, Result
from oms.domain.payment import OperationKind, OperationStatus
from oms.domain.returns.exchanging import EXCHANGE

RECORDED = Result(OperationStatus.SUCCEEDED, reference=EXCHANGE)
NOBODYS = Result(OperationStatus.FAILED, reason="only goods that come back pay so")


class Exchange:
    code = EXCHANGE
    prepaid = False

    def __init__(self, store_credit: Provider) -> None:
        self._store_credit = store_credit

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        """Never asked for: an order that is paid so was placed with it."""
        return NOBODYS

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        return NOBODYS

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return RECORDED

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return RECORDED

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        if _pays_an_order(reference):
            return RECORDED
        return self._store_credit.refund(key, amount, currency, reference)

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        if kind is OperationKind.AUTHORIZE:
            return NOBODYS
        if kind is not OperationKind.REFUND or _pays_an_order(reference):
            return RECORDED
        return self._store_credit.look_up(key, kind, token, reference)

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        return False

    def read(self, body: bytes) -> Notice | Ignored:
        return Ignored("our own books answer at once")


def _pays_an_order(reference: str) -> bool:
    return reference.startswith(f"{EXCHANGE}:")
