"""What senders try a new address with, before they say anything of orders."""

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from functions.capture import receive_channel_order as webhook
from infra.local.access import PRIVATE, new_secrets
from tests.functions.doors import SECRETS, House, ask, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

GET = "GET /channels/{channel}/webhooks"
POST = "POST /channels/{channel}/webhooks"
KEYS = new_secrets(["magento"])
TOKEN = "a-token-of-our-own-and-of-forty-letters!"
CALLED = "https://oms.example/channels/ebay/webhooks"


def know(house: House, **more: str) -> None:
    house.cloud.client("secretsmanager").put_secret_value(
        SecretId=house.environment["SECRET_ID"], SecretString=json.dumps(SECRETS | more)
    )


def shake(channel: str, query: str) -> dict[str, Any]:
    event = {
        "routeKey": GET,
        "rawPath": f"/channels/{channel}/webhooks",
        "rawQueryString": query,
        "headers": {"host": "oms.example"},
        "pathParameters": {"channel": channel},
    }
    return webhook.handler(event, None)


def commerce(body: bytes, of: bytes = b"") -> tuple[int, Any]:
    key = serialization.load_der_private_key(base64.b64decode(KEYS["magento" + PRIVATE]), None)
    signature = key.sign(base64.b64encode(of or body), padding.PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr,call-arg,arg-type]
    headers = {"X-Adobe-Commerce-Webhook-Signature": base64.b64encode(signature).decode()}
    return ask(webhook, POST, body, headers=headers, channel="magento")


def test_adobe_is_given_its_own_word_back_as_nothing_but_text(house: House) -> None:
    answer = shake("magento", "shop=mugs&challenge=8ec8d794-e0ab_42df.9017")

    assert (answer["statusCode"], answer["body"]) == (200, "8ec8d794-e0ab_42df.9017")
    assert answer["headers"]["content-type"] == "text/plain"
    assert answer["headers"]["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "challenge=",
        "challenge=%3Cscript%3E",
        "challenge=a%20b",
        "challenge=a%0A",
        "challenge=" + "a" * 201,
    ],
)
def test_nothing_else_is_said_back(house: House, query: str) -> None:
    answer = shake("magento", query)

    assert answer["statusCode"] == 404
    assert answer["headers"]["content-type"] == "application/problem+json"


@pytest.mark.parametrize("shop", ["", "?shop=mugs"])
def test_ebay_is_answered_with_a_digest_of_the_address_as_it_is_subscribed(
    house: House, shop: str
) -> None:
    know(house, **{"ebay/verification": TOKEN})

    answer = shake("ebay", "&".join(filter(None, [shop[1:], "challenge_code=a8628072-3d33"])))

    wanted = hashlib.sha256(f"a8628072-3d33{TOKEN}{CALLED}{shop}".encode()).hexdigest()
    assert answer["statusCode"] == 200
    assert answer["headers"]["content-type"] == "application/json"
    assert json.loads(answer["body"]) == {"challengeResponse": wanted}


def test_a_shop_may_have_a_token_of_its_own(house: House) -> None:
    know(house, **{"ebay/verification": "others", "ebay:mugs/verification": TOKEN})

    answer = json.loads(shake("ebay", "shop=mugs&challenge_code=c")["body"])

    said = f"c{TOKEN}{CALLED}?shop=mugs".encode()
    assert answer == {"challengeResponse": hashlib.sha256(said).hexdigest()}


def test_ebay_is_not_answered_without_a_token_and_others_never(house: House) -> None:
    assert shake("ebay", "challenge_code=c")["statusCode"] == 404
    know(house, **{"ebay/verification": TOKEN})
    assert shake("ebay", "challenge=c")["statusCode"] == 404
    assert shake("ebay", "challenge_code=%22")["statusCode"] == 404
    for channel in ("shopify", "elsewhere"):
        asked = shake(channel, "challenge=c&challenge_code=c")
        assert asked["statusCode"] == 404
        assert asked["headers"]["content-type"] == "application/problem+json"


def test_commerce_goes_on_with_what_it_takes_as_success(house: House) -> None:
    know(house, magento=KEYS["magento"])

    assert commerce(b'{"event": {"data": {"id": 1}}, "type": "observer.x"}')[0] == 200
    said = json.dumps({"type": "observer.catalog_product_save_after", "data": {}}).encode()
    assert commerce(said) == (200, {"op": "success"})


def test_a_buyer_in_commerce_is_not_held_up_by_what_we_have_kept(house: House) -> None:
    """It waits in the inbox; what is nobody's order, and what is not signed, is refused."""
    know(house, magento=KEYS["magento"])
    broken = {"type": "observer.sales_order_creditmemo_save_after", "data": {"creditmemo": {}}}

    assert commerce(json.dumps(broken).encode()) == (200, {"op": "success"})
    assert [row["state"]["S"] for row in house.rows("channels")] == ["failed"]
    assert commerce(b"no json")[0] == 422
    assert commerce(json.dumps(broken).encode(), of=b"another")[0] == 401


def test_a_ping_of_woocommerce_is_acknowledged_whatever_is_known_of_its_shop(house: House) -> None:
    know(house, **{"woocommerce:mugs.example": "the secret of one shop"})

    pinged = ask(webhook, POST, b"webhook_id=42", channel="woocommerce")

    assert pinged == (200, {"outcome": "ignored", "ignored": "a ping"})
    assert house.rows("channels") == []


@pytest.mark.parametrize(
    ("channel", "body", "headers"),
    [
        ("woocommerce", b"webhook_id=42&order=1", {}),
        ("woocommerce", b'{"webhook_id": 42}', {}),
        ("woocommerce", b"webhook_id=42", {"X-WC-Webhook-Signature": "no"}),
        ("woocommerce", b'{"id": 1}', {"X-WC-Webhook-Topic": "order.created"}),
        ("shopify", b"webhook_id=42", {"X-Shopify-Shop-Domain": "mugs.myshopify.com"}),
        ("magento", b"webhook_id=42", {}),
    ],
)
def test_nothing_else_is_believed_unsigned(
    house: House, channel: str, body: bytes, headers: dict[str, str]
) -> None:
    know(house, woocommerce="shh", magento=KEYS["magento"])

    assert ask(webhook, POST, body, headers=headers, channel=channel)[0] == 401
    assert house.rows("channels") == []
