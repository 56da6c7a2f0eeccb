"""Ship days, against a clock that is looked at minute by minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oms.domain.network.calendars import (
    ALWAYS_OPEN,
    Calendar,
    CutOff,
    Opening,
    Outage,
    ShipDay,
    instant,
    next_ship_day,
    nth_day,
)

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WORKWEEK = tuple(Opening(weekday, 9 * 60, 17 * 60) for weekday in range(5))
NEW_YORK = Calendar("America/New_York", WORKWEEK, cut_offs=(CutOff("standard", 14 * 60),))

# clocks change by an hour, by half an hour, at midnight, never
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Tokyo")
CHANGES = (datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC),
           datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC),
           datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC))  # fmt: skip


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ships(calendar: Calendar, at: str, *outages: Outage, method: str = "standard") -> ShipDay:
    found = next_ship_day(calendar, outages, method, utc(at))
    assert found is not None
    return found


def test_an_order_before_the_cut_off_ships_today_by_closing_time() -> None:
    assert ships(NEW_YORK, "2026-11-23T19:00") == ShipDay(
        date(2026, 11, 23), utc("2026-11-23T22:00")
    )


def test_an_order_a_minute_after_the_cut_off_ships_tomorrow() -> None:
    assert ships(NEW_YORK, "2026-11-23T19:01").day == date(2026, 11, 24)


def test_the_cut_off_is_the_clock_on_the_wall_and_not_an_instant() -> None:
    assert ships(NEW_YORK, "2026-07-06T18:00").day == date(2026, 7, 6)
    assert ships(NEW_YORK, "2026-07-06T19:00").day == date(2026, 7, 7)


def test_a_method_without_a_cut_off_ships_today_until_the_location_closes() -> None:
    assert ships(NEW_YORK, "2026-11-23T21:59", method="express").day == date(2026, 11, 23)
    assert ships(NEW_YORK, "2026-11-23T22:00", method="express").day == date(2026, 11, 24)


def test_nothing_ships_at_the_weekend_on_a_holiday_or_in_an_outage() -> None:
    thanksgiving = Calendar("America/New_York", WORKWEEK, holidays=(date(2026, 11, 26),))
    flood = Outage("out_1", utc("2026-11-27T00:00"), utc("2026-11-28T05:00"))

    assert ships(thanksgiving, "2026-11-26T12:00").day == date(2026, 11, 27)
    assert ships(thanksgiving, "2026-11-26T12:00", flood).day == date(2026, 11, 30)


def test_public_days_are_closed_like_the_locations_own() -> None:
    calendar = Calendar("UTC", public_holidays="DE", public_days=(date(2026, 10, 3),))

    assert ships(calendar, "2026-10-03T08:00").day == date(2026, 10, 4)


def test_an_outage_without_an_end_ships_nothing() -> None:
    fire = Outage("out_1", utc("2026-11-20T00:00"))

    assert next_ship_day(NEW_YORK, [fire], "standard", utc("2026-11-23T12:00")) is None


def test_handling_is_counted_while_the_location_works() -> None:
    slow = Calendar("America/New_York", WORKWEEK, handling_minutes=240)

    assert ships(slow, "2026-11-20T18:00").day == date(2026, 11, 20)  # done as it closes
    assert ships(slow, "2026-11-20T18:01").day == date(2026, 11, 23)


def test_an_outage_in_the_middle_of_the_day_takes_its_hours_from_the_handling() -> None:
    slow = Calendar("UTC", WORKWEEK, handling_minutes=240)
    noon = Outage("out_1", utc("2026-11-23T11:00"), utc("2026-11-23T13:30"))

    assert ships(slow, "2026-11-23T10:00").day == date(2026, 11, 23)
    assert ships(slow, "2026-11-23T10:31", noon).day == date(2026, 11, 24)


def test_a_day_that_is_full_is_passed_over() -> None:
    at = utc("2026-11-23T12:00")
    full = {date(2026, 11, 23), date(2026, 11, 24)}

    found = next_ship_day(NEW_YORK, (), "standard", at, full)

    assert found is not None
    assert found.day == date(2026, 11, 25)


def test_a_location_that_never_opens_ships_nothing() -> None:
    assert next_ship_day(Calendar(opening=()), (), "standard", utc("2026-11-23T12:00")) is None


def test_a_location_without_a_calendar_ships_at_once() -> None:
    assert ships(ALWAYS_OPEN, "2026-11-23T23:59").day == date(2026, 11, 23)


@pytest.mark.parametrize(
    ("number", "weekdays", "expected"),
    [
        (0, range(5), date(2026, 11, 27)),
        (1, range(5), date(2026, 11, 30)),
        (3, range(5), date(2026, 12, 2)),
        (1, range(7), date(2026, 11, 28)),
        (0, [0], date(2026, 11, 30)),
        (2, [0, 3], date(2026, 12, 3)),
    ],
)
def test_days_of_delivery_are_counted_from_the_ship_day_on(
    number: int, weekdays: list[int], expected: date
) -> None:
    assert nth_day(date(2026, 11, 27), number, weekdays) == expected


class Clock:
    """Looks at the wall of one place, minute by minute."""

    def __init__(self, zone: str) -> None:
        self.zone = ZoneInfo(zone)

    @cache  # noqa: B019  (a clock lives as long as its test)
    def wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def shows(self, wall: datetime) -> datetime:
        """When the wall first shows this, or would have without the jump that skips it."""
        at = wall.replace(tzinfo=UTC) - timedelta(hours=15)
        for _ in range(30 * 60):
            if self.wall(at) == wall:
                return at
            if self.wall(at) > wall:
                jump = self.wall(at) - self.wall(at - MINUTE) - MINUTE
                return self.shows(wall + jump)
            at += MINUTE
        raise AssertionError(wall)


def naive_ship_day(
    calendar: Calendar, outages: list[Outage], method: str, at: datetime
) -> date | None:
    """Walk through the minutes: one of work is done in each in which the location works."""
    clock = Clock(calendar.time_zone)
    left, begun = calendar.handling_minutes, False
    day = clock.wall(at).date()
    for _ in range(60):
        midnight = datetime.combine(day, datetime.min.time())
        cut_off = calendar.cut_off(method)
        in_time = cut_off is None or at <= clock.shows(midnight + cut_off * MINUTE)
        works = [
            minute
            for opening in calendar.opening
            if opening.weekday == day.weekday() and day not in calendar.holidays
            for minute in minutes_of(
                clock.shows(midnight + opening.opens * MINUTE),
                clock.shows(midnight + opening.closes * MINUTE),
            )
            if minute >= at and not any(o.starts <= minute < (o.ends or minute) for o in outages)
        ]
        if works and (begun or in_time):
            begun = True
            if left <= len(works):
                return day
            left -= len(works)
        day += DAY
    return None


def minutes_of(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += MINUTE


QUARTERS = st.integers(0, 96).map(lambda quarter: quarter * 15)


@st.composite
def calendars(draw: Callable[..., object]) -> Calendar:
    weekdays = draw(st.sets(st.integers(0, 6), min_size=1))
    hours = draw(st.lists(QUARTERS, min_size=2, max_size=4, unique=True).map(sorted))
    assert isinstance(weekdays, set)
    assert isinstance(hours, list)
    pairs = list(zip(hours[::2], hours[1::2], strict=False))
    zone, cut_off = draw(st.sampled_from(ZONES)), draw(st.none() | QUARTERS)
    return Calendar(
        str(zone),
        tuple(Opening(weekday, *pair) for weekday in sorted(weekdays) for pair in pairs),
        cut_offs=(CutOff("standard", cut_off),) if isinstance(cut_off, int) else (),
        handling_minutes=int(str(draw(st.integers(0, 900)))),
    )


MOMENTS = st.builds(
    lambda change, minutes: change + minutes * MINUTE,
    st.sampled_from(CHANGES),
    st.integers(-36 * 60, 36 * 60),
)


def all_sunday(cut_off: int) -> Calendar:
    return Calendar(
        "Europe/Paris", (Opening(6, 0, 1_440),), cut_offs=(CutOff("standard", cut_off),)
    )


@settings(max_examples=100, deadline=None)
@given(calendars(), MOMENTS, st.lists(st.tuples(MOMENTS, st.integers(1, 2_000)), max_size=2))
@example(Calendar("Europe/Paris", (Opening(6, 0, 240),), handling_minutes=181), CHANGES[0], [])
@example(Calendar("Europe/Paris", (Opening(6, 0, 240),), handling_minutes=299), CHANGES[1], [])
@example(all_sunday(150), CHANGES[0] + 75 * MINUTE, [])
@example(all_sunday(150), CHANGES[0] + 91 * MINUTE, [])
@example(all_sunday(150), CHANGES[1] + 30 * MINUTE, [])
@example(all_sunday(150), CHANGES[1] + 45 * MINUTE, [])
@example(Calendar("America/Havana", (Opening(6, 30, 45),)), CHANGES[2] + 5 * 60 * MINUTE, [])
def test_the_ship_day_is_what_counting_minutes_says_however_clocks_change(
    calendar: Calendar, at: datetime, outages: list[tuple[datetime, int]]
) -> None:
    gone = [Outage(str(n), start, start + m * MINUTE) for n, (start, m) in enumerate(outages)]

    found = next_ship_day(calendar, gone, "standard", at)

    assert (found and found.day) == naive_ship_day(calendar, gone, "standard", at)


@given(st.sampled_from(ZONES), MOMENTS, st.integers(0, 1_440))
def test_a_minute_of_a_day_lies_between_its_midnight_and_the_small_hours_of_the_next(
    zone: str, at: datetime, minute: int
) -> None:
    day = at.date()

    assert instant(zone, day, 0) <= instant(zone, day, minute) <= instant(zone, day + DAY, 120)
