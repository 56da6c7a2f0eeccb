"""Promises: what is asked, what is told, the policy for those at risk, and how they were kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from pydantic import Field

from oms.contracts.api.fields import (
    MAX_TOTAL,
    Code,
    Contract,
    Country,
    Currency,
    Day,
    FreeText,
    Label,
    Quantity,
    Slug,
    backwards,
    repeats,
)
from oms.contracts.api.views import At, BasisView, View
from oms.contracts.invalid import Fault
from oms.domain.promising.policy import DEFAULT_CONFIDENCE, ExtraCost, PromisePolicy

MAX_ASKED = 100  # lines of one question

On = Annotated[date, Meta(description="yyyy-mm-dd")]


class AskedLineOfPromise(Contract):
    sku: Code
    quantity: Quantity = 1


class PromiseDestination(Contract):
    country: Country
    region: FreeText = ""
    postal_code: FreeText = ""


class AskPromises(Contract):
    """What a cart holds and where it goes, as of now. Without a `method`: by each that there is."""

    lines: Annotated[list[AskedLineOfPromise], Field(min_length=1, max_length=MAX_ASKED)]
    destination: PromiseDestination
    channel: Slug | None = None
    method: Label | None = None

    def faults(self) -> Iterator[Fault]:
        for place in repeats(line.sku for line in self.lines):
            yield Fault(f"lines[{place}].sku", "is given twice")


class LegView(View, omit_defaults=True):
    location_id: str
    skus: list[str]
    ship_by: At
    deliver_by: On | None = None
    basis: BasisView | None = None


class PromiseView(View):
    """`cost` is what the shipments cost us, in minor units of the network's currency. `basis` is
    measured where that was for every leg, else tables; `confidence`: in percent, of measured ones,
    that all of it is there by `deliver_by`; `parcels` were measured for it."""

    method: str
    ship_by: At
    deliver_by: On | None
    cost: int
    locations: list[str]
    basis: str = "tables"
    confidence: int | None = None
    parcels: int | None = None
    legs: list[LegView] = msgspec.field(default_factory=list)


class PromisedLineView(View, omit_defaults=True):
    """`available` units may be promised now; `expected_on`: from when on there may be more."""

    sku: str
    quantity: int
    available: int
    expected_on: On | None = None


class PromisesView(View):
    """`promises` is empty where not all of it can be promised to there."""

    lines: list[PromisedLineView]
    promises: list[PromiseView]
    asked_at: At


class ExtraCostGiven(Contract):
    currency: Currency
    most: Annotated[int, Field(ge=0, le=MAX_TOTAL)]


class PromisePolicyGiven(Contract):
    """`confidence`, in percent, is asked of measured times; `earlier`: they may promise less than
    the carrier's table. `upgrade_to`: methods that may be paid for to keep a promise, for at most
    `max_extra` of one fulfillment order, in the currency of the carrier's card."""

    confidence: Annotated[int, Field(ge=50, le=99)] = DEFAULT_CONFIDENCE
    earlier: bool = False
    upgrade_to: Annotated[list[Label], Field(max_length=20)] = Field(default_factory=list)
    max_extra: Annotated[list[ExtraCostGiven], Field(max_length=200)] = Field(default_factory=list)
    tell_customer: bool = True

    def faults(self) -> Iterator[Fault]:
        for place in repeats(each.currency for each in self.max_extra):
            yield Fault(f"max_extra[{place}].currency", "is given twice")
        for place in repeats(self.upgrade_to):
            yield Fault(f"upgrade_to[{place}]", "is given twice")

    def document(self) -> PromisePolicy:
        return PromisePolicy(
            self.confidence,
            self.earlier,
            tuple(self.upgrade_to),
            tuple(ExtraCost(each.currency, each.most) for each in self.max_extra),
            self.tell_customer,
        )


class PromiseReportQuery(Contract):
    """Days of arrival, at the destination."""

    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    group_by: Literal["location", "carrier"] = "location"

    def faults(self) -> Iterator[Fault]:
        return backwards(self.first_day, self.last_day)


class KeptPromisesRow(View, omit_defaults=True):
    """Of what has arrived. `on_time` counts `early` too; `share_on_time` is of `promised`;
    `mean_days_late` of those that were `late`; `mean_handling_days` from assignment to hand-over,
    `mean_transit_days` from there, in days on which the carrier delivers."""

    group: str
    promised: int
    on_time: int
    late: int
    early: int
    share_on_time: float
    mean_days_late: float
    mean_handling_days: float | None = None
    mean_transit_days: float | None = None


class KeptPromisesReport(View):
    first_day: On
    last_day: On
    group_by: str
    rows: list[KeptPromisesRow]
