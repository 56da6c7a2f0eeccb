"""eBay's notifications and orders, in our words."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.access import new_secrets
from oms.adapters.channels import CHANNELS
from oms.adapters.channels.base import (
    Cancelled,
    Fetch,
    Fulfilled,
    Ignored,
    MalformedOrder,
    Refunded,
)
from oms.adapters.webhooks import Call
from oms.contracts.invalid import InvalidRequest
from tests.adapters.channels.marketplace_cases import (
    PAYLOADS,
    REAL,
    adds_up_or_is_refused,
    message,
    one_thing_else,
    order_in,
    payload,
    real,
    said,
)

EBAY = CHANNELS["ebay"]
HEADER = "x-ebay-signature"
KEY = ec.derive_private_key(20_260_301, ec.SECP256R1())
OTHER = ec.derive_private_key(20_260_302, ec.SECP256R1())


def changed(**order: Any) -> bytes:
    return json.dumps(json.loads(payload("ebay", "order")) | order).encode()


def public(key: Any, encoding: serialization.Encoding) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_key().public_bytes(encoding, form))


def pem(key: Any) -> str:
    return public(key, serialization.Encoding.PEM).decode()


def one_line(key: Any) -> str:
    return base64.b64encode(public(key, serialization.Encoding.DER)).decode()


def signed(body: bytes, key: ec.EllipticCurvePrivateKey = KEY, **said: str) -> dict[str, str]:
    signature = key.sign(body, ec.ECDSA(hashes.SHA1()))
    header = {
        "alg": "ecdsa",
        "kid": "k1",
        "signature": base64.b64encode(signature).decode(),
        "digest": "SHA1",
        **said,
    }
    return {HEADER: base64.b64encode(json.dumps(header).encode()).decode()}


def test_a_notification_is_a_reason_to_ask_for_the_order() -> None:
    found = message("ebay", payload("ebay", "order_confirmation"), shop="cows")

    assert found.said == (Fetch("ebay:cows", "18-14816-28553"),)
    assert found.message_id == "n-77"


def test_a_person_who_left_is_no_order() -> None:
    body = b'{"metadata": {"topic": "MARKETPLACE_ACCOUNT_DELETION"}, "notification": {"data": {}}}'
    (found,) = said("ebay", body)

    assert isinstance(found, Ignored)
    assert "left eBay" in found.why


def test_every_cent_of_an_order_is_there() -> None:
    order = order_in("ebay", payload("ebay", "order"))
    (line,) = order.lines

    assert (order.total, order.sum_of_parts, order.payment.captured) == (5405, 5405, 5405)
    assert (line.sku, line.quantity, line.discounted, line.taxed) == ("COW-1", 3, 4500, 405)
    assert [(d.code, d.amount) for d in line.discounts] == [("rounding", 1), ("P-10", 500)]
    assert (line.external_id, order.shipping.price) == ("9007199254740993", 500)
    assert order.deliver_by is not None
    assert order.deliver_by.isoformat() == "2026-03-06"


def test_refunds_are_told_by_their_ids() -> None:
    (refund,) = [x for x in said("ebay", payload("ebay", "order")) if isinstance(x, Refunded)]

    assert (refund.refund_id, refund.amount, refund.currency) == ("5001", 1000, "USD")


def test_states_of_an_order() -> None:
    cancelled = changed(cancelStatus={"cancelState": "CANCELED"})
    asked = order_in("ebay", changed(cancelStatus={"cancelState": "IN_PROGRESS"}))
    pending = order_in("ebay", changed(orderPaymentStatus="PENDING"))
    shipped = said("ebay", changed(orderFulfillmentStatus="FULFILLED"))

    assert isinstance(said("ebay", cancelled)[0], Cancelled)
    assert (asked.payment.captured, asked.payment_hold) == (5405, "the buyer asks to cancel")
    assert (pending.payment.captured, pending.payment_hold) == (0, "the payment is PENDING")
    assert isinstance(shipped[-1], Fulfilled)
    assert isinstance(said("ebay", changed(orderPaymentStatus="FAILED"))[0], Ignored)


def test_an_order_without_its_prices_is_asked_for() -> None:
    lines = [{"lineItemId": "111", "quantity": 1}]

    assert said("ebay", changed(lineItems=lines)) == (Fetch("ebay", "18-14816-28553"),)


@pytest.mark.parametrize(
    ("line", "sku"),
    [({"legacyVariationId": "77"}, "variant:77"), ({"sku": " "}, "product:298442926679")],
)
def test_a_line_without_a_sku_is_known_by_its_listing(line: dict[str, str], sku: str) -> None:
    found = json.loads(payload("ebay", "order"))["lineItems"][0]
    del found["sku"]

    assert order_in("ebay", changed(lineItems=[found | line])).lines[0].sku == sku


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        changed(orderId=None),
        changed(lineItems="x"),
        changed(pricingSummary={"total": {"value": "1.00", "currency": "USD"}}),
        changed(pricingSummary={"total": {"value": "54.05", "currency": "EUR"}}),
    ],
)
def test_what_is_malformed_is_a_typed_refusal(body: bytes) -> None:
    with pytest.raises((MalformedOrder, InvalidRequest)):
        said("ebay", body)


@pytest.mark.parametrize("secret", [pem(KEY), one_line(KEY), json.dumps({"k1": pem(KEY)})])
def test_what_ebay_signed_is_believed_however_its_key_is_kept(secret: str) -> None:
    body = payload("ebay", "order_confirmation")
    sent = signed(body)

    assert EBAY.verify(Call(body, sent), secret)
    assert not EBAY.verify(Call(body + b"\n", sent), secret)
    assert not EBAY.verify(Call(json.dumps(json.loads(body)).encode(), sent), secret)
    assert not EBAY.verify(Call(body, signed(body, OTHER)), secret)
    assert not EBAY.verify(Call(body, {}), secret)


def test_whoever_plays_ebay_here_is_believed() -> None:
    secrets = new_secrets(["ebay"])
    key = serialization.load_der_private_key(base64.b64decode(secrets["ebay/private"]), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    body = payload("ebay", "order_confirmation")

    assert EBAY.verify(Call(body, signed(body, key)), secrets["ebay"])


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "none",
        "{",
        "[]",
        json.dumps({"another": pem(KEY)}),
        json.dumps({"k1": 7}),
        pem(OTHER),
        pem(rsa.generate_private_key(65537, 1024)),
        pem(ec.derive_private_key(5, ec.SECP384R1())),
    ],
)
def test_no_other_key_is_believed(secret: str) -> None:
    body = payload("ebay", "order_confirmation")

    assert not EBAY.verify(Call(body, signed(body)), secret)


@pytest.mark.parametrize(
    "header",
    ["", "?", "e30=", "W10=", base64.b64encode(b"[" * 3_000).decode(), "\ud800", "x" * 10_000],
)
def test_a_header_that_is_none_is_refused(header: str) -> None:
    assert not EBAY.verify(Call(b"{}", {HEADER: header}), pem(KEY))


def test_no_other_digest_is_taken() -> None:
    body = payload("ebay", "order_confirmation")

    assert not EBAY.verify(Call(body, signed(body, digest="MD5")), pem(KEY))
    assert not EBAY.verify(Call(body, signed(body, digest="SHA256")), pem(KEY))


@given(st.data())
def test_a_body_with_one_other_byte_is_refused(data: st.DataObject) -> None:
    body = payload("ebay", "order_confirmation")
    place, flip = data.draw(st.integers(0, len(body) - 1)), data.draw(st.integers(1, 255))
    forged = bytes(b ^ flip if i == place else b for i, b in enumerate(body))

    assert not EBAY.verify(Call(forged, signed(body)), pem(KEY))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_payload_is_a_surprise(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(x.stem for x in PAYLOADS.glob("ebay/*.json"))))
    adds_up_or_is_refused("ebay", data.draw(one_thing_else(payload("ebay", name))))


@real
def test_what_ebay_signed_elsewhere_is_believed_and_the_mismatch_is_not() -> None:
    vectors = json.loads((REAL / "signature_vectors" / "vectors.json").read_text())
    found = {
        each["valid"]: EBAY.verify(
            Call(each["body"].encode(), {HEADER: each["signature"]}), each["public_key_pem"]
        )
        for each in vectors
        if each["provider"] == "ebay"
    }

    assert found == {True: True, False: False}


@real
def test_a_partial_order_of_the_documentation_is_asked_for() -> None:
    path = REAL / "marketplace_doc_samples" / "ebay_fulfillment_order_partial.json"

    assert said("ebay", path.read_bytes()) == (Fetch("ebay", "18-14816-28552"),)
