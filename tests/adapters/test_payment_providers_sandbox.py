"""What the built-in provider does besides, and the fake that tests ask."""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.payments import PROVIDERS
from oms.adapters.payments.base import (
    AmbiguousOutcome,
    DisputeNotice,
    Ignored,
    MalformedNotice,
    Notice,
    Result,
)
from oms.adapters.payments.sandbox import TOLERANCE_SECONDS, Sandbox, reference_of, signature
from oms.domain.payment import DisputeStatus, OperationKind, OperationStatus
from tests.fakes_psp import FakePsp, Fault

TEST, EXTERNAL = PROVIDERS["test"], PROVIDERS["external"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "whsec_test"
BODY = b'{"event":"authorization.succeeded","order_id":"ord_1","key":"k1"}'


def test_tokens_decide_what_the_test_provider_answers() -> None:
    declined = [TEST.authorize("k", 1, "USD", token) for token in ("tok_declined", "tok_?", "")]

    assert TEST.authorize("k", 1, "USD", "tok_3ds").status is OperationStatus.PENDING
    assert {each.status for each in declined} == {OperationStatus.FAILED}
    assert [each.reason for each in declined] == ["card declined", "unknown token", "unknown token"]


def test_a_lost_answer_is_found_by_a_look_up() -> None:
    with pytest.raises(AmbiguousOutcome):
        TEST.authorize("k", 1, "USD", "tok_timeout_then_ok")

    found = TEST.look_up("k", OperationKind.AUTHORIZE, "tok_timeout_then_ok")
    assert found == Result(OperationStatus.SUCCEEDED, reference_of("k"))


def test_no_money_moves_without_an_authorization() -> None:
    assert TEST.capture("k", 1, "USD", "").status is OperationStatus.FAILED


def test_what_a_client_says_of_money_taken_elsewhere_is_not_repeated() -> None:
    asked = [
        EXTERNAL.authorize("k", 1, "USD", "4711"),
        EXTERNAL.look_up("k", OperationKind.AUTHORIZE, "4711"),
        EXTERNAL.refund("k", 1, "USD", "4711"),
    ]

    assert asked == [Result(OperationStatus.SUCCEEDED, "external")] * 3
    assert isinstance(EXTERNAL.read(b"{}"), Ignored)


def sign(body: bytes = BODY, secret: str = SECRET, at: datetime = NOW) -> dict[str, str]:
    return {"test-signature": signature(body, secret, int(at.timestamp()))}


def test_a_known_answer_of_the_signature() -> None:
    assert signature(b'{"a":1}', "secret", 1700000000) == (
        "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686"
    )


def test_a_fresh_signature_is_accepted() -> None:
    assert TEST.verify(sign(), BODY, SECRET, NOW)
    assert TEST.verify(sign(), BODY, SECRET, NOW + timedelta(seconds=TOLERANCE_SECONDS))


def test_one_of_several_signatures_is_enough_while_a_secret_is_changed() -> None:
    at = int(NOW.timestamp())
    old, new = signature(BODY, "old", at), signature(BODY, SECRET, at).partition(",")[2]

    assert TEST.verify({"test-signature": f"{old},{new}"}, BODY, SECRET, NOW)


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_a_stale_signature_and_one_from_the_future_are_refused(seconds: int) -> None:
    assert not TEST.verify(sign(), BODY, SECRET, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "header", ["", "t=", "t=1", "v1=ab", "t=x,v1=" + "0" * 64, "t=1,v1=" + "é" * 64, "\ud800"]
)
def test_a_header_that_is_no_signature_is_refused(header: str) -> None:
    assert not TEST.verify({"test-signature": header}, BODY, SECRET, NOW)


def test_another_secret_another_time_and_rewritten_json_are_refused() -> None:
    rewritten = json.dumps(json.loads(BODY)).encode()
    later = sign()["test-signature"].replace(
        str(int(NOW.timestamp())), str(int(NOW.timestamp()) + 1)
    )

    assert not TEST.verify(sign(secret="other"), BODY, SECRET, NOW)
    assert not TEST.verify(sign(), BODY, "", NOW)
    assert not TEST.verify(sign(), rewritten, SECRET, NOW)
    assert not TEST.verify({"test-signature": later}, BODY, SECRET, NOW)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_body_with_one_other_byte_is_refused(place: int, flip: int) -> None:
    changed = bytes(b ^ flip if i == place else b for i, b in enumerate(BODY))

    assert not TEST.verify(sign(), changed, SECRET, NOW)


def test_a_webhook_tells_how_an_authorization_ended() -> None:
    failed = BODY.replace(b"succeeded", b"failed")
    settled, refused = TEST.read(BODY), TEST.read(failed)

    assert settled == Notice("ord_1", "k1", Result(OperationStatus.SUCCEEDED, reference_of("k1")))
    assert isinstance(refused, Notice)
    assert refused.result.status is OperationStatus.FAILED
    assert isinstance(TEST.read(BODY.replace(b"authorization", b"weather")), Ignored)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"{}", b'{"event":1}', BODY.replace(b'"k1"', b"7"), b"\xff", b"9" * 9999],
)
def test_a_malformed_webhook_is_a_typed_refusal(body: bytes) -> None:
    with pytest.raises(MalformedNotice):
        TEST.read(body)


@given(
    st.binary(max_size=100)
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: st.dictionaries(st.sampled_from(["event", "order_id", "key"]), x),
    ).map(lambda x: json.dumps(x).encode())
)
def test_no_webhook_is_a_surprise(body: bytes) -> None:
    try:
        TEST.read(body)
    except MalformedNotice:
        return


def test_the_fake_moves_money_though_its_answer_is_lost() -> None:
    psp = FakePsp(faults=deque([Fault.LOST_ANSWER]))
    with pytest.raises(AmbiguousOutcome):
        psp.capture("k", 5, "USD", "r")

    assert psp.moved(OperationKind.CAPTURE) == 5
    assert psp.look_up("k", OperationKind.CAPTURE) == psp.capture("k", 5, "USD", "r")
    assert psp.moved(OperationKind.CAPTURE) == 5


def test_the_fake_never_heard_of_a_lost_request() -> None:
    psp = FakePsp(faults=deque([Fault.LOST_REQUEST]))
    with pytest.raises(AmbiguousOutcome):
        psp.capture("k", 5, "USD", "r")

    assert psp.look_up("k", OperationKind.CAPTURE) is None
    assert psp.capture("k", 5, "USD", "r").status is OperationStatus.SUCCEEDED


def test_the_fake_refuses_a_key_for_good_and_takes_the_next() -> None:
    psp = FakePsp(faults=deque([Fault.REFUSED]))

    assert psp.capture("k-1", 5, "USD", "r").status is OperationStatus.FAILED
    assert psp.capture("k-1", 5, "USD", "r").status is OperationStatus.FAILED
    assert psp.capture("k-2", 5, "USD", "r").status is OperationStatus.SUCCEEDED
    assert psp.moved(OperationKind.CAPTURE) == 5


@pytest.mark.parametrize("token", ["tok_expiring", "tok_no_renewal"])
def test_money_may_be_reserved_for_seven_days(token: str) -> None:
    provider = Sandbox(lambda: NOW)
    authorized = provider.authorize("k", 5, "USD", token)

    assert authorized.valid_until == datetime(2026, 3, 8, tzinfo=UTC)
    assert provider.look_up("k", OperationKind.AUTHORIZE, token) == authorized


def test_money_that_was_reserved_for_seven_days_is_reserved_again_or_not() -> None:
    provider = Sandbox(lambda: NOW)
    kept = provider.authorize("k1", 5, "USD", "tok_expiring").reference
    lost = provider.authorize("k2", 5, "USD", "tok_no_renewal").reference

    renewed = provider.renew("k3", 5, "USD", kept)
    assert (renewed.status, renewed.reference) == (OperationStatus.SUCCEEDED, reference_of("k3"))
    assert renewed.valid_until == datetime(2026, 3, 8, tzinfo=UTC)
    assert provider.look_up("k3", OperationKind.AUTHORIZE, reference=kept) == renewed
    assert provider.renew("k4", 5, "USD", lost).status is OperationStatus.FAILED


@pytest.mark.parametrize(
    ("token", "status"),
    [
        ("tok_refund_pending", OperationStatus.PENDING),
        ("tok_refund_declined", OperationStatus.FAILED),
        ("tok_ok", OperationStatus.SUCCEEDED),
    ],
)
def test_refunds_may_be_pending_or_refused(token: str, status: OperationStatus) -> None:
    reference = TEST.authorize("k1", 5, "USD", token).reference

    assert TEST.capture("k2", 5, "USD", reference).status is OperationStatus.SUCCEEDED
    assert TEST.refund("k3", 5, "USD", reference).status is status
    found = TEST.look_up("k3", OperationKind.REFUND, reference=reference)
    assert found == TEST.refund("k3", 5, "USD", reference)


@pytest.mark.parametrize("subject", [b"capture", b"refund"])
def test_a_webhook_tells_how_a_capture_or_a_refund_ended(subject: bytes) -> None:
    body = BODY.replace(b"authorization", subject)
    done, refused = TEST.read(body), TEST.read(body.replace(b"succeeded", b"failed"))

    assert done == Notice("ord_1", "k1", Result(OperationStatus.SUCCEEDED, reference_of("k1")))
    assert isinstance(refused, Notice)
    assert refused.result.reason == f"{subject.decode()} refused by the bank"


@pytest.mark.parametrize(
    ("end", "status"),
    [("opened", DisputeStatus.OPEN), ("won", DisputeStatus.WON), ("lost", DisputeStatus.LOST)],
)
def test_a_webhook_tells_of_a_dispute(end: str, status: DisputeStatus) -> None:
    said = {"order_id": "ord_1", "reference": "r", "dispute_id": "d", "amount": 500}
    body = {"event": f"dispute.{end}", **said}

    assert TEST.read(json.dumps(body).encode()) == DisputeNotice("ord_1", "r", "d", 500, status, "")
    with pytest.raises(MalformedNotice):
        TEST.read(json.dumps({**body, "amount": -500}).encode())
