"""Segments of customers: what they say, who belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any

import msgspec
from pydantic import Field, StringConstraints

from oms.contracts import codec
from oms.contracts.api.customers import Medium
from oms.contracts.api.fields import (
    MAX_TOTAL,
    Amount,
    Contract,
    Country,
    Currency,
    Cursor,
    FreeText,
    Label,
    PageSize,
    Slug,
    repeats,
)
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.segments.definition import Scores, Segment, SegmentRule, SegmentWhen

MAX_RULES, MAX_LISTED = 20, 100
MAX_DAYS = 3_660

SegmentName = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
SegmentNames = Annotated[list[SegmentName], Field(max_length=MAX_LISTED)]
Version = Annotated[int, Field(ge=0, le=10**9)]
Orders = Annotated[int, Field(ge=0, le=10**6)]
Days = Annotated[int, Field(ge=1, le=MAX_DAYS)]
Percent = Annotated[int, Field(ge=0, le=100)]
Rank = Annotated[int, Field(ge=2, le=5)]
Slugs = Annotated[list[Slug], Field(max_length=MAX_LISTED)]
FOUR = Field(min_length=4, max_length=4)
MONEY = ("min_spent", "below_spent", "min_money")
RANGES = (
    ("min_spent", "below_spent", 1),
    ("min_orders", "max_orders", 0),
    ("min_return_rate", "max_return_rate", 0),
)


class SegmentConsentGiven(Contract):
    purpose: Slug = "marketing"
    channel: Medium


class ScoresGiven(Contract):
    """Thresholds of the scores 2, 3, 4, 5. `recency`: days since the last order, falling;
    `frequency`: orders, and `money`: minor units spent, both rising."""

    recency: Annotated[list[Days], FOUR] = Field(default_factory=lambda: [*Scores().recency])
    frequency: Annotated[list[Annotated[int, Field(ge=1, le=10**6)]], FOUR] = Field(
        default_factory=lambda: [*Scores().frequency]
    )
    money: Annotated[list[Annotated[int, Field(ge=1, le=MAX_TOTAL)]], FOUR] = Field(
        default_factory=lambda: [*Scores().money]
    )

    def faults(self) -> Iterator[Fault]:
        if not _is_rising(self.recency[::-1]):
            yield Fault("recency", "does not fall from each threshold to the next")
        for name in ("frequency", "money"):
            if not _is_rising(getattr(self, name)):
                yield Fault(name, "does not rise from each threshold to the next")


class SegmentWhenGiven(Contract):
    """All that is given must fit; of a list one is enough. Amounts are minor units of `currency`,
    of what was spent: goods less discounts and cancellations. A rate is a percentage of the units
    that were ordered."""

    currency: Currency | Annotated[str, Field(max_length=0)] = ""
    min_spent: Amount | None = None
    below_spent: Amount | None = None
    min_orders: Orders | None = None
    max_orders: Orders | None = None
    ordered_within_days: Days | None = None
    not_ordered_for_days: Days | None = None
    first_order_within_days: Days | None = None
    min_return_rate: Percent | None = None
    max_return_rate: Percent | None = None
    min_recency: Rank | None = None
    min_frequency: Rank | None = None
    min_money: Rank | None = None
    channels: Slugs = Field(default_factory=list)
    countries: Annotated[list[Country], Field(max_length=250)] = Field(default_factory=list)
    tags: Slugs = Field(default_factory=list)
    without_tags: Slugs = Field(default_factory=list)
    consents: Annotated[list[SegmentConsentGiven], Field(max_length=20)] = Field(
        default_factory=list
    )

    def faults(self) -> Iterator[Fault]:
        if not self.model_dump(exclude_defaults=True, exclude={"currency"}):
            yield Fault("", "says nothing, so everybody would fit")
        asked = [name for name in MONEY if getattr(self, name) is not None]
        if asked and not self.currency:
            yield Fault("currency", f"is missing, and {asked[0]} is in it")
        for low, high, apart in RANGES:
            least, most = getattr(self, low), getattr(self, high)
            if least is not None and most is not None and least + apart > most:
                yield Fault(high, f"leaves nobody between it and {low}")
        within, without = self.ordered_within_days, self.not_ordered_for_days
        if within and without and without >= within:
            yield Fault("not_ordered_for_days", "leaves nobody, beside ordered_within_days")
        for place, tag in enumerate(self.without_tags):
            if tag in self.tags:
                yield Fault(f"without_tags[{place}]", "is asked for as well")


class SegmentRuleGiven(Contract):
    name: Label
    when: SegmentWhenGiven


class SegmentPath(Contract):
    segment: SegmentName


class PutSegment(Contract):
    """`version` is the one that was seen: 0 where there is none. A customer belongs to it by any of
    the rules."""

    version: Version
    title: FreeText = ""
    rules: Annotated[list[SegmentRuleGiven], Field(min_length=1, max_length=MAX_RULES)]
    scores: ScoresGiven = Field(default_factory=ScoresGiven)

    def faults(self) -> Iterator[Fault]:
        for place, rule in enumerate(self.rules):
            for fault in rule.when.faults():
                yield Fault(f"rules[{place}].when.{fault.field}".rstrip("."), fault.reason)
        for place in repeats(rule.name for rule in self.rules):
            yield Fault(f"rules[{place}].name", "is there twice")
        for fault in self.scores.faults():
            yield Fault(f"scores.{fault.field}", fault.reason)

    def segment(self, name: str, seen: int | None = None) -> Segment:
        """As the version after the one that was `seen`."""
        said = self.model_dump(mode="json")
        version = (self.version if seen is None else seen) + 1
        return msgspec.convert({**said, "name": name, "version": version}, Segment)


class SegmentQuery(Contract):
    """Without a version: the one that counts."""

    version: Annotated[Version | None, Field(strict=False)] = None


class SegmentMemberQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 100


class ExportSegment(Contract):
    """`personal`: with names and addresses; that takes the scope privacy, and is written into the
    log of who read what of whom."""

    personal: bool = False


class SegmentView(View):
    """`job_id`: what puts customers into it, or takes them out, after a change."""

    name: str
    title: str
    version: int
    rules: list[dict[str, Any]]
    scores: dict[str, list[int]]
    saved_at: At | None = None
    saved_by: str = ""
    deleted: bool = False
    job_id: str = ""


class SegmentsView(View):
    items: list[SegmentView]


class SegmentMemberView(View):
    customer_id: str
    since: At


class SegmentMemberPage(View):
    items: list[SegmentMemberView]
    cursor: str | None = None


class SegmentExportView(View):
    """How far it is, and its file: `GET /jobs/{id}`."""

    job_id: str
    status: str


def rule_of(rule: SegmentRule) -> dict[str, Any]:
    """Without what it does not ask."""
    return {"name": rule.name, "when": codec.slim(rule.when)}


def _is_rising(thresholds: list[int]) -> bool:
    return all(a < b for a, b in pairwise(thresholds))


__all__ = [
    "ExportSegment",
    "PutSegment",
    "ScoresGiven",
    "SegmentConsentGiven",
    "SegmentExportView",
    "SegmentMemberPage",
    "SegmentMemberQuery",
    "SegmentMemberView",
    "SegmentName",
    "SegmentNames",
    "SegmentPath",
    "SegmentQuery",
    "SegmentRuleGiven",
    "SegmentView",
    "SegmentWhen",
    "SegmentWhenGiven",
    "SegmentsView",
    "rule_of",
]
