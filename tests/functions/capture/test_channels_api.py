"""Shops, what they call our items, and what they said that nobody understood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.capture import channels_api
from functions.capture import receive_channel_order as webhook
from functions.ops import api as ops_api
from oms.adapters.channels import CHANNELS, shopify
from oms.adapters.channels.base import named
from oms.adapters.webhooks import Call
from tests.functions.capture.test_receive_channel_order import PAYLOAD
from tests.functions.doors import SECRETS, House, ask, house

__all__ = ["house"]
pytestmark = pytest.mark.cloud

SHOP = "shopify:mugs.myshopify.com"
WEBHOOK = "POST /channels/{channel}/webhooks"


def tell(body: bytes, **headers: str) -> tuple[int, Any]:
    signed = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": "mugs.myshopify.com",
        "X-Shopify-Hmac-Sha256": shopify.signature(body, SECRETS["shopify"]),
    }
    return ask(webhook, WEBHOOK, body, headers={**signed, **headers}, channel="shopify")


def get(route: str, query: str = "", **path: Any) -> Any:
    status, answer = ask(channels_api, f"GET {route}", query=query, **path)
    assert status == 200, answer
    return answer


def put(route: str, said: Any, **path: Any) -> tuple[int, Any]:
    return ask(channels_api, f"PUT {route}", said, **path)


def post(route: str, **path: Any) -> tuple[int, Any]:
    return ask(channels_api, f"POST {route}", **path)


def whole(message_id: str) -> Any:
    """As somebody with the scope ops sees it."""
    event = {
        "routeKey": "GET /inbox/{message_id}",
        "pathParameters": {"message_id": message_id},
        "requestContext": {"authorizer": {"jwt": {"claims": {"scope": "oms/ops"}}}},
    }
    return json.loads(channels_api.handler(event, None)["body"])


def broken() -> bytes:
    """An amount that is none, under a good signature."""
    return json.dumps(json.loads(PAYLOAD.read_bytes()) | {"total_price": "1.001"}).encode()


def test_a_shop_is_named_with_its_address_and_what_it_hears(house: House) -> None:
    said = {
        "base_url": "https://mugs.myshopify.com/",
        "told": ["fulfillments", "stock"],
        "polled": True,
        "locations": {"AUSTIN": "gid://shopify/Location/1"},
        "settings": {"version": "2026-01"},
    }

    status, shop = put("/shops/{shop}", said, shop=SHOP)

    assert (status, shop["base_url"]) == (200, "https://mugs.myshopify.com")
    assert get("/shops/{shop}", shop=SHOP) == shop
    assert get("/shops")["items"] == [shop]


@pytest.mark.parametrize(
    "url",
    [
        "http://mugs.example.com",
        "https://user:secret@mugs.example.com",
        "https://mugs.example.com?key=1",
        "https://mugs.example.com#x",
        "ftp://mugs.example.com",
        "mugs.example.com",
        "http://127.0.0.1.example.com",
        "https://10.0.0.1",
        "https://169.254.169.254/latest",
        "https://2130706433",
        "https://0x7f.1",
        "https://metadata.google.internal",
        "https://vault",
        "https://mugs.localhost",
        "https://mugs.example.com:99999",
        "https://mugs.example.com/shop/../admin",
        "https://mugs.example.com/\x01",
        "https://mugs..example.com",
        "https://mugs\\example.com",
        "https://mugs%2eexample.com",
        "https://m\u00fcgs.example.com",
    ],
)
def test_an_address_that_would_tell_secrets_or_is_none_is_refused(house: House, url: str) -> None:
    status, problem = put("/shops/{shop}", {"base_url": url}, shop=SHOP)

    assert (status, problem["errors"][0]["field"]) == (422, "base_url")
    assert house.rows("channels") == []


def test_an_address_on_this_machine_needs_no_encryption(house: House) -> None:
    assert put("/shops/{shop}", {"base_url": "http://127.0.0.1:9999"}, shop=SHOP)[0] == 200


def test_where_credentials_are_changed_for_a_token_is_an_address_as_well(house: House) -> None:
    for url in ("http://tokens.example.com", "https://10.0.0.1/token", "tokens.example.com"):
        status, problem = put("/shops/{shop}", {"settings": {"token_url": url}}, shop=SHOP)
        assert (status, problem["errors"][0]["field"]) == (422, "settings.token_url")

    assert house.rows("channels") == []


@pytest.mark.parametrize(
    "url",
    [
        "https://xn--mgs-hoa.example.com:8443/shop/index.php",
        "https://mugs.example.com/a%20b/~c",
        "https://sandbox-api.mugs2.example",
    ],
)
def test_an_address_of_the_public_network_is_taken_as_it_is(house: House, url: str) -> None:
    assert put("/shops/{shop}", {"base_url": url}, shop=SHOP)[1]["base_url"] == url


def test_each_name_that_a_shop_of_woocommerce_can_have_is_one_to_put_in(house: House) -> None:
    for source in ("https://example.com/mugs/", "https://example.com:8443"):
        call = Call(b"{}", {"x-wc-webhook-source": source})
        name = named("woocommerce", CHANNELS["woocommerce"].shop(call))

        assert put("/shops/{shop}", {}, shop=name)[0] == 200


def test_a_shop_of_a_platform_that_we_do_not_know_is_none(house: House) -> None:
    assert put("/shops/{shop}", {}, shop="elsewhere:mugs")[0] == 404
    assert put("/shops/{shop}", {}, shop="shopify:Mugs Shop")[0] == 404
    assert put("/shops/{shop}/skus", {"skus": {"1": "MUG"}}, shop=SHOP)[0] == 404


def test_what_a_shop_calls_our_items_is_known_to_its_next_order(house: House) -> None:
    put("/shops/{shop}", {}, shop=SHOP)
    order = json.loads(PAYLOAD.read_bytes())
    for line in order["line_items"]:
        line |= {"sku": "", "variant_id": 77}

    assert put("/shops/{shop}/skus", {"skus": {"77": "CUP"}}, shop=SHOP)[0] == 200
    _, answer = tell(json.dumps(order).encode())

    lines = house.orders.get(answer["order_id"]).lines
    assert {line.sku for line in lines} == {"CUP"}


def test_what_cannot_be_understood_is_kept_whole_and_read_by_nobody_without_kms(
    house: House,
) -> None:
    body = broken()

    status, problem = tell(body)

    assert status == 422
    (listed,) = get("/inbox")["items"]
    assert listed["message_id"] in problem["detail"]
    assert (listed["shop"], listed["topic"], listed["state"]) == (SHOP, "orders/create", "failed")
    assert "1.001" in listed["reason"]
    seen = get("/inbox/{message_id}", message_id=listed["message_id"])
    assert (seen["body"], seen["headers"]) == (None, None)
    assert whole(listed["message_id"])["body"].encode() == body
    assert "Grace" not in str(house.rows("channels"))


def test_a_message_that_fails_again_is_kept_once(house: House) -> None:
    assert tell(broken())[1]["detail"] == tell(broken())[1]["detail"]

    (listed,) = get("/inbox")["items"]
    status, problem = post("/inbox/{message_id}/replay", message_id=listed["message_id"])

    assert status == 422
    assert [each["message_id"] for each in get("/inbox")["items"]] == [listed["message_id"]]
    assert listed["message_id"] in problem["detail"]


def test_after_a_fix_a_message_is_read_again_and_gone_from_the_list(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Any, __: Any) -> Any:
        raise KeyError("a bug of ours")

    with monkeypatch.context() as bug:
        bug.setattr(shopify.Shopify, "read", fails)
        assert tell(PAYLOAD.read_bytes())[0] == 422
    (listed,) = get("/inbox")["items"]

    status, done = post("/inbox/{message_id}/replay", message_id=listed["message_id"])

    assert (status, done["outcome"]) == (200, "accepted")
    assert house.orders.get(done["order_id"]).channel == SHOP
    assert get("/inbox")["items"] == []
    assert tell(PAYLOAD.read_bytes())[1]["outcome"] == "duplicate"
    assert post("/inbox/{message_id}/replay", message_id=listed["message_id"])[0] == 409


def test_a_resend_that_is_understood_ends_what_was_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: Any, __: Any) -> Any:
        raise KeyError("a bug of ours")

    with monkeypatch.context() as bug:
        bug.setattr(shopify.Shopify, "read", fails)
        tell(PAYLOAD.read_bytes(), **{"X-Shopify-Webhook-Id": "w-1"})

    assert tell(PAYLOAD.read_bytes(), **{"X-Shopify-Webhook-Id": "w-1"})[1]["outcome"] == "accepted"
    assert get("/inbox")["items"] == []


def test_what_is_dismissed_is_forgotten(house: House) -> None:
    tell(broken())
    (listed,) = get("/inbox")["items"]

    status, done = post("/inbox/{message_id}/dismiss", message_id=listed["message_id"])

    assert (status, done["state"]) == (200, "dismissed")
    assert get("/inbox")["items"] == []
    assert whole(listed["message_id"])["body"] is None
    assert post("/inbox/{message_id}/dismiss", message_id="msg_none")[0] == 404


def test_a_body_that_is_no_json_is_answered_and_not_kept(house: House) -> None:
    status, problem = tell(b"<order/>")

    assert (status, "not kept" in problem["detail"]) == (422, True)
    assert get("/inbox")["items"] == []


def test_a_body_that_a_row_cannot_hold_leaves_its_reason(house: House) -> None:
    from random import Random

    noise = Random(1).randbytes(500_000).hex()[:900_000]
    order = json.loads(broken()) | {"note": noise}

    assert tell(json.dumps(order).encode())[0] == 422

    (listed,) = get("/inbox")["items"]
    assert "too large to be kept" in listed["reason"]
    assert post("/inbox/{message_id}/replay", message_id=listed["message_id"])[0] == 409


def test_the_inbox_is_paged(house: House) -> None:
    for number in range(5):
        order = json.loads(broken()) | {"note": str(number)}
        tell(json.dumps(order).encode())

    found, cursor = [], ""
    while True:
        page = get("/inbox", f"limit=2{cursor}")
        found += [each["message_id"] for each in page["items"]]
        if not page["cursor"]:
            break
        cursor = f"&cursor={page['cursor']}"

    assert len(found) == len(set(found)) == 5


def test_what_was_not_understood_is_seen_where_people_look_for_what_needs_them(
    house: House,
) -> None:
    tell(broken())
    (listed,) = get("/inbox")["items"]

    _, page = ask(ops_api, "GET /attention")

    (needing,) = page["items"]
    assert (needing["message_id"], needing["status"]) == (listed["message_id"], "failed")
    for deed in ("retry", "ignore", "cancel"):
        route = f"POST /attention/{{order_id}}/{deed}"
        status, problem = ask(ops_api, route, {}, order_id=listed["message_id"])
        assert (status, "/inbox/" in problem["detail"]) == (409, True)


def test_the_list_of_what_needs_people_goes_on_from_orders_to_messages(house: House) -> None:
    tell(broken())

    _, first = ask(ops_api, "GET /attention", query="limit=1")

    assert [each["message_id"] != "" for each in first["items"]] == [True]
    assert CHANNELS["shopify"].code == "shopify"
