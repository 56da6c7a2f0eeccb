"""Time that counts: what of it falls into the hours in which inquiries are answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from oms.domain.network.calendars import Calendar, instant

HORIZON_DAYS = 400  # a calendar that is closed for so long is not waited for
A_DAY = timedelta(days=1)

Span = tuple[datetime, datetime]


def worked(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Whole seconds of open hours between the two; none, where the end is before the start."""
    found = (min(closes, end) - max(opens, start) for opens, closes in _open(calendar, start, end))
    return int(sum((each for each in found if each > timedelta(0)), timedelta(0)).total_seconds())


def after_working(calendar: Calendar, start: datetime, seconds: int) -> datetime:
    """When so many seconds of open hours will have passed; never before the start."""
    left = timedelta(seconds=max(0, seconds))
    last = start + timedelta(days=HORIZON_DAYS)
    for opens, closes in _open(calendar, start, last):
        begins = max(opens, start)
        if left <= closes - begins:
            return begins + left
        left -= max(timedelta(0), closes - begins)
    return last


def _open(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Span]:
    """Hours of the days from the one to the other, in order, none of them twice."""
    zone = ZoneInfo(calendar.time_zone)
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    reached = datetime.min.replace(tzinfo=UTC)
    while day <= last:
        for opens, closes in sorted(_of_day(calendar, day)):
            begins = max(opens, reached)
            if begins < closes and closes > start:
                yield begins, closes
            reached = max(reached, closes)
        day += A_DAY


def _of_day(calendar: Calendar, day: date) -> list[Span]:
    if calendar.is_closed(day):
        return []
    today = (each for each in calendar.opening if each.weekday == day.weekday())
    zone = calendar.time_zone
    return [(instant(zone, day, each.opens), instant(zone, day, each.closes)) for each in today]
