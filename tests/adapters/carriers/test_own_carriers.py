"""Carriers that speak for themselves: their pushes, and their answers when they are asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import CarrierAnswered, MalformedUpdate
from oms.adapters.carriers.fedex import status_of as fedex_status
from oms.adapters.carriers.said import of_xml
from oms.adapters.carriers.ups import status_of as ups_status
from oms.adapters.webhooks import Call, relay_signature
from oms.domain.tracking import TrackingStatus
from tests.adapters.carriers.reading import answered, heard, only, payload, said_by, status_after


def test_a_track_alert_of_ups_has_the_time_of_greenwich() -> None:
    update = only(heard("ups", payload("ups", "track_alert_delivered.json")))

    assert said_by(update) == [("delivered", "FS")]
    assert update.scans[0].at == datetime(2026, 3, 4, 17, 45, 2, tzinfo=UTC)
    assert update.zoneless == 0


def test_a_track_alert_without_the_time_of_greenwich_is_taken_for_it_and_counted() -> None:
    event = json.loads(payload("ups", "track_alert_delivered.json"))
    event |= {"gmtActivityDate": "", "gmtActivityTime": ""}

    update = only(heard("ups", json.dumps(event).encode()))

    assert update.scans[0].at == datetime(2026, 3, 4, 11, 45, 2, tzinfo=UTC)
    assert update.zoneless == 1


def test_the_answer_of_ups_is_about_each_package() -> None:
    first, second = answered("ups", payload("ups", "answer.json"))

    assert said_by(first) == [
        ("label_created", "MP"),
        ("in_transit", "DP"),
        ("out_for_delivery", "OT"),
        ("attempt_failed", "48"),
    ]
    assert first.scans[-1].at == datetime(2026, 3, 4, 15, 15, tzinfo=UTC)
    assert first.zoneless == 1
    assert said_by(second) == [("available_for_pickup", "2Q")]


@pytest.mark.parametrize(
    ("kind", "code", "described", "ours"),
    [
        ("D", "FS", "011", "delivered"),
        ("D", "FS", "11", "delivered"),
        ("D", "B0", "011", "return_to_sender"),
        ("D", "2Q", "161", "available_for_pickup"),
        ("D", "2W", "011", "delivered"),
        ("I", "OT", "", "out_for_delivery"),
        ("I", "XX", "11", "in_transit"),
        ("X", "48", "013", "attempt_failed"),
        ("X", "64", "011", "exception"),
        ("X", "SR", "003", "exception"),
        ("M", "MP", "003", "label_created"),
        ("M", "VP", "7", "exception"),
        ("MV", "VP", "7", "exception"),
        ("U", "UP", "154", "unknown"),
        ("DO", "", "", "in_transit"),
        ("DD", "", "11", "in_transit"),
        ("", "", "011", "delivered"),
        ("?", "", "021", "out_for_delivery"),
    ],
)
def test_only_the_type_d_of_ups_is_delivered(
    kind: str, code: str, described: str, ours: str
) -> None:
    assert ups_status(kind, code, described) == ours


def test_what_ups_has_never_said_is_unknown() -> None:
    assert ups_status("Q", "DL", "999") is None


@pytest.mark.parametrize(
    ("code", "derived", "ours"),
    [
        ("DL", "DL", "delivered"),
        ("CA", "", "exception"),  # a movement: cancelled; as possession it is the carrier
        ("EA", "", "in_transit"),
        ("RC", "", "in_transit"),  # never the recipient, who has it as possession
        ("SP", "", "unknown"),
        ("CD", "", "exception"),
        ("CC", "", "in_transit"),
        ("Ow", "", "in_transit"),
        ("ZZ", "IT", "in_transit"),
        ("ZZ", "DL", None),
        ("ZZ", "", None),
    ],
)
def test_a_scan_of_fedex_is_a_movement_first(code: str, derived: str, ours: str | None) -> None:
    assert fedex_status(code, derived) == ours


def test_a_push_of_fedex_mixes_offsets() -> None:
    update = only(heard("fedex", payload("fedex", "push.json")))

    assert said_by(update) == [
        ("label_created", "OC"),
        ("in_transit", "PU"),
        ("exception", "CD"),
        ("out_for_delivery", "OD"),
        ("delivered", "DL"),
    ]
    assert answered("fedex", payload("fedex", "push.json")) == (update,)


def test_a_number_that_fedex_used_again_is_two_updates() -> None:
    new, old = heard("fedex", payload("fedex", "used_again.json"))

    assert new.tracking_number == old.tracking_number
    assert (status_after(new.scans), status_after(old.scans)) == ("in_transit", "delivered")


def test_a_reply_of_the_older_service_of_fedex_leaves_out_what_it_did_not_find() -> None:
    update = only(answered("fedex", payload("fedex", "reply.xml")))

    assert said_by(update) == [("in_transit", "PU"), ("return_to_sender", "RS")]
    assert update.zoneless == 1


def test_unified_events_of_dhl() -> None:
    update = only(heard("dhl", payload("dhl", "unified.json")))

    assert [status for status, _ in said_by(update)] == ["label_created", "in_transit", "delivered"]
    assert update.zoneless == 1
    assert "Byron" not in repr(update)


def test_ecommerce_events_of_dhl_in_american_zones() -> None:
    update = only(heard("dhl", payload("dhl", "ecommerce.json")))

    assert said_by(update) == [
        ("unknown", "999999"),
        ("out_for_delivery", "598"),
        ("delivered", "600"),
    ]
    assert update.scans[-1].at == datetime(2026, 3, 4, 17, 30, tzinfo=UTC)
    assert (update.unknown, update.zoneless) == (("999999",), 0)


def test_a_parcel_of_dhl_in_germany_is_told_in_german_time_and_goes_back() -> None:
    update = only(answered("dhl", payload("dhl", "parcel_de.xml")))

    assert said_by(update) == [("in_transit", "LDTMV"), ("return_to_sender", "DLVRD")]
    assert [scan.at.hour for scan in update.scans] == [8, 9]  # winter, summer
    assert update.zoneless == 0


def test_an_answer_of_usps_has_its_offset_beside_its_time() -> None:
    update = only(answered("usps", payload("usps", "answer.json")))

    assert said_by(update) == [
        ("label_created", "GX"),
        ("unknown", "Q?"),
        ("out_for_delivery", "OF"),
        ("delivered", "01"),
    ]
    assert update.scans[0].at == datetime(2026, 3, 2, 16, 32, tzinfo=UTC)
    assert (update.unknown, update.zoneless) == (("Q?",), 0)


def test_the_older_answer_of_usps_begins_with_a_blank_line_and_may_have_no_time_of_day() -> None:
    update = only(answered("usps", payload("usps", "answer.xml")))

    assert said_by(update) == [
        ("in_transit", "SF"),
        ("in_transit", "07"),
        ("available_for_pickup", "16"),
    ]
    assert update.zoneless == 3


def test_the_number_that_was_asked_for_is_that_of_an_answer_without_one() -> None:
    said = json.loads(payload("usps", "answer.json"))
    del said["trackingNumber"]
    body = json.dumps(said).encode()

    assert only(answered("usps", body, "94001")).tracking_number == "94001"
    with pytest.raises(MalformedUpdate):
        answered("usps", body)


def test_royal_mail_names_the_bar_code_and_says_of_the_last_event_what_it_means() -> None:
    update = only(answered("royal_mail", payload("royal_mail", "events.json")))

    assert update.tracking_number == "RM000000017GB"
    assert said_by(update) == [
        ("unknown", "EVXYZ"),
        ("in_transit", "EVNMI"),
        ("delivered", "EVKSP"),
    ]
    assert update.scans[-1].at == datetime(2026, 3, 29, 9, 5, tzinfo=UTC)


def test_canada_post_is_read_by_its_codes_and_zones() -> None:
    update = only(answered("canada_post", payload("canada_post", "details.xml")))

    assert said_by(update) == [
        ("unknown", "9999"),
        ("out_for_delivery", "0174"),
        ("delivered", "1496"),
    ]
    assert [scan.at.hour for scan in update.scans] == [16, 13, 16]
    assert "BYRON" not in repr(update)


def test_an_article_of_australia_post_has_the_status_that_its_events_do_not_say() -> None:
    first, second = answered("australia_post", payload("australia_post", "answer.json"))

    assert [status for status, _ in said_by(first)] == ["unknown", "out_for_delivery", "delivered"]
    assert status_after(second.scans) is TrackingStatus.AVAILABLE_FOR_PICKUP


ERRORS: list[tuple[str, bytes, str]] = [
    ("ups", b'{"response": {"errors": [{"code": "250003"}]}}', "250003"),
    ("ups", b'{"trackResponse": {"shipment": [{"warnings": [{"code": "TW0001"}]}]}}', "TW0001"),
    ("fedex", b'{"errors": [{"code": "NOT.AUTHORIZED.ERROR"}]}', "NOT.AUTHORIZED.ERROR"),
    (
        "fedex",
        b"<TrackReply><Notifications><Severity>ERROR</Severity><Code>5508</Code>"
        b"</Notifications></TrackReply>",
        "5508",
    ),
    ("dhl", b'{"title": "No result", "status": 404}', "404"),
    ("dhl", b'<data name="piece-shipment-list" code="100"/>', "100"),
    ("usps", b'{"error": {"code": "400"}}', "400"),
    ("usps", b"<Error><Number>-21</Number></Error>", "-21"),
    (
        "royal_mail",
        b'{"mailPieces": [{"mailPieceId": "1", "error": {"errorCode": "E1142"}}]}',
        "E1142",
    ),
    ("royal_mail", b'{"httpCode": "404", "errors": [{"errorCode": "E1142"}]}', "E1142"),
    ("canada_post", b"<messages><message><code>004</code></message></messages>", "004"),
    (
        "australia_post",
        b'{"tracking_results": [{"tracking_id": "1", "errors": [{"code": "ESB-10001"}]}]}',
        "ESB-10001",
    ),
]


@pytest.mark.parametrize(("carrier", "body", "error"), ERRORS)
def test_an_error_of_the_carrier_is_a_refusal_with_its_code(
    carrier: str, body: bytes, error: str
) -> None:
    with pytest.raises(CarrierAnswered) as refusal:
        answered(carrier, body)

    assert refusal.value.error == error


@pytest.mark.parametrize("carrier", ["usps", "royal_mail", "canada_post", "australia_post", "dhl"])
def test_what_carriers_do_not_sign_is_believed_from_whoever_hands_it_over(carrier: str) -> None:
    body, headers = b"{}", {"baton-signature": relay_signature(b"{}", "s")}

    assert CARRIERS[carrier].verify(Call(body, headers), "s")
    assert not CARRIERS[carrier].verify(Call(body), "s")
    assert not CARRIERS[carrier].verify(Call(body, headers), "")


@pytest.mark.parametrize(
    ("carrier", "name"),
    [
        ("usps", "answer.json"),
        ("royal_mail", "events.json"),
        ("canada_post", "details.xml"),
        ("australia_post", "answer.json"),
    ],
)
def test_an_answer_that_is_handed_over_is_what_it_is_when_asked_for(
    carrier: str, name: str
) -> None:
    assert heard(carrier, payload(carrier, name)) == answered(carrier, payload(carrier, name))


def test_a_parcel_at_its_pickup_point_is_collected_later() -> None:
    alert: dict[str, Any] = json.loads(payload("ups", "track_alert_delivered.json"))
    there, collected = dict(alert), dict(alert)
    there["activityStatus"] = {"type": "D", "code": "2Q", "descriptionCode": "161"}
    collected["activityStatus"] = {"type": "D", "code": "2W", "descriptionCode": "011"}
    collected["gmtActivityTime"] = "190000"
    first, second = (only(heard("ups", json.dumps(x).encode())).scans for x in (there, collected))

    assert status_after(first) is TrackingStatus.AVAILABLE_FOR_PICKUP
    assert status_after((*first, *second)) is TrackingStatus.DELIVERED


def test_a_document_type_is_found_in_any_encoding() -> None:
    text = '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY e "x">]><a><b>&e;</b></a>'
    for body in (text.encode("utf-16"), text.replace("utf-16", "utf-8").encode()):
        with pytest.raises(MalformedUpdate):
            of_xml("usps", body)


def test_a_great_many_elements_of_one_name_are_read_in_one_pass() -> None:
    """As quickly as they are parsed: where each were put behind a copy of the others, it would
    take minutes."""
    many = of_xml("usps", b"<a b='0'>" + b"<b/>" * 200_000 + b"<c/></a>").members

    assert (many["b"], many["c"]) == (["0", *[""] * 200_000], "")
