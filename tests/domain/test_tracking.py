"""Scans come late, twice and out of order; a parcel's status is what they add up to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from oms.domain.tracking import Scan, TrackingStatus, furthest, scan, since

T0 = datetime(2026, 3, 1, 8, tzinfo=UTC)
D = TrackingStatus.DELIVERED


def at(hour: int, status: TrackingStatus) -> Scan:
    return scan("easypost", "EZ1", status, T0 + timedelta(hours=hour), status)


def after(*scans: Scan) -> TrackingStatus:
    status: TrackingStatus = TrackingStatus.LABEL_CREATED
    scanned_at: datetime | None = None
    for each in scans:
        status, scanned_at = furthest(status, scanned_at, each)
    return status


SCANS = st.lists(
    st.builds(at, st.integers(0, 5), st.sampled_from(TrackingStatus)), min_size=1, max_size=5
)


def test_a_late_scan_does_not_move_a_parcel_back() -> None:
    assert (
        after(at(3, TrackingStatus.OUT_FOR_DELIVERY), at(1, TrackingStatus.IN_TRANSIT))
        == "out_for_delivery"
    )


def test_a_parcel_may_go_back_on_the_road_after_an_attempt() -> None:
    assert (
        after(at(1, TrackingStatus.ATTEMPT_FAILED), at(2, TrackingStatus.IN_TRANSIT))
        == "in_transit"
    )


def test_delivered_stays_delivered_even_when_stamped_before_other_legs() -> None:
    assert after(at(1, TrackingStatus.DELIVERED), at(2, TrackingStatus.IN_TRANSIT)) == "delivered"
    assert after(at(2, TrackingStatus.IN_TRANSIT), at(1, TrackingStatus.DELIVERED)) == "delivered"
    assert (
        after(at(1, TrackingStatus.DELIVERED), at(2, TrackingStatus.RETURN_TO_SENDER))
        == "delivered"
    )


def test_the_delivery_after_a_return_is_the_one_to_the_sender() -> None:
    assert (
        after(at(1, TrackingStatus.RETURN_TO_SENDER), at(2, TrackingStatus.DELIVERED))
        == "return_to_sender"
    )
    assert (
        after(at(2, TrackingStatus.RETURN_TO_SENDER), at(1, TrackingStatus.DELIVERED))
        == "delivered"
    )


def test_a_parcel_on_its_way_back_is_not_found_on_its_way_out() -> None:
    assert (
        after(at(1, TrackingStatus.RETURN_TO_SENDER), at(2, TrackingStatus.IN_TRANSIT))
        == "return_to_sender"
    )


@given(SCANS)
def test_what_is_unknown_changes_nothing(scans: list[Scan]) -> None:
    known = [each for each in scans if each.status is not TrackingStatus.UNKNOWN]

    assert after(*scans) == after(*known)


@given(SCANS)
def test_scans_say_the_same_when_they_are_sent_twice(scans: list[Scan]) -> None:
    assert after(*scans, *scans) == after(*scans)


ON_THE_WAY = [
    status
    for status in TrackingStatus
    if status not in (TrackingStatus.DELIVERED, TrackingStatus.RETURN_TO_SENDER)
]


@given(
    st.lists(st.builds(at, st.integers(0, 3), st.sampled_from(ON_THE_WAY)), min_size=1, max_size=4),
    st.none() | st.builds(at, st.integers(0, 3), st.just(TrackingStatus.DELIVERED)),
)
def test_the_order_in_which_scans_arrive_does_not_matter(
    scans: list[Scan], delivery: Scan | None
) -> None:
    said = [*scans, delivery] if delivery else scans

    assert len({after(*order) for order in permutations(said)}) == 1


def test_a_scan_has_one_fingerprint_in_every_time_zone() -> None:
    utc = scan("easypost", "EZ1", TrackingStatus.DELIVERED, T0, "DL")
    local = scan(
        "easypost",
        "EZ1",
        TrackingStatus.DELIVERED,
        T0.astimezone(timezone(timedelta(hours=-6))),
        "DL",
    )

    assert utc == local


def test_scans_that_differ_in_anything_have_different_fingerprints() -> None:
    prints = {
        scan(carrier, number, status, T0 + timedelta(seconds=s), code).fingerprint
        for carrier in ("easypost", "manual")
        for number in ("EZ1", "EZ2")
        for status in (TrackingStatus.DELIVERED, TrackingStatus.EXCEPTION)
        for s in (0, 1)
        for code in ("DL", "")
    }

    assert len(prints) == 32


EVERY = st.lists(
    st.builds(at, st.integers(0, 3), st.sampled_from(TrackingStatus)), min_size=1, max_size=5
)


def where_and_when(scans: tuple[Scan, ...]) -> tuple[TrackingStatus, datetime | None]:
    status: TrackingStatus = TrackingStatus.LABEL_CREATED
    scanned_at: datetime | None = None
    for each in scans:
        status, scanned_at = furthest(status, scanned_at, each)
    return status, scanned_at


@settings(deadline=None)
@given(EVERY)
def test_no_order_of_any_scans_says_another_status_or_time(scans: list[Scan]) -> None:
    assert len({where_and_when(order) for order in permutations(scans)}) == 1


def test_a_return_that_is_told_late_was_before_the_delivery_to_the_sender() -> None:
    assert (
        after(at(3, TrackingStatus.DELIVERED), at(2, TrackingStatus.RETURN_TO_SENDER))
        == "return_to_sender"
    )


def test_what_is_delivered_in_the_moment_it_is_sent_back_is_back_at_the_sender() -> None:
    both = (at(2, TrackingStatus.DELIVERED), at(2, TrackingStatus.RETURN_TO_SENDER))

    assert after(*both) == after(*both[::-1]) == "return_to_sender"


def test_scans_of_a_parcel_begin_with_its_order() -> None:
    long_ago, yesterday, later = at(-25, D), at(-24, D), at(1, D)

    assert since(T0, (long_ago, yesterday, later)) == (yesterday, later)
