"""When customers are reached: quiet hours by their own clock, and what a text message takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.domain.countries import COUNTRIES
from oms.domain.notices.brands import NoticePolicy
from oms.domain.notices.quiet import ZONES, morning, zone_of
from oms.domain.notices.text_messages import number_of, parts_of
from oms.domain.notices.wording import BY_COUNTRY

NIGHTS = NoticePolicy(quiet_from=21, quiet_to=8)
moments = st.integers(0, 366 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@pytest.mark.parametrize(
    ("hour", "country", "until"),
    [
        (20, "DE", datetime(2026, 1, 16, 7, tzinfo=UTC)),  # 21:00 there
        (19, "DE", None),
        (3, "DE", datetime(2026, 1, 15, 7, tzinfo=UTC)),
        (7, "DE", None),
        (3, "US", datetime(2026, 1, 15, 14, tzinfo=UTC)),
        (23, "XX", datetime(2026, 1, 16, 8, tzinfo=UTC)),
    ],
)
def test_at_night_it_waits_for_eight_in_the_morning(
    hour: int, country: str, until: datetime | None
) -> None:
    now = datetime(2026, 1, 15, hour, tzinfo=UTC)

    assert morning(NIGHTS, now, zone_of(country)) == until


@given(moments, st.sampled_from(sorted(ZONES)), st.integers(0, 23), st.integers(0, 23))
def test_a_morning_is_ahead_within_a_day_and_not_quiet_itself(
    now: datetime, country: str, start: int, end: int
) -> None:
    policy, zone = NoticePolicy(quiet_from=start, quiet_to=end), zone_of(country)
    until = morning(policy, now, zone)

    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        assert morning(policy, until, zone) is None


def test_the_same_hour_twice_is_no_quiet_at_all() -> None:
    policy = NoticePolicy(quiet_from=8, quiet_to=8)

    assert morning(policy, datetime(2026, 1, 15, 8, tzinfo=UTC), zone_of("DE")) is None


def test_a_customers_own_zone_comes_first_and_one_that_is_none_is_passed_over() -> None:
    assert zone_of("DE", "America/New_York").key == "America/New_York"
    assert zone_of("DE", "Nowhere/At_All").key == "Europe/Berlin"
    assert zone_of("DE", "../etc").key == "Europe/Berlin"


def test_every_country_that_is_named_is_one() -> None:
    assert set(ZONES) | set(BY_COUNTRY) <= set(COUNTRIES)
    assert all(zone_of(each).key == ZONES[each] for each in ZONES)


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("+49 (170) 123-4567", "+491701234567"),
        ("+15125550100", "+15125550100"),
        ("0170 1234567", ""),
        ("+0170 1234567", ""),
        ("+49170", ""),
        ("+4917012345678901234", ""),
        ("call me", ""),
        ("+٤٩١٧٠١٢٣٤٥٦٧", ""),
    ],
)
def test_only_a_number_with_its_country_is_one(said: str, number: str) -> None:
    assert number_of(said) == number


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_parts_are_counted_as_they_are_paid_for(text: str, parts: int) -> None:
    assert parts_of(text) == parts
