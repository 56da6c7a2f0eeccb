"""What one delivery says: of its lane, its location, its promise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.network.lanes import Basis, Lane
from oms.domain.promising.measuring import outcome
from oms.domain.promising.promise import Way

TUESDAY = datetime(2026, 11, 24, 22, tzinfo=UTC)  # 16:00 in Austin
BASIS = Basis(
    "ups", "standard", "near", 3, days=2, time_zone="America/Chicago", utc_hours=-8, cut_off=1020
)
WAY = Way(
    "AUS1",
    "ups",
    "2026-11-26",
    BASIS,
    assigned_at=TUESDAY - timedelta(days=1),
    shipped_at=TUESDAY,
    arrived_at=datetime(2026, 11, 27, 2, tzinfo=UTC),  # 18:00 of the 26th in Los Angeles
    ship_by=datetime(2026, 11, 24, 6, tzinfo=UTC),  # the midnight at which Monday ends
)


def test_a_parcel_is_on_time_by_the_clock_of_where_it_goes() -> None:
    found = outcome(WAY, TUESDAY + timedelta(days=9))

    assert (found.day, found.late_days) == (date(2026, 11, 26), 0)
    assert (found.transit, found.handling, found.whole) == (2, 1, 3)
    assert found.lane == Lane("ups", "standard", "near", "AUS1")


def test_what_nobody_scanned_has_come_when_we_were_told() -> None:
    found = outcome(replace(WAY, arrived_at=None), TUESDAY + timedelta(days=6))

    assert (found.day, found.late_days, found.transit) == (date(2026, 11, 30), 4, 4)


def test_who_speaks_for_others_counts_for_the_carrier_that_was_planned() -> None:
    found = outcome(replace(WAY, carrier="easypost"), TUESDAY)

    assert (found.lane.carrier, found.transit) == ("ups", 2)


def test_another_carrier_than_planned_says_nothing_of_the_lane() -> None:
    found = outcome(replace(WAY, carrier="dhl"), TUESDAY)

    assert found.lane == Lane("dhl", "standard", "", "AUS1")
    assert (found.transit, found.handling, found.late_days) == (None, 1, 0)


def test_without_a_card_only_the_promise_is_counted() -> None:
    found = outcome(replace(WAY, basis=None, promised="2026-11-28"), TUESDAY)

    assert (found.late_days, found.transit, found.handling) == (-1, None, None)
    assert found.lane == Lane("ups", "", "", "AUS1")


@given(st.integers(-3, 60))
def test_a_later_arrival_is_never_counted_as_sooner(hours: int) -> None:
    assert WAY.arrived_at
    later = replace(WAY, arrived_at=WAY.arrived_at + timedelta(hours=max(hours, 0)))
    first, second = outcome(WAY, TUESDAY), outcome(later, TUESDAY)

    assert second.late_days >= first.late_days
    assert (second.transit or 0) >= (first.transit or 0)
    assert (second.whole or 0) >= (first.whole or 0)
