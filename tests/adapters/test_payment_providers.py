"""What every payment provider must do, and what each of ours does besides."""

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
    Ignored,
    MalformedNotice,
    Notice,
    Provider,
    Result,
)
from oms.adapters.payments.sandbox import TOLERANCE_SECONDS, reference_of, signature
from oms.domain.payment import OperationKind, OperationStatus
from tests.fakes_psp import FakePsp, Fault

TEST, EXTERNAL = PROVIDERS["test"], PROVIDERS["external"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "whsec_test"
BODY = b'{"event":"authorization.succeeded","order_id":"ord_1","key":"k1"}'


@pytest.fixture(params=["test", "external", "fake"])
def provider(request: pytest.FixtureRequest) -> Provider:
    providers: dict[str, Provider] = {**PROVIDERS, "fake": FakePsp()}
    return providers[request.param]


def test_the_registry_knows_each_provider_by_its_code() -> None:
    assert {code: each.code for code, each in PROVIDERS.items()} == {
        "test": "test",
        "external": "external",
    }


def test_an_authorization_carries_the_captures_voids_and_refunds(provider: Provider) -> None:
    authorized = provider.authorize("k1", 2836, "USD", "tok_ok")
    moved = [
        provider.capture("k2", 1000, "USD", authorized.reference),
        provider.void("k3", 1836, "USD", authorized.reference),
        provider.refund("k4", 1000, "USD", authorized.reference),
    ]

    assert authorized.status is OperationStatus.SUCCEEDED
    assert authorized.reference
    assert all(each.status is OperationStatus.SUCCEEDED and each.reference for each in moved)


def test_the_same_key_gets_the_same_answer(provider: Provider) -> None:
    first = provider.authorize("k1", 2836, "USD", "tok_ok")

    assert provider.authorize("k1", 2836, "USD", "tok_ok") == first
    assert provider.look_up("k1", OperationKind.AUTHORIZE, "tok_ok") == first
    assert provider.capture("k2", 1, "USD", "r") == provider.capture("k2", 1, "USD", "r")
    assert provider.look_up("k2", OperationKind.CAPTURE) == provider.capture("k2", 1, "USD", "r")


def test_a_webhook_without_its_signature_is_nobodys(provider: Provider) -> None:
    assert not provider.verify({}, BODY, SECRET, NOW)
    assert not provider.verify({"test-signature": "", "fake-signature": ""}, BODY, "", NOW)


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
