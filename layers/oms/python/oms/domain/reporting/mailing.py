"""Which reports are mailed when, and of which days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from oms.domain.reporting.query import Period

DAY, WEEK, MONTH = "day", "week", "month"
A_DAY = timedelta(days=1)
LATE = timedelta(hours=24)  # what could not be sent by then is not sent


@dataclass(frozen=True, slots=True)
class ReportMail:
    """`every`: day, week (on Monday) or month (on the first): the one that is just over; at `hour`
    of the reports' time zone. `figures`: which are drawn."""

    name: str
    report: str
    to: tuple[str, ...]
    every: str = WEEK
    hour: int = 7
    group_by: tuple[str, ...] = (DAY,)
    figures: tuple[str, ...] = ()
    compare: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    mail: ReportMail
    period: Period

    @property
    def key(self) -> str:
        """The same mail about the same days is one."""
        return f"{self.mail.name}/{self.period.first}/{self.period.last}"


def due(mails: Iterable[ReportMail], now: datetime, zone: str) -> Iterator[Due]:
    """Those whose hour has come, within the last day."""
    local = now.astimezone(ZoneInfo(zone))
    for day in (local.date() - A_DAY, local.date()):
        for mail in mails:
            at = datetime(day.year, day.month, day.day, mail.hour, tzinfo=ZoneInfo(zone))
            if at <= local < at + LATE and _is_its_day(mail, day):
                yield Due(mail, period_before(day, mail.every))


def _is_its_day(mail: ReportMail, day: date) -> bool:
    return {DAY: True, WEEK: day.weekday() == 0, MONTH: day.day == 1}[mail.every]


def period_before(day: date, every: str) -> Period:
    """The day, week or month that ended with the day before."""
    last = day - A_DAY
    if every == MONTH:
        return Period(last.replace(day=1), last)
    return Period(day - (7 if every == WEEK else 1) * A_DAY, last)
