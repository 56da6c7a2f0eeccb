"""Standard Webhooks: known answers, several signatures, and what must fail."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.adapters.channels.standard_webhooks import (
    ID,
    SIGNATURE,
    TIMESTAMP,
    is_signed,
    key_of,
    signature,
)
from oms.adapters.webhooks import REPLAY_WINDOW, Call

REAL = Path(__file__).parents[4] / "shared" / "data" / "B_channels" / "signature_vectors"
KEY = b"0123456789abcdef"
BODY = '{"said":"測試"}'.encode()
SIGNED_AT = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def call(body: bytes = BODY, at: datetime = SIGNED_AT, **changed: str) -> Call:
    stamp = str(int(SIGNED_AT.timestamp()))
    headers = {ID: "msg_1", TIMESTAMP: stamp, SIGNATURE: signature(KEY, "msg_1", stamp, BODY)}
    headers |= {f"webhook-{name}": value for name, value in changed.items()}
    return Call(body, headers, at=at)


@pytest.mark.skipif(not REAL.exists(), reason="the folder of signature vectors is not here")
def test_a_published_answer_is_known() -> None:
    vectors = json.loads((REAL / "vectors.json").read_text())
    vector = next(x for x in vectors if x["provider"].startswith("standard-webhooks"))
    headers, key = vector["headers"], key_of(vector["secret"])
    signed_at = datetime.fromtimestamp(int(headers[TIMESTAMP]), UTC)

    def verified(body: bytes, at: datetime) -> bool:
        return is_signed(Call(body, headers, at=at), key)

    body = vector["body"].encode()
    assert verified(body, signed_at)
    assert not verified(json.dumps(json.loads(body), separators=(",", ":")).encode(), signed_at)
    assert not verified(body, signed_at + timedelta(minutes=6))


def test_one_signature_of_several_is_enough() -> None:
    good = call().header(SIGNATURE)

    assert is_signed(call(signature=f"v1,AAAA {good}"), KEY)
    assert is_signed(call(signature=f"{good} v2,AAAA"), KEY)
    assert not is_signed(call(signature="v1,AAAA v1,BBBB"), KEY)
    assert not is_signed(call(signature=good.replace("v1,", "v2,")), KEY)


@pytest.mark.parametrize("late", [REPLAY_WINDOW, -REPLAY_WINDOW])
def test_the_window_is_open_for_five_minutes_on_either_side(late: timedelta) -> None:
    more = timedelta(seconds=1) if late > timedelta(0) else timedelta(seconds=-1)

    assert is_signed(call(at=SIGNED_AT + late), KEY)
    assert not is_signed(call(at=SIGNED_AT + late + more), KEY)


@pytest.mark.parametrize(
    "stamp", ["", "now", "-1", "1.5", "٣", "0", "9" * 11, "9" * 400, " 1767607200", "1e9"]
)
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    forged = signature(KEY, "msg_1", stamp, BODY)

    assert not is_signed(call(timestamp=stamp, signature=forged), KEY)


def test_what_is_missing_or_another_is_refused() -> None:
    assert is_signed(call(), KEY)
    assert not is_signed(call(BODY + b"\n"), KEY)
    assert not is_signed(call(id=""), KEY)
    assert not is_signed(call(id="msg_2"), KEY)
    assert not is_signed(call(signature="\ud800"), KEY)
    assert not is_signed(call(), b"another")
    assert not is_signed(Call(BODY, {}, at=SIGNED_AT), KEY)


def test_an_empty_key_signs_nothing() -> None:
    stamp = call().header(TIMESTAMP)

    assert not is_signed(call(signature=signature(b"", "msg_1", stamp, BODY)), b"")


def test_a_secret_is_base64_after_its_prefix() -> None:
    assert key_of("whsec_QUJD") == key_of("QUJD") == b"ABC"
    assert key_of("whsec_no base64!") == b""


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_one_other_byte_is_refused(place: int, flip: int) -> None:
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(BODY))

    assert not is_signed(call(forged), KEY)
