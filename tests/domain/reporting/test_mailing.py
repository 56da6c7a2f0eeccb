"""Each mail once for its days, at its hour, wherever the shop is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.reporting.mailing import ReportMail, due, period_before
from oms.domain.reporting.query import Period

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Kiritimati")
START = datetime(2026, 3, 1, tzinfo=UTC)


def a_mail(every: str, hour: int = 7) -> ReportMail:
    return ReportMail("weekly", "sales", ("ops@example.com",), every, hour)


@given(st.sampled_from(("day", "week", "month")), st.integers(0, 23), st.sampled_from(ZONES))
def test_who_looks_every_hour_sends_each_period_once_and_leaves_none_out(
    every: str, hour: int, zone: str
) -> None:
    sent: dict[str, datetime] = {}
    periods: list[Period] = []
    for hours in range(24 * 70):
        now = START + timedelta(hours=hours)
        for each in due([a_mail(every, hour)], now, zone):
            if each.key not in sent:
                sent[each.key] = now.astimezone(ZoneInfo(zone))
                periods.append(each.period)

    for one, next_one in pairwise(periods):
        assert next_one.first == one.last + timedelta(days=1)
    assert len(periods) >= {"day": 69, "week": 9, "month": 2}[every]
    for period, at in list(zip(periods, sent.values(), strict=True))[1:]:
        assert at.date() == period.last + timedelta(days=1)
        assert hour <= at.hour <= hour + 1


def test_the_week_is_that_from_monday_to_sunday_and_the_month_a_whole_one() -> None:
    assert period_before(date(2026, 3, 2), "week") == Period(date(2026, 2, 23), date(2026, 3, 1))
    assert period_before(date(2026, 3, 1), "month") == Period(date(2026, 2, 1), date(2026, 2, 28))
    assert period_before(date(2026, 3, 1), "day") == Period(date(2026, 2, 28), date(2026, 2, 28))


def test_what_was_missed_for_a_day_is_not_sent() -> None:
    monday = datetime(2026, 3, 2, 7, tzinfo=UTC)

    assert list(due([a_mail("week")], monday + timedelta(hours=23), "UTC"))
    assert not list(due([a_mail("week")], monday + timedelta(hours=24), "UTC"))
    assert not list(due([a_mail("week")], monday - timedelta(minutes=1), "UTC"))
