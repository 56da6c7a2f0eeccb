"""The day that a measured lane is quoted for, whatever was measured and whatever the table says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from oms.contracts import codec
from oms.domain.locations import Location, LocationKind
from oms.domain.network.lanes import Basis, Lane, Measured
from oms.domain.network.quoting import Quote, quote
from oms.domain.network.rates import Card, Charge, Load, Tables, Transit, Zone
from oms.domain.promising.history import MOST_DAYS, Times, histogram, learned
from oms.domain.promising.policy import PromisePolicy
from oms.domain.routing import Destination

MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
NEWARK = Location("NEWARK", "Newark", LocationKind.WAREHOUSE, "US")
LANE = Lane("ups", "standard", "near", "NEWARK")
CARD = Card(
    "ups",
    7,
    zones=(Zone("near", "US"),),
    charges=(Charge("standard", "near", "USD", 300),),
    transits=(Transit("standard", "near", 1, 4),),
)
COUNTS = st.dictionaries(st.integers(0, MOST_DAYS), st.integers(0, 200)).map(histogram)


def quoted(*measured: Measured, card: Card = CARD) -> Quote:
    there = Destination("US", "NY", "100")
    tables = Tables([card], measured)
    found = quote(NEWARK, there, "standard", [Load(1)], tables, MONDAY)
    assert isinstance(found, Quote)
    return found


def days(found: Quote) -> tuple[date, date, date]:
    assert found.deliver_from
    assert found.deliver_by
    return found.ship_on, found.deliver_from, found.deliver_by


@given(COUNTS, st.integers(50, 99), st.booleans())
def test_no_promise_is_before_the_first_possible_day(
    counts: tuple[int, ...], confidence: int, earlier: bool
) -> None:
    policy = PromisePolicy(confidence, earlier)
    found = quoted(*learned([(LANE, Times(counts, counts))], policy))
    ship, first, last = days(found)

    assert ship <= first <= last
    assert earlier or last >= days(quoted())[2]


@given(COUNTS, st.integers(50, 99), st.integers(50, 99), st.booleans())
def test_who_must_be_surer_promises_no_sooner(
    counts: tuple[int, ...], one: int, other: int, earlier: bool
) -> None:
    """Where too little is known to be so sure, the table is what is promised by, and says so."""
    times = [(LANE, Times(counts, counts))]
    less, more = (
        quoted(*learned(times, PromisePolicy(confidence, earlier)))
        for confidence in sorted((one, other))
    )
    assert more.basis
    assert more.basis.parcels == 0 or days(less) <= days(more)


def test_what_was_measured_is_what_the_day_is_made_of() -> None:
    found = quoted(Measured(LANE, 6, 100, 95, 90, transit=5))

    assert days(found)[2] == date(2026, 12, 1)
    assert found.basis == Basis(
        "ups",
        "standard",
        "near",
        7,
        days=6,
        parcels=100,
        on_time=95,
        confidence=90,
        utc_hours=-5,
        transit=5,
    )
    assert found.basis.arrival(found.ship_on) == date(2026, 11, 30)


def test_another_location_zone_method_or_carrier_tells_nothing() -> None:
    for name in ("carrier", "method", "zone", "location_id"):
        other = replace(LANE, **{name: "other"})
        assert quoted(Measured(other, 9, 100, 95, 90)) == quoted()


def test_a_carrier_that_tells_no_times_is_promised_by_what_was_measured() -> None:
    silent = replace(CARD, transits=())

    assert quoted(card=silent).deliver_by is None
    assert days(quoted(Measured(LANE, 2, 100, 95, 90), card=silent))[2] == date(2026, 11, 25)


@given(st.integers(0, 30), st.integers(0, 30) | st.none(), st.booleans())
def test_what_was_learned_is_kept_as_it_is(days: int, transit: int | None, earlier: bool) -> None:
    known = (Measured(LANE, days, 40, 40, 90, earlier, transit),)

    assert codec.decode(codec.encode(known), tuple[Measured, ...]) == known
