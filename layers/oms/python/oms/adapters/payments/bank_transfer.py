"""The buyer transfers the money first: authorized when it has come in, and then it is ours."""

from __future__ import annotations

import hashlib
from base64 import b32encode

from oms.adapters.payments.base import Result
from oms.adapters.payments.by_hand import ByHand, done, expected
from oms.domain.payment import OperationKind, OperationStatus

MOVES_MONEY = frozenset({OperationKind.AUTHORIZE, OperationKind.REFUND})


class BankTransfer(ByHand):
    code = "bank_transfer"
    prepaid = True

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        return expected(remittance(key))

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        return Result(OperationStatus.FAILED, reason="only the buyer can transfer money again")

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return done(reference)

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return done(reference)

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return expected(remittance(key))

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        return expected(remittance(key)) if kind in MOVES_MONEY else done(reference)


def remittance(key: str) -> str:
    """What is to be written on the transfer, so that it is found."""
    return "BT-" + b32encode(hashlib.sha256(key.encode()).digest()).decode()[:10]
