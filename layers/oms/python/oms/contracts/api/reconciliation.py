"""Statements of others: what is announced, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated

import msgspec
from pydantic import Field

from oms.contracts.api.fields import (
    YEARS,
    Contract,
    Currency,
    Cursor,
    Day,
    PageSize,
    Slug,
    backwards,
)
from oms.contracts.api.jobs import MAX_FILE, UploadView
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault

MAX_DAYS = 400
GENERIC = "generic"


class StatementKindGiven(StrEnum):
    PAYOUTS = "payouts"
    CARRIER_INVOICE = "carrier_invoice"
    CHANNEL_ORDERS = "channel_orders"


class StatementFormat(StrEnum):
    GENERIC = "generic"
    STRIPE = "stripe"
    ADYEN = "adyen"
    PAYPAL = "paypal"
    UPS = "ups"
    FEDEX = "fedex"
    DHL = "dhl"
    SHOPIFY = "shopify"


FORMATS = {
    StatementKindGiven.PAYOUTS: ("stripe", "adyen", "paypal", "generic"),
    StatementKindGiven.CARRIER_INVOICE: ("ups", "fedex", "dhl", "generic"),
    StatementKindGiven.CHANNEL_ORDERS: ("shopify", "generic"),
}
# Days by which a statement may be later than what it tells of; and before its first day, by which
# the orders may have been placed.
TOLERANCE = {"payouts": 5, "carrier_invoice": 14, "channel_orders": 0}
LOOK_BACK = {"payouts": 60, "carrier_invoice": 60, "channel_orders": 1}


class StatementPeriod(Contract):
    """Days in UTC, both of them included."""

    first: Day
    last: Day

    def faults(self) -> Iterator[Fault]:
        if self.first > self.last:
            yield Fault("last", "is before first")


class ReconcileStatement(Contract):
    """`source`: who states it: a provider, a carrier, a channel. `format`: the source's own where
    we know it, else `generic`. `size` is that of the file, in bytes.

    `channel`: whose numbers a provider's statement names orders by. `provider`: under which name
    we have recorded what it states, where that is not the source: `external`, of orders that were
    paid for elsewhere; `easypost`, of labels that were bought there. `currency`: that of a file
    which names none.
    """

    kind: Annotated[StatementKindGiven, Field(strict=False)]
    source: Slug
    period: StatementPeriod
    size: Annotated[int, Field(ge=1, le=MAX_FILE)]
    format: Annotated[StatementFormat, Field(strict=False)] | None = None
    channel: Slug | None = None
    provider: Slug | None = None
    currency: Currency | None = None
    tolerance_days: Annotated[int, Field(ge=0, le=60)] | None = None
    look_back_days: Annotated[int, Field(ge=0, le=400)] | None = None

    def faults(self) -> Iterator[Fault]:
        for fault in backwards(self.period.first, self.period.last):
            yield Fault("period.last", fault.reason.replace("from", "first"))
        for name in ("first", "last"):
            if getattr(self.period, name).year not in YEARS:
                yield Fault(f"period.{name}", "is not of this century")
        if (self.period.last - self.period.first).days >= MAX_DAYS:
            yield Fault("period", f"is longer than {MAX_DAYS} days")
        if self.read_as not in FORMATS[self.kind]:
            yield Fault("format", f"is none of {', '.join(FORMATS[self.kind])}")
        if self.channel is not None and self.kind is not StatementKindGiven.PAYOUTS:
            yield Fault("channel", "is asked for with payouts only")
        if self.provider is not None and self.kind is StatementKindGiven.CHANNEL_ORDERS:
            yield Fault("provider", "is asked for with payouts and invoices only")

    @property
    def read_as(self) -> str:
        if self.format:
            return self.format.value
        return self.source if self.source in FORMATS[self.kind] else GENERIC

    @property
    def tolerance(self) -> int:
        given = self.tolerance_days
        return TOLERANCE[self.kind.value] if given is None else given

    @property
    def look_back(self) -> int:
        given = self.look_back_days
        return LOOK_BACK[self.kind.value] if given is None else given


class OutcomeAsked(StrEnum):
    MATCHED = "matched"
    DIFFERENT = "different"
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    DUPLICATE = "duplicate"


class ReconciliationQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 50


class StatementLineQuery(Contract):
    outcome: Annotated[OutcomeAsked, Field(strict=False)] | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class StatementSumView(View):
    """Of one outcome and currency: how many, what they state and what we know, in minor units."""

    outcome: str
    currency: str
    count: int
    stated: int
    ours: int


class AmountView(View):
    currency: str
    count: int
    amount: int


class ReconciliationView(View, omit_defaults=True):
    """`sums` by outcome: in each currency what is stated is matched, different, missing here or a
    duplicate; what we know is matched, different or missing there. `fees`: what is kept;
    `aside`: what moved beside, as payouts. `refused`: rows that could not be read: the figures are
    without them.

    `same_as`: this content was reconciled before; nothing else was done. `files` are links to what
    it has made, which expire within a quarter of an hour.
    """

    reconciliation_id: str
    kind: str
    source: str
    format: str
    first: date
    last: date
    status: str
    created_at: At
    actor: str
    channel: str = ""
    provider: str = ""
    tolerance_days: int = 0
    look_back_days: int = 0
    reason: str = ""
    finished_at: At | None = None
    digest: str = ""
    lines: int = 0
    refused: int = 0
    sums: list[StatementSumView] = msgspec.field(default_factory=list)
    stated: list[AmountView] = msgspec.field(default_factory=list)
    fees: list[AmountView] = msgspec.field(default_factory=list)
    aside: list[AmountView] = msgspec.field(default_factory=list)
    same_as: str = ""
    supersedes: str = ""
    superseded_by: str = ""
    files: dict[str, str] = msgspec.field(default_factory=dict)


class AnnouncedReconciliationView(View):
    reconciliation: ReconciliationView
    upload: UploadView


class ReconciliationPage(View):
    items: list[ReconciliationView]
    cursor: str | None = None


class StatedView(View, omit_defaults=True):
    """`lines`: where it stands in the file; several where it is told in parts."""

    kind: str
    reference: str
    amount: int
    currency: str
    lines: list[int]
    order: str = ""
    on: date | None = None
    fee: int = 0
    fee_currency: str = ""


class OursView(View, omit_defaults=True):
    """`amount` is not there where we do not know what it costs."""

    kind: str
    reference: str
    order_id: str
    operation_id: str
    currency: str
    at: At
    amount: int | None = None


class StatementLineView(View, omit_defaults=True):
    """`stated_before`: of a duplicate, the reconciliation or the line that has told it."""

    outcome: str
    differences: list[str] = msgspec.field(default_factory=list)
    stated: StatedView | None = None
    ours: OursView | None = None
    stated_before: str = ""
    proposal: str = ""
    task_id: str = ""


class StatementLinePage(View):
    items: list[StatementLineView]
    cursor: str | None = None
