"""When a location works, and the day on which an order that comes in now is shipped.

Wall-clock times are minutes of the local day, 0 to 1440. A time that a clock change skips is the
one that a clock without the change would show; a time that comes twice is its first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAY_MINUTES = 1_440
HORIZON_DAYS = 60  # a location that ships nothing for so long is not waited for


@dataclass(frozen=True, slots=True)
class Opening:
    """Monday is 0."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class CutOff:
    """Orders by this method that are in by then are worked on the same day."""

    method: str
    minute: int


@dataclass(frozen=True, slots=True)
class Outage:
    """From `starts` on; for good, as far as anybody knows, without an end."""

    outage_id: str
    starts: datetime
    ends: datetime | None = None
    reason: str = ""

    def is_over(self, at: datetime) -> bool:
        return self.ends is not None and self.ends <= at


ALL_WEEK = tuple(Opening(weekday, 0, DAY_MINUTES) for weekday in range(7))


@dataclass(frozen=True, slots=True)
class Calendar:
    """`handling_minutes` are minutes of work, while the location is open.

    `public_holidays` names the country, or the country and its part, that `public_days` were taken
    from when the location was saved.
    """

    time_zone: str = "UTC"
    opening: tuple[Opening, ...] = ALL_WEEK
    holidays: tuple[date, ...] = ()
    public_holidays: str = ""
    public_days: tuple[date, ...] = ()
    cut_offs: tuple[CutOff, ...] = ()
    handling_minutes: int = 0

    def cut_off(self, method: str) -> int | None:
        return next((each.minute for each in self.cut_offs if each.method == method), None)

    def is_closed(self, day: date) -> bool:
        return day in self.holidays or day in self.public_days


ALWAYS_OPEN = Calendar()


@dataclass(frozen=True, slots=True)
class ShipDay:
    """A local day, and the instant at which that day's work ends."""

    day: date
    by: datetime


Window = tuple[datetime, datetime]


def next_ship_day(
    calendar: Calendar,
    outages: Collection[Outage],
    method: str,
    at: datetime,
    full: Collection[date] = (),
) -> ShipDay | None:
    """The first day on which an order that comes in at `at` can leave; None within the horizon.

    In by the method's cut-off, it is worked on that day, else from the next opening on. It leaves
    on the day on which its handling is done, or on the next working day that is not `full`.
    """
    left, begun = timedelta(minutes=calendar.handling_minutes), False
    for day, windows in _working_days(calendar, outages, at):
        begun = begun or at <= _cut_off(calendar, method, day)
        left = left if left < timedelta(0) or not begun else _worked(left, windows)
        if left < timedelta(0) and day not in full:
            return ShipDay(day, windows[-1][1])
    return None


def _worked(left: timedelta, windows: Iterable[Window]) -> timedelta:
    """What is left of the handling after these windows; below zero once it is done."""
    for start, end in windows:
        if left <= end - start:
            return timedelta(-1)
        left -= end - start
    return left


def _working_days(
    calendar: Calendar, outages: Collection[Outage], at: datetime
) -> Iterator[tuple[date, list[Window]]]:
    """From the local day of `at`, what is still left of each day that has anything left."""
    first = at.astimezone(_zone(calendar.time_zone)).date()
    gone = [(datetime.min.replace(tzinfo=UTC), at), *map(_closed, outages)]
    for number in range(HORIZON_DAYS):
        day = first + timedelta(days=number)
        if windows := _without(_windows(calendar, day), gone):
            yield day, windows


def _windows(calendar: Calendar, day: date) -> list[Window]:
    if calendar.is_closed(day):
        return []
    opening = (each for each in calendar.opening if each.weekday == day.weekday())
    zone = calendar.time_zone
    found = ((instant(zone, day, o.opens), instant(zone, day, o.closes)) for o in opening)
    return sorted(window for window in found if window[0] < window[1])


def _closed(outage: Outage) -> Window:
    return outage.starts, outage.ends or datetime.max.replace(tzinfo=UTC)


def _without(windows: list[Window], gone: Iterable[Window]) -> list[Window]:
    for start, end in gone:
        windows = [part for window in windows for part in _parts(window, start, end)]
    return windows


def _parts(window: Window, start: datetime, end: datetime) -> Iterator[Window]:
    """What is left of the window without the time from `start` to `end`."""
    opens, closes = window
    before, after = min(closes, start), max(opens, end)
    if end <= start:
        yield window
        return
    if opens < before:
        yield opens, before
    if after < closes:
        yield after, closes


def _cut_off(calendar: Calendar, method: str, day: date) -> datetime:
    minute = calendar.cut_off(method)
    return instant(calendar.time_zone, day, DAY_MINUTES if minute is None else minute)


def instant(time_zone: str, day: date, minute: int) -> datetime:
    """In UTC, of a minute of a local day."""
    days, minute = divmod(minute, DAY_MINUTES)
    local = datetime.combine(day + timedelta(days), time(*divmod(minute, 60)))
    return local.replace(tzinfo=_zone(time_zone)).astimezone(UTC)


def nth_day(start: date, number: int, weekdays: Collection[int]) -> date:
    """The so-many-th of these weekdays after `start`; with 0, the first from `start` on."""
    day = start if number else start - timedelta(1)
    for _ in range(number or 1):
        day += timedelta(1)
        while day.weekday() not in weekdays:
            day += timedelta(1)
    return day


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
