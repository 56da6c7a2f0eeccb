"""Times as carriers write them, and scans in the order of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oms.adapters.carriers.base import MalformedUpdate
from oms.adapters.carriers.said import Moment, Said, of_json, of_xml
from oms.adapters.carriers.timeline import Seen, told
from oms.contracts.api.fulfillment import Ship
from oms.contracts.invalid import InvalidRequest
from oms.domain.tracking import TrackingStatus
from tests.adapters.carriers.reading import status_after

SAID = Said("test")
HOUR = timedelta(hours=1)
MOVING, NEAR = TrackingStatus.IN_TRANSIT, TrackingStatus.OUT_FOR_DELIVERY


@pytest.mark.parametrize(
    ("text", "zone", "utc", "zoneless"),
    [
        ("2026-04-17T23:43:17.6571145", "", "2026-04-17T23:43:17.657114+00:00", True),
        ("2025-09-10T21:34:26.864221978Z", "", "2025-09-10T21:34:26.864221+00:00", False),
        ("2026-03-04T12:00:00", "-05:00", "2026-03-04T17:00:00+00:00", False),
        ("2026-03-04T12:00:00", "-0530", "2026-03-04T17:30:00+00:00", False),
        ("2026-03-04T12:00:00", "+1", "2026-03-04T11:00:00+00:00", False),
        ("2026-03-04T12:00:00", "EST", "2026-03-04T17:00:00+00:00", False),
        ("2026-07-04T12:00:00", "PDT", "2026-07-04T19:00:00+00:00", False),
        ("2026-03-04T12:00:00", "somewhere", "2026-03-04T12:00:00+00:00", True),
        ("2026-03-04T12:00:00+02:00", "EST", "2026-03-04T10:00:00+00:00", False),
        ("2026-03-04 12:00", "", "2026-03-04T12:00:00+00:00", True),
        ("20260304T181553", "", "2026-03-04T18:15:53+00:00", True),
        ("2026-03-04", "", "2026-03-04T00:00:00+00:00", True),
    ],
)
def test_a_time_is_read_as_carriers_write_it(
    text: str, zone: str, utc: str, zoneless: bool
) -> None:
    moment = SAID.read(text, zone)

    assert moment.at.astimezone(UTC).isoformat() == utc
    assert moment.zoneless is zoneless


@pytest.mark.parametrize(
    "text", ["yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31", "1999-12-31", "2026-13-01", ""]
)
def test_what_is_no_time_of_this_century_is_refused(text: str) -> None:
    with pytest.raises(MalformedUpdate):
        SAID.read(text)


def test_a_day_and_its_time_are_in_two_members() -> None:
    said = Said("ups", {"d": "20251118", "t": "71356", "e": ""})

    assert said.joined("d", "t", zone="GMT") == Moment(
        datetime(2025, 11, 18, 7, 13, 56, tzinfo=UTC)
    )
    assert said.joined("d", "e") == Moment(datetime(2025, 11, 18, tzinfo=UTC), zoneless=True)
    assert said.joined("e", "t") is None
    with pytest.raises(MalformedUpdate):
        Said("ups", {"d": "18/11/25"}).joined("d")


def seen(status: TrackingStatus, text: str) -> Seen:
    return Seen(status, SAID.read(text), f"{status} {text}")


def test_a_day_without_a_time_comes_after_what_the_message_has_before_it_on_that_day() -> None:
    listed = [
        seen(NEAR, "2026-03-04"),
        seen(MOVING, "2026-03-04T06:30:00"),
        seen(MOVING, "2026-03-03T22:00:00"),
    ]

    for order in (listed, listed[::-1]):
        update = told("usps", "1", order)
        assert [scan.code for scan in update.scans] == [each.code for each in listed[::-1]]
        assert status_after(update.scans) is NEAR
        assert update.scans[-1].at == datetime(2026, 3, 4, 6, 30, tzinfo=UTC)


def test_a_day_without_a_time_does_not_come_after_what_the_message_has_after_it() -> None:
    listed = [
        seen(NEAR, "2026-03-04T08:00:00"),
        seen(MOVING, "2026-03-04"),
        seen(MOVING, "2026-03-03T22:00:00"),
    ]

    update = told("usps", "1", listed)

    assert [scan.code for scan in update.scans] == [each.code for each in listed[::-1]]
    assert status_after(update.scans) is NEAR


def test_a_day_without_a_time_has_one_fingerprint_in_whatever_company() -> None:
    alone = told("usps", "1", [seen(NEAR, "2026-03-04")])
    listed = told("usps", "1", [seen(NEAR, "2026-03-04"), seen(MOVING, "2026-03-04T06:30:00")])

    assert alone.scans[0].fingerprint in {scan.fingerprint for scan in listed.scans}


def test_what_is_said_twice_is_one_scan() -> None:
    twice = [seen(MOVING, "2026-03-04T06:30:00+01:00"), seen(MOVING, "2026-03-04T06:30:00+01:00")]

    assert len(told("usps", "1", twice).scans) == 1


MOMENTS = st.integers(0, 48).map(lambda hour: datetime(2026, 3, 1, tzinfo=UTC) + hour * HOUR)
ZONES = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))
SEEN = st.builds(
    lambda status, at, zone: Seen(status, Moment(at.replace(tzinfo=zone)), status.value),
    st.sampled_from(TrackingStatus),
    MOMENTS,
    ZONES,
)


@settings(deadline=None)
@given(st.lists(SEEN, max_size=5))
def test_all_orders_in_which_scans_arrive_say_the_same(listed: list[Seen]) -> None:
    scans = told("usps", "1", listed).scans

    assert len({status_after(tuple(order)) for order in permutations(scans)}) == 1


@given(st.lists(SEEN, max_size=8))
def test_scans_are_in_the_order_of_time_and_each_is_there_once(listed: list[Seen]) -> None:
    scans = told("usps", "1", listed).scans

    assert [scan.at for scan in scans] == sorted(scan.at for scan in scans)
    assert len({scan.fingerprint for scan in scans}) == len(scans)
    assert all(scan.at.tzinfo is UTC for scan in scans)


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b"<x>&undefined;</x>",
        b"<x>" * 5_000,
        b"<x>" * 500 + b"</x>" * 500,
        b"<?xml version='1.0' encoding='no-such'?><x/>",
        b"not xml",
        b"",
    ],
)
def test_xml_that_would_expand_or_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedUpdate):
        of_xml("usps", body)


def test_xml_is_read_by_local_names_with_blanks_around_it() -> None:
    said = of_xml(
        "usps", b'\xef\xbb\xbf \n<a:R xmlns:a="urn:x" n="1"><a:s>x\n  y</a:s><s>z</s></a:R>'
    )

    assert (said.word("n"), said.members["s"]) == ("1", ["x y", "z"])


@pytest.mark.parametrize("body", [b"", b"[]", b"[1]", b"7", b"\xff", b"[" * 100_000, b"[{}, []]"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedUpdate):
        of_json("usps", body)


def test_a_number_that_is_typed_as_it_is_printed_is_the_one_that_is_told() -> None:
    lines = [{"line_id": "line_1", "quantity": 1}]
    typed = {"carrier": "usps", "tracking_number": "9400 1118 9922\u00a03814", "lines": lines}
    (parcel,) = Ship.read({"parcels": [typed]}).parcels

    for number in ("9400111899223814", " 9400 1118 99223814"):
        assert told("usps", number, ()).tracking_number == parcel.tracking_number


def test_one_number_typed_in_two_ways_is_given_twice() -> None:
    lines = [{"line_id": "line_1", "quantity": 1}]
    typed = ({"carrier": "usps", "tracking_number": x, "lines": lines} for x in ("94 00", "9400"))

    with pytest.raises(InvalidRequest):
        Ship.read({"parcels": list(typed)})
