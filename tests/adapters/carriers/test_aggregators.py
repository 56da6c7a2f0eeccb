"""Aggregators: parcels of other carriers, in words of their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import CarrierAnswered, Ignored
from oms.adapters.webhooks import Call
from oms.domain.tracking import TrackingStatus
from tests.adapters.carriers.reading import answered, heard, only, payload, said_by, status_after


def changed(carrier: str, name: str, **said: Any) -> bytes:
    event = json.loads(payload(carrier, name))
    event |= said
    return json.dumps(event).encode()


def test_shippo_tells_the_history_of_a_parcel_of_another_carrier() -> None:
    update = only(heard("shippo", payload("shippo", "track_updated.json")))

    assert (update.tracking_number, update.known_as) == ("1Z00BATON000000001", ("ups",))
    assert said_by(update) == [
        ("label_created", "information_received"),
        ("in_transit", "package_departed"),
        ("out_for_delivery", "out_for_delivery"),
    ]
    assert "Byron" not in repr(update)


def test_a_substatus_of_shippo_never_makes_a_parcel_less_delivered_or_delivered() -> None:
    event = json.loads(payload("shippo", "track_updated.json"))
    for status, substatus, ours in (
        ("DELIVERED", "information_received", "delivered"),
        ("TRANSIT", "delivered", "in_transit"),
        ("TRANSIT", "notice_left", "attempt_failed"),
        ("FAILURE", "package_lost", "lost"),
        ("RETURNED", "delivered", "return_to_sender"),
    ):
        one = {"status": status, "substatus": {"code": substatus}, "status_date": "2026-03-05"}
        event["data"] |= {"tracking_history": [one], "tracking_status": one}
        assert status_after(only(heard("shippo", json.dumps(event).encode())).scans) == ours


def test_aftership_tells_checkpoints_of_one_carrier_with_its_zones() -> None:
    update = only(heard("aftership", payload("aftership", "tracking_update.json")))

    assert update.known_as == ("dhl",)
    assert said_by(update) == [
        ("label_created", "InfoReceived_001"),
        ("in_transit", "InTransit_007"),
        ("delivered", "Delivered_003"),
    ]
    assert update.scans[0].at == datetime(2026, 3, 2, 17, 4, tzinfo=UTC)
    assert update.zoneless == 1


def test_what_aftership_calls_delivered_on_the_way_back_is_back_at_the_sender() -> None:
    update = only(heard("aftership", payload("aftership", "returned.json")))

    assert status_after(update.scans) is TrackingStatus.RETURN_TO_SENDER
    assert status_after(update.scans[::-1]) is TrackingStatus.RETURN_TO_SENDER


def test_a_tag_without_checkpoints_has_the_time_of_its_message() -> None:
    body = changed(
        "aftership",
        "tracking_update.json",
        msg={"tracking_number": "9400", "slug": "usps", "tag": "OutForDelivery"},
    )

    (scan,) = only(heard("aftership", body)).scans
    assert (scan.status, scan.at.timestamp()) == ("out_for_delivery", 1772640000)


def test_one_message_of_17track_is_about_several_parcels() -> None:
    first, second = heard("17track", payload("17track", "tracking_updated.json"))

    assert (first.tracking_number, first.known_as) == ("YT0000000000000017", ("ups",))
    assert said_by(first) == [
        ("in_transit", "InTransit_PickedUp"),
        ("unknown", ""),
        ("out_for_delivery", "OutForDelivery_Other"),
    ]
    assert (first.unknown, first.zoneless) == ((), 0)
    assert (second.known_as, status_after(second.scans)) == (("ups",), "return_to_sender")


def test_an_answer_of_17track_without_its_parcel_is_its_error() -> None:
    body = b'{"code": 0, "data": {"accepted": [], "rejected": [{"error": {"code": -18019902}}]}}'

    with pytest.raises(CarrierAnswered) as refusal:
        answered("17track", body)
    assert refusal.value.error == "-18019902"


def test_shipengine_tells_utc_whatever_ends_in_z() -> None:
    update = only(heard("shipengine", payload("shipengine", "api_track.json")))

    assert update.known_as == ("usps",)
    assert said_by(update) == [
        ("label_created", "GX"),
        ("in_transit", "10"),
        ("attempt_failed", "02"),
    ]
    assert update.scans[-1].at == datetime(2026, 3, 4, 19, 10, tzinfo=UTC)


def test_a_parcel_that_nobody_has_seen_yet_has_no_scan() -> None:
    body = changed(
        "shipengine",
        "api_track.json",
        data={"tracking_number": "1Z", "carrier_code": "ups", "status_code": "NY"},
    )

    assert only(heard("shipengine", body)).scans == ()


def test_trackingmore_tells_both_legs_without_zones() -> None:
    update = only(heard("trackingmore", payload("trackingmore", "update.json")))

    assert update.known_as == ("royal_mail", "usps")
    assert said_by(update) == [
        ("label_created", "inforeceived001"),
        ("in_transit", "transit001"),
        ("available_for_pickup", "pickup002"),
        ("delivered", "delivered002"),
    ]
    assert update.zoneless == 4


def test_easypost_says_whose_parcel_it_is() -> None:
    update = only(heard("easypost", payload("easypost", "in_transit_to_delivered.json")))

    assert (update.names, update.known_as) == (("easypost", "usps"), ("usps",))


@pytest.mark.parametrize(
    ("carrier", "body"),
    [
        ("shippo", b'{"event": "transaction_updated", "data": {}}'),
        ("aftership", b'{"event": "edd_revise", "msg": {}}'),
        ("17track", b'{"event": "TRACKING_STOPPED", "data": {"number": "1"}}'),
        ("shipengine", b'{"resource_type": "API_BATCH"}'),
        ("trackingmore", b'{"event": "TRACKING_UPDATED"}'),
        ("fedex", b'{"output": {}}'),
        ("dhl", b'{"scope": "subscription.activation", "secret": "x"}'),
        ("ups", b'{"trackingNumber": "1Z"}'),
    ],
)
def test_what_is_not_about_a_parcels_way_is_ignored(carrier: str, body: bytes) -> None:
    answer = CARRIERS[carrier].read(Call(body))

    assert isinstance(answer, Ignored)
    assert answer.why


@pytest.mark.parametrize(
    ("carrier", "path"),
    [
        ("shippo", ("data", "tracking_history", 0, "status")),
        ("aftership", ("msg", "checkpoints", 0, "tag")),
        ("17track", ("data", 0, "track_info", "tracking", "providers", 1, "events", 0, "stage")),
        ("shipengine", ("data", "events", 0, "status_code")),
        ("trackingmore", ("data", "origin_info", "trackinfo", 0, "checkpoint_delivery_status")),
    ],
)
def test_a_new_word_is_unknown_and_counted(carrier: str, path: tuple[Any, ...]) -> None:
    name = {
        "shippo": "track_updated.json",
        "aftership": "tracking_update.json",
        "17track": "tracking_updated.json",
        "shipengine": "api_track.json",
        "trackingmore": "update.json",
    }[carrier]
    event = json.loads(payload(carrier, name))
    place = event
    for step in path[:-1]:
        place = place[step]
    for finer in (
        "substatus",
        "subtag",
        "sub_status",
        "checkpoint_delivery_substatus",
        "event_code",
    ):
        place.pop(finer, None)
    place[path[-1]] = "DELIVERED_TO_THE_MOON"

    update = heard(carrier, json.dumps(event).encode())[0]

    assert "DELIVERED_TO_THE_MOON" in update.unknown
    assert ("unknown", "DELIVERED_TO_THE_MOON") in said_by(update)
