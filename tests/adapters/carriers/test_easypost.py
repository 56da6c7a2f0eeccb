"""Their trackers and their signature, in our words."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.carriers import CARRIERS
from oms.adapters.carriers.base import Ignored, MalformedUpdate
from oms.adapters.carriers.codes import table
from oms.adapters.carriers.easypost import signature
from oms.adapters.webhooks import Call
from oms.domain.tracking import Scan, TrackingStatus, TrackingUpdate, furthest

EASYPOST = CARRIERS["easypost"]


def heard(body: bytes) -> TrackingUpdate | Ignored:
    said = EASYPOST.read(Call(body))
    if isinstance(said, Ignored):
        return said
    (update,) = said
    return update


def verified(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    return EASYPOST.verify(Call(body, headers), secret)


PAYLOADS = Path(__file__).parents[2] / "contracts" / "carriers" / "easypost"
REAL = Path(__file__).parents[4] / "shared" / "data"
SECRET = "sécret"


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def read(body: bytes) -> TrackingUpdate:
    update = heard(body)
    assert isinstance(update, TrackingUpdate)
    return update


def changed(name: str, **tracker: Any) -> bytes:
    event = json.loads(payload(name))
    event["result"] |= tracker
    return json.dumps(event).encode()


def status_after(scans: tuple[Scan, ...]) -> TrackingStatus:
    status: TrackingStatus = TrackingStatus.LABEL_CREATED
    at: datetime | None = None
    for scan in scans:
        status, at = furthest(status, at, scan)
    return status


def test_every_detail_is_a_scan_in_the_order_of_the_carriers_time() -> None:
    update = read(payload("in_transit_to_delivered"))

    assert (update.carrier, update.tracking_number) == ("easypost", "EZ1000000001")
    assert [(scan.status, scan.code) for scan in update.scans] == [
        (TrackingStatus.LABEL_CREATED, "MA"),
        (TrackingStatus.IN_TRANSIT, "03"),
        (TrackingStatus.OUT_FOR_DELIVERY, "OF"),
        (TrackingStatus.DELIVERED, "01"),
    ]
    assert update.scans[1].at == datetime(2026, 3, 2, 15, 27, tzinfo=UTC)
    assert all(scan.at.tzinfo is UTC for scan in update.scans)


def test_no_free_text_is_kept() -> None:
    assert "Byron" not in repr(read(payload("in_transit_to_delivered")))


def test_a_tracker_without_details_speaks_for_itself() -> None:
    (scan,) = read(payload("no_details_yet")).scans

    assert (scan.status, scan.code) == (TrackingStatus.LABEL_CREATED, "pre_transit")
    assert scan.at == datetime(2026, 3, 1, 9, 59, tzinfo=UTC)


def test_a_trackers_own_status_is_a_scan_when_no_detail_says_it() -> None:
    update = read(
        changed(
            "no_details_yet",
            status="delivered",
            tracking_details=[
                {"status": "in_transit", "datetime": "2026-03-01T09:00:00Z"},
            ],
        )
    )

    assert status_after(update.scans) is TrackingStatus.DELIVERED


def test_a_detail_without_a_time_does_not_hide_a_delivery() -> None:
    untimed = [{"status": "delivered", "datetime": None}]
    update = read(changed("no_details_yet", status="delivered", tracking_details=untimed))

    assert [scan.code for scan in update.scans] == ["delivered"]


def test_the_same_tracker_sent_again_later_has_the_same_fingerprints() -> None:
    for name in ("in_transit_to_delivered", "back_to_sender", "new_words"):
        first, again = payload(name), changed(name, updated_at="2026-04-01T00:00:00Z")
        assert read(first).scans == read(again).scans


def test_what_is_delivered_to_the_sender_is_not_delivered() -> None:
    for body in (payload("back_to_sender"), changed("in_transit_to_delivered", is_return=True)):
        scans = read(body).scans
        assert TrackingStatus.DELIVERED not in {scan.status for scan in scans}
        assert status_after(scans) is TrackingStatus.RETURN_TO_SENDER


def test_words_we_do_not_know_are_unknown_and_never_delivered() -> None:
    scans = read(payload("new_words")).scans

    assert {scan.status for scan in scans} == {TrackingStatus.UNKNOWN}
    assert status_after(scans) is TrackingStatus.LABEL_CREATED


@given(st.text())
def test_only_their_word_for_delivered_is_delivered(word: str) -> None:
    scans = read(changed("no_details_yet", status=word)).scans

    assert (TrackingStatus.DELIVERED in {s.status for s in scans}) == (word == "delivered")


@pytest.mark.parametrize("topic", ["batch.updated", "scan_form.created", "tracker.deleted"])
def test_other_events_are_ignored_and_it_is_said_why(topic: str) -> None:
    answer = heard(json.dumps({"description": topic, "result": {}}).encode())

    assert isinstance(answer, Ignored)
    assert topic in answer.why


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"description":"tracker.updated"}',
        b'{"description":"tracker.updated","result":[]}',
        changed("no_details_yet", tracking_code=None),
        changed("no_details_yet", tracking_code="  "),
        changed("no_details_yet", tracking_details=["delivered"]),
        changed("no_details_yet", tracking_details=[{}] * 1_001),
        changed("no_details_yet", tracking_details=[{"status": "x", "datetime": "yesterday"}]),
        changed("no_details_yet", tracking_details=[{"status": "x", "datetime": 1700000000}]),
    ],
)
def test_what_is_malformed_is_a_typed_refusal(body: bytes) -> None:
    with pytest.raises(MalformedUpdate):
        heard(body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=10)
    | st.sampled_from(["delivered", "0001-01-01T00:00:00+14:00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "datetime", "carrier_code"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["tracking_code", "status", "tracking_details", "updated_at", "is_return"]),
        JSON,
    )
)
def test_no_tracker_is_a_surprise(tracker: dict[str, Any]) -> None:
    try:
        read(changed("in_transit_to_delivered", **tracker))
    except MalformedUpdate:
        return


def sent(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-hmac-signature": signature(body, secret)}


def test_a_known_answer_of_the_signature() -> None:
    wanted = "hmac-sha256-hex=10ce3f6d4d4bfa1c3361ac801a75667ec4e2aa4014b0e925eb133308ff37fe4f"

    assert verified({"x-hmac-signature": wanted}, b'{"id":"evt_1"}', "clé")


def test_the_secret_is_normalised_before_it_is_a_key() -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert verified(sent(b"x"), b"x", unicodedata.normalize(form, SECRET))


def test_what_the_sender_did_not_sign_is_refused() -> None:
    body = payload("in_transit_to_delivered")
    rewritten = json.dumps(json.loads(body)).encode()

    assert verified(sent(body), body, SECRET)
    assert not verified(sent(body), rewritten, SECRET)
    assert not verified(sent(body), body + b"\n", SECRET)
    assert not verified(sent(body), body, "secret")
    assert not verified(sent(body, ""), body, "")
    assert not verified({}, body, SECRET)
    assert not verified({"x-hmac-signature": "é\ud800"}, body, SECRET)


@given(st.data())
def test_a_body_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    body = payload("no_details_yet")
    place, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(body))

    assert not verified(sent(body), forged, SECRET)


def test_nobody_sends_webhooks_for_parcels_delivered_by_hand() -> None:
    assert not CARRIERS["manual"].verify(Call(b"x", sent(b"x")), SECRET)
    assert isinstance(CARRIERS["manual"].read(Call(b"{}")), Ignored)


def test_one_word_of_theirs_is_delivered() -> None:
    delivered = [key for key, ours in table("easypost").items() if ours is TrackingStatus.DELIVERED]

    assert delivered == [("status", "delivered")]


@pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")
def test_their_published_vector_is_accepted() -> None:
    folder = REAL / "B_channels" / "signature_vectors"
    vectors = json.loads((folder / "vectors.json").read_text())
    vector = next(each for each in vectors if each["provider"] == "easypost")
    body = (folder / vector["body_file"]).read_bytes()

    assert verified({"x-hmac-signature": vector["signature"]}, body, vector["secret"])
    assert not verified({"x-hmac-signature": vector["signature"]}, body + b"\n", vector["secret"])
    assert status_after(read(body).scans) is TrackingStatus.IN_TRANSIT


@pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")
def test_every_real_payload_is_read_or_refused_and_none_is_a_surprise() -> None:
    folder = REAL / "C_carriers" / "easypost"
    trackers = 0
    for path in sorted(folder.glob("*.json")):
        body = path.read_bytes()
        try:
            trackers += isinstance(heard(body), TrackingUpdate)
        except MalformedUpdate:
            continue
        if path.stem == "docs_json_tracking-webhook":
            assert status_after(read(body).scans) is TrackingStatus.DELIVERED
    assert trackers >= 2
