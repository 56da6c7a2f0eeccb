"""Reports: how they are asked for, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import field
from pydantic import Field

from oms.contracts.api.fields import (
    Code,
    Contract,
    Country,
    Currency,
    Day,
    Email,
    FreeText,
    Identity,
    Label,
    Slug,
    backwards,
    repeats,
)
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.reporting.catalogue import REPORTS
from oms.domain.reporting.mailing import ReportMail, period_before
from oms.domain.reporting.policy import ReportPolicy
from oms.domain.reporting.query import Asked, Unanswerable, plan, shown

MOST_GROUPS, MOST_MAILS, MOST_READERS = 6, 20, 10
Zone = Annotated[str, Field(min_length=1, max_length=60)]


class ReportQuery(Contract):
    """`group_by`: names, with commas between them; of times hour, day, week, month, quarter, year.
    `compare`: each row with that of the period before, or of a year before."""

    first_day: Annotated[Day | None, Field(alias="from")] = None
    last_day: Annotated[Day | None, Field(alias="to")] = None
    group_by: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    channel: Slug | None = None
    currency: Currency | None = None
    country: Country | None = None
    location: Identity | None = None
    sku: Code | None = None
    category: FreeText | None = None
    compare: Literal["previous", "last_year"] | None = None
    time_zone: Zone | None = None
    format: Literal["json", "csv"] | None = None

    def faults(self) -> Iterator[Fault]:
        yield from backwards(self.first_day, self.last_day)
        if self.time_zone is not None and not is_zone(self.time_zone):
            yield Fault("time_zone", "is no time zone of the IANA database")
        names = self.groups or ()
        if len(set(names)) < len(names):
            yield Fault("group_by", "names something twice")
        if len(names) > MOST_GROUPS:
            yield Fault("group_by", f"names more than {MOST_GROUPS}")

    @property
    def groups(self) -> tuple[str, ...] | None:
        if self.group_by is None:
            return None
        return tuple(name.strip() for name in self.group_by.split(","))

    @property
    def filters(self) -> dict[str, str]:
        names = ("channel", "currency", "country", "location", "sku", "category")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class ReportMailGiven(Contract):
    """`every` day, week (on Monday) or month (on the first), the one that is just over, at `hour`
    of the reports' time zone; `figures` are shown, the first of them drawn."""

    name: Slug
    report: Label
    to: Annotated[list[Email], Field(min_length=1, max_length=MOST_READERS)]
    every: Literal["day", "week", "month"] = "week"
    hour: Annotated[int, Field(ge=0, le=23)] = 7
    group_by: Annotated[list[Label], Field(min_length=1, max_length=MOST_GROUPS)] = Field(
        default_factory=lambda: ["day"]
    )
    figures: Annotated[list[Label], Field(max_length=20)] = Field(default_factory=list)
    compare: Literal["", "previous", "last_year"] = ""

    def faults(self) -> Iterator[Fault]:
        if self.report not in REPORTS:
            yield Fault("report", f"is none of {', '.join(REPORTS)}")
            return
        report, period = REPORTS[self.report], period_before(date(2026, 2, 1), self.every)
        try:
            known = shown(plan(report, Asked(period, tuple(self.group_by))), {})
        except Unanswerable as error:
            yield Fault(error.name, error.reason)
            return
        if unknown := next((name for name in self.figures if name not in known), None):
            yield Fault("figures", f"knows no {unknown}: there are {', '.join(known)}")

    def mail(self) -> ReportMail:
        return ReportMail(
            self.name,
            self.report,
            tuple(self.to),
            self.every,
            self.hour,
            tuple(self.group_by),
            tuple(self.figures),
            self.compare,
        )


class ReportPolicyGiven(Contract):
    """Whose days reports have. Rows that were counted before keep theirs until the report is
    rebuilt. `mails`: reports that are sent by themselves."""

    time_zone: Zone = "UTC"
    mails: Annotated[list[ReportMailGiven], Field(max_length=MOST_MAILS)] = Field(
        default_factory=list
    )

    def faults(self) -> Iterator[Fault]:
        if not is_zone(self.time_zone):
            yield Fault("time_zone", "is no time zone of the IANA database")
        for place in repeats(each.name for each in self.mails):
            yield Fault(f"mails[{place}].name", "is there twice")
        for place, each in enumerate(self.mails):
            for fault in each.faults():
                yield Fault(f"mails[{place}].{fault.field}", fault.reason)

    def document(self) -> ReportPolicy:
        return ReportPolicy(self.time_zone, tuple(each.mail() for each in self.mails))


class RebuildReport(Contract):
    report: Label


class PeriodView(View):
    first_day: str = field(name="from")
    last_day: str = field(name="to")


class ReportView(View, omit_defaults=True):
    """`rows`: of each what it is grouped by, and its figures, money in minor units; with
    `compare` the same of the earlier period under `before`. `counted_until`: what was told later is
    not in it yet."""

    report: str
    period: PeriodView
    time_zone: str
    group_by: list[str]
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]
    compared_with: PeriodView | None = None
    counted_until: At | None = None


class RebuildView(View):
    """`building` until it has caught up, then `live`, and `retired` when another took its place.
    `done` of `segments`, which become more while events flow."""

    rebuild_id: str
    report: str
    status: Literal["building", "live", "retired"]
    time_zone: str
    done: int
    segments: int
    asked_at: At | None = None
    asked_by: str = ""
    counted_until: At | None = None


def is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # `America` is a directory of it
        return False
    return True
