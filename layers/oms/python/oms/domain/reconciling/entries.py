"""What a line of another's statement says, and what of ours it may be about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class StatementKind(StrEnum):
    PAYOUTS = "payouts"
    CARRIER_INVOICE = "carrier_invoice"
    CHANNEL_ORDERS = "channel_orders"


class EntryKind(StrEnum):
    """`fee`: what is kept for no single operation. `aside`: what moves their balance and is no
    business of an order, as a payout itself."""

    CAPTURE = "capture"
    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CHARGEBACK_REVERSED = "chargeback_reversed"
    PARCEL = "parcel"
    ORDER = "order"
    FEE = "fee"
    ASIDE = "aside"


ALONE = frozenset({EntryKind.FEE, EntryKind.ASIDE})  # there is nothing of ours to compare
PAYMENTS = (
    EntryKind.CAPTURE,
    EntryKind.REFUND,
    EntryKind.CHARGEBACK,
    EntryKind.CHARGEBACK_REVERSED,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """Amounts are in minor units of the currency beside them, what we lose below zero.

    `references`: names under which we may know it, the best first; `identity`: its own name in the
    statement. `fee`: what they keep for it. `is_part`: other lines tell the rest of it.
    """

    line: int
    kind: EntryKind
    amount: int
    currency: str
    references: tuple[str, ...] = ()
    identity: str = ""
    order: str = ""
    fee: int = 0
    fee_currency: str = ""
    on: date | None = None
    is_part: bool = False
    is_void: bool = False

    @property
    def reference(self) -> str:
        return self.references[0] if self.references else self.order or self.identity


@dataclass(frozen=True, slots=True)
class Ours:
    """An operation of ours. `amount` is None where we do not know what it costs; `also`: another
    amount that is as right, an order's after its cancellations."""

    kind: EntryKind
    reference: str
    order_id: str
    operation_id: str
    amount: int | None
    currency: str
    at: datetime
    also: int | None = None
    is_void: bool = False

    @property
    def subject(self) -> str:
        """Its name for ever."""
        return f"{self.order_id}/{self.operation_id}"


@dataclass(frozen=True, slots=True)
class Stated:
    """What one line says of one operation, or all lines that tell parts of it; `is_whole`: one of
    them is no part."""

    kind: EntryKind
    reference: str
    amount: int
    currency: str
    lines: tuple[int, ...]
    identities: tuple[str, ...] = ()
    order: str = ""
    fee: int = 0
    fee_currency: str = ""
    on: date | None = None
    is_whole: bool = True
    is_void: bool = False

    @classmethod
    def of(cls, entry: Entry) -> Stated:
        return cls(
            entry.kind,
            entry.reference,
            entry.amount,
            entry.currency,
            (entry.line,),
            (entry.identity,) if entry.identity else (),
            entry.order,
            entry.fee,
            entry.fee_currency,
            entry.on,
            not entry.is_part,
            entry.is_void,
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose statement of which days it is. `provider`: what we call whoever has stated it, among
    our operations; `tolerance`: so much later than ours it may be stated; `look_back`: so long
    before the period orders may have been placed that it is about."""

    kind: StatementKind
    source: str
    first: date
    last: date
    channel: str = ""
    provider: str = ""
    tolerance: int = 0
    look_back: int = 0

    @property
    def statement(self) -> tuple[str, ...]:
        """What a corrected file has in common with the one that it corrects."""
        days = self.first.isoformat(), self.last.isoformat()
        return (self.kind.value, self.source, self.channel, self.provider, *days)

    @property
    def ours(self) -> str:
        return self.provider or self.source

    @property
    def first_day(self) -> date:
        """Orders that were placed since may be meant."""
        return self.first - timedelta(days=self.look_back)

    def is_due(self, at: datetime) -> bool:
        """What is as old must be in this statement, or in one before it. The last days are left to
        the next statement, so that consecutive ones ask for each operation once."""
        late = timedelta(days=self.tolerance)
        return self.first - late <= at.date() <= self.last - late

    def is_within(self, stated: date, at: datetime) -> bool:
        """A day more or less is another zone's."""
        return abs((stated - at.date()).days) <= max(1, self.tolerance)
