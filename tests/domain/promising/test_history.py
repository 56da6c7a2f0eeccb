"""What measured times are worth: never more than was measured, and more with every parcel."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.network.calendars import nth_day
from oms.domain.network.lanes import WORKDAYS, Lane, days_between
from oms.domain.promising.history import (
    FEWEST_PARCELS,
    MOST_DAYS,
    Times,
    days_within,
    histogram,
    learned,
    lower_bound,
)
from oms.domain.promising.policy import PromisePolicy

COUNTS = st.lists(st.integers(0, 400), min_size=MOST_DAYS + 1, max_size=MOST_DAYS + 1).map(tuple)
CONFIDENCES = st.integers(50, 99)
WEEKDAYS = st.sets(st.integers(0, 6), min_size=1).map(tuple)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))


@given(COUNTS, CONFIDENCES, CONFIDENCES)
def test_whoever_wants_to_be_surer_waits_at_least_as_long(
    counts: tuple[int, ...], one: int, other: int
) -> None:
    low, high = sorted((one, other))
    less, more = days_within(counts, low), days_within(counts, high)

    assert more is None or (less is not None and less <= more)


@given(COUNTS, CONFIDENCES)
def test_so_many_of_the_measured_parcels_were_there_by_then(
    counts: tuple[int, ...], confidence: int
) -> None:
    days = days_within(counts, confidence)
    if days is not None:
        share = sum(counts[: days + 1]) / sum(counts)
        assert 100 * share >= confidence
        assert 0 <= days < MOST_DAYS


@given(st.dictionaries(st.integers(0, MOST_DAYS), st.integers(0, 5)), CONFIDENCES)
def test_a_few_parcels_tell_nothing(found: dict[int, int], confidence: int) -> None:
    counts = histogram(found)
    few = sum(counts) < FEWEST_PARCELS

    assert not few or days_within(counts, confidence) is None


@given(st.lists(st.integers(1, 20), min_size=4, max_size=10), CONFIDENCES)
def test_with_many_parcels_it_comes_to_the_quantile_itself(
    shares: list[int], confidence: int
) -> None:
    counts = histogram({day: share * 100_000 for day, share in enumerate(shares)})
    within = list(accumulate(counts))

    def quantile(share: float) -> int:
        return next(day for day, hits in enumerate(within) if hits >= share * within[-1])

    found = days_within(counts, confidence)

    assert found is not None
    assert quantile(confidence / 100) <= found <= quantile(confidence / 100 + 0.005)


@given(st.integers(1, 10_000), st.data())
def test_the_bound_is_below_the_share_and_rises_with_it(parcels: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, parcels - 1))

    assert 0 <= lower_bound(hits, parcels) <= hits / parcels
    assert lower_bound(hits, parcels) <= lower_bound(hits + 1, parcels)
    assert lower_bound(10 * hits, 10 * parcels) >= lower_bound(hits, parcels) - 1e-9


def test_nothing_measured_has_no_bound() -> None:
    assert lower_bound(0, 0) == 0


@given(DAYS, st.integers(0, MOST_DAYS), WEEKDAYS)
def test_days_are_counted_as_they_are_promised(
    shipped: date, days: int, weekdays: tuple[int, ...]
) -> None:
    arrived = nth_day(shipped, days, weekdays)

    counted = days_between(shipped, arrived, weekdays, MOST_DAYS)

    assert nth_day(shipped, counted, weekdays) == arrived
    assert counted in (days, 0)


@given(DAYS, st.integers(0, 20), WEEKDAYS)
def test_a_promise_of_the_counted_days_would_have_been_kept_and_of_one_less_not(
    shipped: date, later: int, weekdays: tuple[int, ...]
) -> None:
    arrived = shipped + timedelta(later)
    days = days_between(shipped, arrived, weekdays, MOST_DAYS)

    assert nth_day(shipped, days, weekdays) >= arrived
    assert days == 0 or nth_day(shipped, days - 1, weekdays) < arrived


def test_what_comes_on_a_saturday_would_have_kept_a_promise_of_monday() -> None:
    friday, saturday = date(2026, 11, 27), date(2026, 11, 28)

    assert days_between(friday, saturday, WORKDAYS, MOST_DAYS) == 1


def test_only_lanes_of_which_enough_is_known_are_learned() -> None:
    known, unknown = Lane("ups", "standard", "near", "AUS1"), Lane("ups", "express", "far", "RNO1")
    slow = Times(histogram(Counter({2: 90, 3: 10, 5: 1})), histogram({1: 100, 2: 1}))
    few = Times(histogram({1: 29}), histogram({1: 29}))
    policy = PromisePolicy(confidence=80, earlier=True)

    (found,) = learned([(known, slow), (unknown, few)], policy)

    assert (found.lane, found.days, found.parcels, found.on_time) == (known, 2, 101, 90)
    assert (found.confidence, found.earlier, found.transit) == (80, True, 1)
