"""The policy of holds: which new orders wait, why, for what and for how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from pydantic import Field, StringConstraints

from oms.contracts.api.fields import Amount, Contract, Country, Currency, FreeText, Label, Slug
from oms.contracts.api.order_holds import HoldType, Score, Steps
from oms.contracts.invalid import Fault
from oms.domain.screening import SCREENERS, HoldPolicy, Mismatch, Unavailable

MAX_RULES = 100
MAX_LISTED = 200
A_YEAR = 366 * 24 * 60  # minutes

Minutes = Annotated[int, Field(ge=1, le=A_YEAR)]
Domain = Annotated[str, StringConstraints(max_length=253, pattern=r"^[a-z0-9.-]+$")]
Slugs = Annotated[list[Slug], Field(max_length=MAX_LISTED)]


class VelocityGiven(Contract):
    orders: Annotated[int, Field(ge=2, le=100)]
    minutes: Minutes


class HoldWhenGiven(Contract):
    currency: Currency | Annotated[str, Field(max_length=0)] = ""
    min_total: Amount | None = None
    below_total: Amount | None = None
    velocity: VelocityGiven | None = None
    first_order: bool | None = None
    mismatches: list[Annotated[Mismatch, Field(strict=False)]] = Field(default_factory=list)
    min_risk: Score | None = None
    email_domains: Annotated[list[Domain], Field(max_length=MAX_LISTED)] = Field(
        default_factory=list
    )
    channels: Slugs = Field(default_factory=list)
    tags: Slugs = Field(default_factory=list)
    countries: Annotated[list[Country], Field(max_length=MAX_LISTED)] = Field(default_factory=list)
    payment_providers: Slugs = Field(default_factory=list)
    segments: Slugs = Field(default_factory=list)


class HoldThenGiven(Contract):
    """`blocks`: routing, fulfillment (hand-over), refund; empty: the first two."""

    type: HoldType
    reason: FreeText = ""
    blocks: Steps = Field(default_factory=list)
    release_after_minutes: Minutes | None = None


class HoldRuleGiven(Contract):
    name: Label
    when: HoldWhenGiven = Field(default_factory=HoldWhenGiven)
    then: HoldThenGiven


class ScreeningGiven(Contract):
    provider: Slug = "none"
    unavailable: Annotated[Unavailable, Field(strict=False)] = Unavailable.HOLD
    cancel_rejected: bool = False


class HoldPolicyGiven(Contract):
    rules: Annotated[list[HoldRuleGiven], Field(max_length=MAX_RULES)] = Field(default_factory=list)
    screening: ScreeningGiven = Field(default_factory=ScreeningGiven)

    def faults(self) -> Iterator[Fault]:
        for number, rule in enumerate(self.rules):
            when = rule.when
            if (when.min_total is not None or when.below_total is not None) and not when.currency:
                yield Fault(f"rules[{number}].when.currency", "is missing, and totals are in it")

        if self.screening.provider not in SCREENERS:
            yield Fault("screening.provider", f"is none of {', '.join(SCREENERS)}")

    def document(self) -> HoldPolicy:
        return msgspec.convert(self.model_dump(mode="json"), HoldPolicy)
