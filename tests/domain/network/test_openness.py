from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from oms.domain.events import LocationChanged
from oms.domain.locations import Location, LocationKind
from oms.domain.network.calendars import Outage
from oms.domain.network.openness import (
    KEEP_OUTAGES,
    MAX_OUTAGES,
    TooManyOutages,
    UnknownOutage,
    changes,
    with_outage,
    without_outage,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR", daily_capacity=100)
FLOOD = Outage("out_1", NOW, LATER, "flood")


def told(old: Location | None, new: Location) -> list[LocationChanged]:
    return list(changes(old, new, NOW))


def test_a_new_location_and_a_new_name_are_not_told() -> None:
    assert told(None, LYON) == []
    assert told(LYON, replace(LYON, name="Lyon 2", fixed_cost=7)) == []


def test_closing_reopening_and_another_limit_are_told() -> None:
    closed = replace(LYON, active=False)

    assert told(LYON, closed) == [LocationChanged("LYON", "closed")]
    assert told(closed, LYON) == [LocationChanged("LYON", "reopened")]
    assert told(LYON, replace(LYON, daily_capacity=10)) == [LocationChanged("LYON", "capacity")]


def test_an_outage_is_told_with_its_window_and_its_end_as_a_reopening() -> None:
    out = with_outage(LYON, FLOOD, NOW)

    assert told(LYON, out) == [LocationChanged("LYON", "outage", LATER, NOW)]
    assert told(out, without_outage(out, "out_1", NOW)) == [LocationChanged("LYON", "reopened")]


def test_an_outage_told_twice_counts_once_and_ends_once() -> None:
    out = with_outage(LYON, FLOOD, NOW)
    ended = without_outage(out, "out_1", NOW)

    assert with_outage(out, FLOOD, NOW) == out
    assert without_outage(ended, "out_1", LATER) == ended


def test_an_outage_that_is_called_off_before_it_begins_has_no_length_and_reopens() -> None:
    out = with_outage(LYON, replace(FLOOD, starts=LATER, ends=None), NOW)

    called_off = without_outage(out, "out_1", NOW)

    assert [(each.starts, each.ends) for each in called_off.outages] == [(NOW, NOW)]
    assert told(out, called_off) == [LocationChanged("LYON", "reopened")]
    assert without_outage(called_off, "out_1", LATER) == called_off


def test_an_outage_that_is_over_before_it_is_told_closes_nothing() -> None:
    past = Outage("out_0", NOW - timedelta(days=2), NOW - timedelta(days=1))

    assert told(LYON, with_outage(LYON, past, NOW)) == []


def test_old_outages_are_forgotten_when_the_next_one_comes() -> None:
    out = with_outage(LYON, FLOOD, NOW)
    much_later = LATER + KEEP_OUTAGES + timedelta(seconds=1)

    again = with_outage(out, Outage("out_2", much_later), much_later)

    assert [each.outage_id for each in again.outages] == ["out_2"]


def test_an_outage_that_is_none_cannot_end() -> None:
    with pytest.raises(UnknownOutage):
        without_outage(LYON, "out_9", NOW)


def test_a_location_has_no_more_outages_than_a_router_can_read_with_each_order() -> None:
    out = LYON
    for number in range(MAX_OUTAGES):
        out = with_outage(out, replace(FLOOD, outage_id=f"out_{number}"), NOW)

    with pytest.raises(TooManyOutages):
        with_outage(out, replace(FLOOD, outage_id="one more"), NOW)
    assert with_outage(out, replace(FLOOD, outage_id="out_7"), NOW) == out
