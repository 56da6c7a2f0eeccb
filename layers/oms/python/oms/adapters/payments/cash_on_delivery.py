"""The buyer pays at the door: nothing is reserved, and what is captured has yet to come in."""

from __future__ import annotations

from oms.adapters.payments.base import Result
from oms.adapters.payments.by_hand import ByHand, done, expected
from oms.domain.payment import OperationKind

NAME = "cash_on_delivery"
MOVES_MONEY = frozenset({OperationKind.CAPTURE, OperationKind.REFUND})


class CashOnDelivery(ByHand):
    """A promise is as good as authorized, and costs nothing to release."""

    code = NAME
    prepaid = False

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        return done(NAME)

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        return done(NAME)

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return expected(NAME)

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return done(NAME)

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return expected(NAME)

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        return expected(NAME) if kind in MOVES_MONEY else done(NAME)
