"""Messages of marketplaces at the door where all channels knock."""

import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from functions.capture import receive_channel_order as webhook
from oms.adapters.channels import square, standard_webhooks
from oms.adapters.webhooks import relay_signature
from tests.adapters.channels.marketplace_cases import REAL, answer_of, payload, real
from tests.functions.doors import SECRETS, House, ask, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

ROUTE = "POST /channels/{channel}/webhooks"
ORDERS = {"amazon": "order_v0", "etsy": "receipt"}  # the others': `order`
URL = "https://oms.example/hooks"
EBAY = ec.derive_private_key(20_260_301, ec.SECP256R1())
DER = EBAY.public_key().public_bytes(
    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
)
OURS = {
    "amazon": "relayed",
    "square": f"square-key {URL}",
    "ebay": base64.b64encode(DER).decode(),
    "etsy": "whsec_" + base64.b64encode(b"etsy-key").decode(),
    "walmart": "walmart-secret",
}


def signed(channel: str, body: bytes) -> dict[str, str]:
    if channel == "square":
        return {"X-Square-HmacSha256-Signature": square.signature(body, "square-key", URL)}
    if channel == "ebay":
        signature = base64.b64encode(EBAY.sign(body, ec.ECDSA(hashes.SHA1()))).decode()
        said = {"alg": "ecdsa", "kid": "k", "signature": signature, "digest": "SHA1"}
        return {"X-EBAY-SIGNATURE": base64.b64encode(json.dumps(said).encode()).decode()}
    if channel == "etsy":
        at = str(int(time.time()))
        value = standard_webhooks.signature(b"etsy-key", "msg", at, body)
        return {"webhook-id": "msg", "webhook-timestamp": at, "webhook-signature": value}
    if channel == "walmart":
        digest = hmac.digest(b"walmart-secret", body, hashlib.sha256)
        return {"Authorization": digest.hex()}
    return {"Baton-Signature": relay_signature(body, OURS["amazon"])}


@pytest.fixture
def door(house: House) -> House:
    """Where the senders' secrets are known."""
    house.cloud.client("secretsmanager").put_secret_value(
        SecretId=house.environment["SECRET_ID"], SecretString=json.dumps(SECRETS | OURS)
    )
    return house


def tell(channel: str, body: bytes, **headers: str) -> tuple[int, Any]:
    given = signed(channel, body) | headers
    return ask(webhook, ROUTE, body, query="shop=mugs", headers=given, channel=channel)


@pytest.mark.parametrize(
    ("channel", "name", "total"),
    [
        ("amazon", "order_2026", 6073),
        ("amazon", "order_v0", 3196),
        ("square", "order", 3430),
        ("ebay", "order", 5405),
        ("etsy", "receipt", 7997),
        ("walmart", "order", 1091),
    ],
)
def test_an_order_of_a_marketplace_is_placed_once_and_paid_for(
    door: House, channel: str, name: str, total: int
) -> None:
    body = payload(channel, name)
    status, answer = tell(channel, body)

    assert (status, answer["outcome"]) == (200, "accepted"), answer
    assert tell(channel, body)[1]["outcome"] == "duplicate"
    order = door.orders.get(answer["order_id"])
    assert (order.channel, order.total, order.payment.captured) == (
        f"{channel}:mugs",
        total,
        total,
    )


@pytest.mark.parametrize("channel", sorted(OURS))
def test_only_the_marketplace_itself_is_believed(door: House, channel: str) -> None:
    body = payload(channel, ORDERS.get(channel, "order"))
    forged = {name: "x" + value for name, value in signed(channel, body).items()}

    assert tell(channel, body, **forged)[0] == 401
    assert tell(channel, b"{", **forged)[0] == 401
    assert door.rows("orders") == []


@real
def test_every_real_payload_of_a_marketplace_is_answered_with_a_reason(door: House) -> None:
    answers: Counter[str] = Counter()
    for path in sorted(REAL.glob("amazon_sp_api/*.json")) + sorted(
        REAL.glob("marketplace_doc_samples/*.json")
    ):
        channel = "amazon" if path.parent.name == "amazon_sp_api" else path.stem.split("_")[0]
        status, answer = tell(channel, answer_of(path))
        assert status in (200, 422), (path.name, answer)
        assert (
            answer.get("order_id")
            or answer.get("ignored")
            or answer.get("detail")
            or answer["outcome"] == "accepted"
        ), (path.name, answer)
        answers[f"{status} {answer.get('outcome', 'refused')}"] += 1

    assert answers["200 accepted"]
    assert answers["422 refused"]
