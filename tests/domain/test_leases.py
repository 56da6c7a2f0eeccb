"""How much is leased, and when."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from oms.domain.leases import CONFLICTS, MOST, SHARE, Heat, granted, handed_over, next_size

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
units = st.integers(1, 100_000)


@given(units, units, st.integers(0, 100_000))
def test_no_more_is_leased_than_is_free_and_what_is_needed_or_nothing(
    size: int, needed: int, free: int
) -> None:
    found = granted(size, needed, free)

    assert 0 <= found <= free
    assert found == 0 or found >= needed
    assert found <= max(needed, free // SHARE)


@given(units, units)
def test_a_giver_keeps_half_unless_more_is_needed(had: int, needed: int) -> None:
    given_away = handed_over(had, needed)

    assert 0 < given_away <= had
    assert given_away <= max(needed, had // 2)


@given(units, st.floats(0, 100))
def test_a_lease_never_grows_beyond_its_bound(size: int, seconds: float) -> None:
    assert next_size(min(size, MOST), timedelta(seconds=seconds)) <= MOST


@given(st.lists(st.floats(0, 20), min_size=1, max_size=20))
def test_a_level_is_hot_while_so_many_conflicts_are_young(gaps: list[float]) -> None:
    now, heat, met = AT, Heat(), []
    for gap in gaps:
        now += timedelta(seconds=gap)
        heat = heat.met(now)
        met.append(now)

    young = [at for at in met if now - at < timedelta(seconds=5)]
    assert heat.is_hot(now) is (len(young) >= CONFLICTS)
    assert not heat.is_hot(now + timedelta(seconds=5))
