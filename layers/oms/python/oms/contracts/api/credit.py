"""Store credit of customers, and gift cards. Amounts are integers of the smallest unit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated

from msgspec import field
from pydantic import Field, StringConstraints

from oms.contracts.api.fields import (
    MAILBOX,
    MAX_TOTAL,
    Contract,
    Currency,
    Cursor,
    Day,
    FreeText,
    PageSize,
    Reason,
)
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault

LAST_DAY = date(2199, 12, 31)

Money = Annotated[int, Field(ge=1, le=MAX_TOTAL)]
CustomerOrEmail = Annotated[
    str, StringConstraints(max_length=254, pattern=rf"^cus_[a-z0-9_]{{1,60}}$|{MAILBOX}")
]
GiftCardId = Annotated[str, StringConstraints(pattern=r"^gc_[a-z2-7]{26}(-[0-9]{1,6})?$")]


class OfCustomer(Contract):
    customer_id: CustomerOrEmail


class OfGiftCard(Contract):
    gift_card_id: GiftCardId


class CreditQuery(Contract):
    currency: Currency
    cursor: Cursor | None = None
    limit: PageSize = 50


class GiftCardQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class IssueCredit(Contract):
    """`expires_on` is the last day that it can be spent, by UTC; without one it never expires."""

    amount: Money
    currency: Currency
    reason: Reason
    expires_on: Day | None = None

    def faults(self) -> Iterator[Fault]:
        if self.expires_on and self.expires_on > LAST_DAY:
            yield Fault("expires_on", f"is later than {LAST_DAY}")


class AdjustCredit(Contract):
    """A negative amount takes what is available, never what orders hold."""

    amount: Annotated[int, Field(ge=-MAX_TOTAL, le=MAX_TOTAL)]
    currency: Currency
    reason: Reason

    def faults(self) -> Iterator[Fault]:
        if not self.amount:
            yield Fault("amount", "adjusts nothing")


class IssueGiftCard(IssueCredit):
    reason: FreeText = ""


class GiftCardCode(Contract):
    code: FreeText


class CancelGiftCard(Contract):
    reason: Reason


class CreditLotView(View, omit_defaults=True):
    amount: int
    expires_on: str = ""


class CreditEntryView(View, omit_defaults=True):
    """`type`: issued, held (for an order), taken, released, given_back, expired, adjusted,
    cancelled."""

    seq: int
    type: str
    amount: int
    at: At
    actor: str
    order_id: str = ""
    reason: str = ""


class MergedCreditView(View):
    account_id: str
    customer_id: str
    balance: int
    held: int
    available: int


class StoreCreditView(View):
    """`balance` is what we owe, `available` what of it no order holds, by the day it expires on;
    `entries` are the newest first. Merging customers moves no money: each identity spends its own
    account; `merged` are those of the same person's other identities that have had some."""

    account_id: str
    customer_id: str
    currency: str
    balance: int
    held: int
    available: int
    lots: list[CreditLotView]
    entries: list[CreditEntryView]
    cursor: str | None = None
    merged: list[MergedCreditView] = field(default_factory=list)


class GiftCardView(View, omit_defaults=True):
    """`code` is answered to who has just issued the card, and never again."""

    gift_card_id: str
    currency: str
    balance: int
    held: int
    available: int
    lots: list[CreditLotView]
    entries: list[CreditEntryView]
    cancelled: bool = False
    code: str = ""
    cursor: str | None = None


class GiftCardBalanceView(View, omit_defaults=True):
    """`expires_on`: when the first of it expires."""

    gift_card_id: str
    currency: str
    available: int
    expires_on: str = ""
