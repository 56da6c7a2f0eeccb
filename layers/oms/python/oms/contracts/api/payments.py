"""Payments of an order, and what staff confirms of those that no machine sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Struct
from pydantic import Field

from oms.contracts.api.fields import MAX_TOTAL, Code, Contract, FreeText
from oms.contracts.api.views import At
from oms.contracts.invalid import Fault


class ConfirmPayment(Contract):
    """`amount`: what came in or went out, if it is less than what was asked for. `reference`: the
    bank's or the carrier's; no name of a person."""

    outcome: Literal["succeeded", "failed"]
    amount: Annotated[int, Field(ge=1, le=MAX_TOTAL)] | None = None
    reference: Code | None = None
    reason: FreeText = ""

    def faults(self) -> Iterator[Fault]:
        succeeded = self.outcome == "succeeded"
        if succeeded and self.reference is None:
            yield Fault("reference", "is needed to find the money again")
        if not succeeded and not self.reason:
            yield Fault("reason", "is needed: it is shown with the order")
        if not succeeded and self.amount is not None:
            yield Fault("amount", "is of money that has moved")


class PaymentOperationView(Struct, omit_defaults=True):
    """`of`: the authorization whose money it moves, or that it renews. `cause`: the fulfillment
    order, credit or edit that asked. `to`: the account that a refund goes to instead.
    """

    operation_id: str
    provider: str
    kind: str
    status: str
    amount: int
    attempt: int
    of: str = ""
    cause: str = ""
    to: str = ""
    reference: str = ""
    reason: str = ""
    valid_until: At | None = None
    asked_at: At | None = None
    changed_at: At | None = None
    by_hand: bool = False


class DisputeView(Struct, omit_defaults=True):
    dispute_id: str
    operation_id: str
    amount: int
    status: str
    reason: str = ""


class PaymentsView(Struct, omit_defaults=True):
    """Oldest first. Amounts are of the currency."""

    order_id: str
    currency: str
    operations: list[PaymentOperationView]
    disputes: list[DisputeView] = []
