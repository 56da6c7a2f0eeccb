"""Who signs, how, and what fails: one byte, the same JSON written again, a wrong secret, late."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.access import new_key, new_secrets
from oms.adapters.carriers import (
    CARRIERS,
    aftership,
    easypost,
    fedex,
    seventeen_track,
    shipengine,
    shippo,
    trackingmore,
)
from oms.adapters.webhooks import Call
from tests.adapters.carriers.reading import REAL

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
BODY = '{"event": "x",  "who": "Žofie 商品"}'.encode()
SECRET = "sécret"


@cache
def keys() -> tuple[str, str]:
    return new_key("rsa")


@dataclass(frozen=True)
class Sender:
    """`secret` is what we store, `sign` what the sender does."""

    code: str
    secret: str
    sign: Callable[[bytes], Mapping[str, str]]
    body_is_signed: bool = True
    says_when: bool = False


def senders() -> list[Sender]:
    private, public = keys()
    return [
        Sender("easypost", SECRET, lambda b: {"x-hmac-signature": easypost.signature(b, SECRET)}),
        Sender(
            "shippo",
            SECRET,
            lambda b: {"shippo-auth-signature": shippo.signature(b, SECRET, AT)},
            says_when=True,
        ),
        Sender(
            "aftership", SECRET, lambda b: {"aftership-hmac-sha256": aftership.signature(b, SECRET)}
        ),
        Sender("fedex", SECRET, lambda b: {"fdx-signature": fedex.signature(b, SECRET)}),
        Sender("17track", SECRET, lambda b: {"sign": seventeen_track.signature(b, SECRET)}),
        Sender("shipengine", public, lambda b: shipengine.signed(b, private, AT), says_when=True),
        Sender(
            "trackingmore",
            SECRET,
            lambda _: trackingmore.signature(SECRET, AT),
            body_is_signed=False,
            says_when=True,
        ),
        Sender("ups", SECRET, lambda _: {"credential": SECRET}, body_is_signed=False),
    ]


SENDERS = {each.code: each for each in senders()}
OTHER = {"shipengine": new_key("rsa")[1]}


def believed(sender: Sender, body: bytes, headers: Mapping[str, str], **said: object) -> bool:
    late = said.get("late", timedelta())
    assert isinstance(late, timedelta)
    secret = str(said.get("secret", sender.secret))
    return CARRIERS[sender.code].verify(Call(body, headers, at=AT + late), secret)


@pytest.mark.parametrize("code", SENDERS)
def test_what_the_sender_signed_is_believed(code: str) -> None:
    sender = SENDERS[code]

    assert believed(sender, BODY, sender.sign(BODY))


@pytest.mark.parametrize("code", SENDERS)
def test_a_wrong_secret_none_and_no_signature_are_refused(code: str) -> None:
    sender = SENDERS[code]
    headers = sender.sign(BODY)

    assert not believed(sender, BODY, headers, secret=OTHER.get(code, "other"))
    assert not believed(sender, BODY, headers, secret="")
    assert not believed(sender, BODY, {})
    assert not believed(sender, BODY, dict.fromkeys(headers, ""))
    assert not believed(sender, BODY, dict.fromkeys(headers, "é\ud800"))


@pytest.mark.parametrize("code", [x for x, each in SENDERS.items() if each.body_is_signed])
def test_the_same_json_written_again_is_refused(code: str) -> None:
    sender = SENDERS[code]
    headers = sender.sign(BODY)

    assert not believed(sender, json.dumps(json.loads(BODY)).encode(), headers)
    assert not believed(sender, BODY + b"\n", headers)


@settings(deadline=None)
@given(st.sampled_from([x for x, each in SENDERS.items() if each.body_is_signed]), st.data())
def test_a_body_with_one_other_byte_is_refused(code: str, data: st.DataObject) -> None:
    sender = SENDERS[code]
    place, flip = data.draw(st.integers(0, len(BODY) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(BODY))

    assert not believed(sender, forged, sender.sign(BODY))


@pytest.mark.parametrize("code", [x for x, each in SENDERS.items() if each.says_when])
def test_what_was_signed_long_before_or_after_is_refused(code: str) -> None:
    sender = SENDERS[code]
    headers = sender.sign(BODY)

    for minutes in (-4, 4):
        assert believed(sender, BODY, headers, late=timedelta(minutes=minutes))
    for minutes in (-6, 6):
        assert not believed(sender, BODY, headers, late=timedelta(minutes=minutes))


def test_the_time_that_was_signed_cannot_be_replaced() -> None:
    late = timedelta(hours=1)
    then, now = SENDERS["shippo"].sign(BODY), shippo.signature(BODY, SECRET, AT + late)
    header = f"{now.split(',')[0]},{then['shippo-auth-signature'].split(',')[1]}"
    assert not believed(SENDERS["shippo"], BODY, {"shippo-auth-signature": header}, late=late)

    sent = dict(SENDERS["shipengine"].sign(BODY))
    sent[shipengine.TIMESTAMP] = (AT + late).isoformat()
    assert not believed(SENDERS["shipengine"], BODY, sent, late=late)

    headers = {**SENDERS["trackingmore"].sign(BODY), "timestamp": str(int((AT + late).timestamp()))}
    assert not believed(SENDERS["trackingmore"], BODY, headers, late=late)


def test_fedex_is_believed_in_hex_as_well() -> None:
    sender = SENDERS["fedex"]
    mac = base64.b64decode(sender.sign(BODY)["fdx-signature"])

    assert believed(sender, BODY, {"fdx-signature": mac.hex()})
    assert believed(sender, BODY, {"fdx-signature": mac.hex().upper()})


def test_aftership_is_believed_under_its_newer_header() -> None:
    sender = SENDERS["aftership"]
    (mac,) = sender.sign(BODY).values()

    assert believed(sender, BODY, {"as-signature-hmac-sha256": mac})


def jwk(der: str) -> str:
    key = load_der_public_key(base64.b64decode(der))
    assert isinstance(key, RSAPublicKey)
    numbers = key.public_numbers()
    octets = {"n": numbers.n.to_bytes(256), "e": numbers.e.to_bytes(3)}
    said = {name: base64.urlsafe_b64encode(x).decode().rstrip("=") for name, x in octets.items()}
    return json.dumps({"kty": "RSA", "kid": "1", **said})


def test_a_public_key_is_stored_as_the_sender_publishes_it_as_pem_or_as_der() -> None:
    der = keys()[1]
    pem = f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n"
    sender = SENDERS["shipengine"]

    assert believed(sender, BODY, sender.sign(BODY), secret=pem)
    assert believed(sender, BODY, sender.sign(BODY), secret=jwk(der))
    assert not believed(sender, BODY, sender.sign(BODY), secret=jwk(OTHER["shipengine"]))
    for nonsense in ("x", "{}", "-----BEGIN PUBLIC KEY-----", new_key("p256")[1]):
        assert not believed(sender, BODY, sender.sign(BODY), secret=nonsense)


def test_a_known_answer_of_trackingmore() -> None:
    at = datetime.fromtimestamp(1662371528, UTC)
    headers = {
        "timestamp": "1662371528",
        "signature": "a37084ab68ae16b77db1f8463f31be9fcc965e2515e03efecf8139bb1e511b06",
    }
    secret = "2e55b9a3-4dd1-4416-9897-c4bd1e3d738f"

    assert CARRIERS["trackingmore"].verify(Call(b"{}", headers, at=at), secret)


def test_a_sender_that_signs_with_a_key_has_both_halves() -> None:
    found = new_secrets(["shipengine", "ups"])

    assert set(found) == {"shipengine", "shipengine/private", "ups"}
    headers = shipengine.signed(BODY, found["shipengine/private"], AT)
    assert CARRIERS["shipengine"].verify(Call(BODY, headers, at=AT), found["shipengine"])


HEADERS = {"aftership": "aftership-hmac-sha256", "fedex-aiv": "fdx-signature", "17track": "sign"}


@pytest.mark.skipif(not REAL.exists(), reason="the folder of real payloads is not here")
def test_the_collected_vectors_are_accepted() -> None:
    folder = REAL / "B_channels" / "signature_vectors"
    vectors = {each["provider"]: each for each in json.loads((folder / "vectors.json").read_text())}
    for provider, header in HEADERS.items():
        vector = vectors[provider]
        carrier = CARRIERS[provider.removesuffix("-aiv")]
        body, headers = vector["body"].encode(), {header: vector["signature"]}
        assert carrier.verify(Call(body, headers), vector["secret"])
        assert not carrier.verify(Call(body + b"\n", headers), vector["secret"])

    vector = vectors["shippo"]
    at = datetime.fromtimestamp(int(vector["timestamp"]), UTC)
    call = Call(vector["body"].encode(), {"shippo-auth-signature": vector["signature"]}, at=at)
    assert CARRIERS["shippo"].verify(call, vector["secret"])
