"""What clients are told: every refusal says why, names the field, and writes nothing."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from infra.local.client import Answer, Json
from oms.adapters.carriers import easypost
from oms.adapters.channels import shopify
from oms.adapters.payments import sandbox
from oms.contracts.cursors import encode_cursor
from oms.contracts.routes import ROUTES, Route
from oms.domain.ids import order_id_of
from tests.system.shop import Shop

pytestmark = pytest.mark.system

NOBODY = "ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"
NO_BOX = "ful_aaaaaaaaaaaaaaaaaaaaaaaaaa-1"
PROTECTED = [route for route in ROUTES if route.scope]


def ask(shop: Shop, key: str, body: Any = None, token: str | None = None, **headers: str) -> Answer:
    """One request, as it is; `token` None is a good one of all scopes. Never a 5xx, never code."""
    method, path = key.split(" ")
    octets = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    bearer = shop.api.authorization() if token is None else {"Authorization": f"Bearer {token}"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = shop.api.ask_once(method, path, octets, {**bearer, **sent})
    assert answer is not None
    assert answer.status < 500, answer
    assert b"Traceback" not in answer.body, answer
    return answer


def faults(answer: Answer) -> dict[str, str]:
    problem = answer.json()
    assert problem["status"] == answer.status
    assert problem["title"]
    return {fault["field"]: fault["reason"] for fault in problem.get("errors", [])}


def filled(route: Route) -> str:
    path = route.path.replace("{order_id}", NOBODY).replace("{id}", NO_BOX)
    for name in ("hold_id", "sku", "location"):
        path = path.replace("{" + name + "}", "NONE")
    return f"{route.method} {path}"


def assert_nothing_was_placed(shop: Shop, basket: Json) -> None:
    order_id = order_id_of(str(basket["channel"]), str(basket["external_id"]))
    assert ask(shop, f"GET /orders/{order_id}").status == 404


# --- who asks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", PROTECTED, ids=lambda route: route.key)
def test_nobody_passes_without_a_token(shop: Shop, route: Route) -> None:
    assert shop.api.ask_once(route.method, filled(route).split(" ")[1], b"{}", {}).status == 401  # type: ignore[union-attr]


def test_a_foreign_or_tampered_token_is_none(shop: Shop) -> None:
    good = shop.app.token()
    head, claims, signature = good.split(".")
    flipped = "A" if signature[9] != "A" else "B"
    for bad in (
        "x",
        "a.b.c",
        f"{head}.{claims}.",
        f"{head}.{claims}.{signature[:9]}{flipped}{signature[10:]}",
        f"{head}.{claims[:-4]}AAAA.{signature}",
        f"eyJhbGciOiJub25lIn0.{claims}.",
    ):
        assert ask(shop, "GET /orders", token=bad).status == 401, bad


def test_a_token_opens_the_routes_of_its_scope_only(shop: Shop) -> None:
    token = shop.app.token("oms/orders.read")

    for route in PROTECTED:
        status = ask(shop, filled(route), {}, token).status
        assert (status == 403) == (route.scope != "orders.read"), route.key


WEBHOOKS = {
    "/channels/shopify/webhooks": "X-Shopify-Hmac-Sha256",
    "/payments/test/webhooks": "Test-Signature",
    "/carriers/easypost/webhooks": "X-Hmac-Signature",
}


@pytest.mark.parametrize("path", WEBHOOKS)
def test_a_webhook_without_its_senders_signature_is_refused(shop: Shop, path: str) -> None:
    header = WEBHOOKS[path]
    forged = [
        {},
        {header: ""},
        {header: "x" * 5000},
        {header: "t=1,v1=" + "0" * 64},
        {header: easypost.signature(b"{}", "guessed")},
        {header: shopify.signature(b"{}", "guessed")},
    ]
    for headers in forged:
        answer = shop.api.ask_once("POST", path, b"{}", headers)
        assert answer is not None
        assert answer.status == 401, (headers, answer)


@pytest.mark.parametrize("sender", ["channels/nowhere", "payments/nobody", "carriers/pigeon"])
def test_an_unknown_sender_of_webhooks_is_not_found(shop: Shop, sender: str) -> None:
    assert ask(shop, f"POST /{sender}/webhooks", {}).status == 404


# --- what is asked -------------------------------------------------------------------------------


def test_the_same_order_again_is_the_same_and_another_one_is_refused(shop: Shop) -> None:
    sku = shop.stocked(9)
    basket = shop.basket((sku, 1))
    other = {**basket, "lines": [{"sku": sku, "quantity": 2, "unit_price": 500}]}
    elsewhere = shop.basket((sku, 1))
    key = f"key-{basket['external_id']}"

    first = ask(shop, "POST /orders", basket, Idempotency_Key=key)
    again = [
        ask(shop, "POST /orders", basket, Idempotency_Key=key),
        ask(shop, "POST /orders", basket, Idempotency_Key=f"{key}-2"),
        ask(shop, "POST /orders", dict(reversed(basket.items()))),
    ]

    assert first.status == 201
    assert {answer.status for answer in again} == {200}
    assert {answer.json()["order_id"] for answer in again} == {first.json()["order_id"]}
    for body, of_key in ((other, key), (other, f"{key}-3"), (elsewhere, key)):
        assert ask(shop, "POST /orders", body, Idempotency_Key=of_key).status == 409
    assert_nothing_was_placed(shop, elsewhere)


def test_all_that_is_wrong_with_an_order_is_told_at_once(shop: Shop) -> None:
    basket = shop.basket(("NOTHING-WE-KNOW", 1))
    wrong = {
        **basket,
        "currency": "XXY",
        "customer": {"email": "not an address"},
        "surprise": True,
        "lines": [
            {"sku": "A", "quantity": 0, "unit_price": 1},
            {"sku": "B", "quantity": -1, "unit_price": 1},
            {"sku": "C", "quantity": 10**17, "unit_price": 1},
            {"sku": "D", "quantity": "2", "unit_price": 1},
            {"sku": "E", "quantity": True, "unit_price": 1.5},
            {"sku": "F", "quantity": 1, "unit_price": -5},
            {"sku": "", "quantity": 1},
        ],
    }

    answer = ask(shop, "POST /orders", wrong)

    assert answer.status == 422
    assert {
        "currency",
        "customer.email",
        "surprise",
        *(f"lines[{place}].quantity" for place in range(5)),
        "lines[4].unit_price",
        "lines[5].unit_price",
        "lines[6].sku",
        "lines[6].unit_price",
    } == faults(answer).keys()
    assert_nothing_was_placed(shop, wrong)


def test_unknown_skus_providers_and_totals_are_refused_with_their_reasons(shop: Shop) -> None:
    sku = shop.stocked(1)
    unknown = shop.basket((sku, 1), ("NOTHING-WE-KNOW", 1))
    bank = shop.basket((sku, 1), payment={"provider": "nobank", "token": "x"})
    short = shop.basket((sku, 1), total=1499)
    homeless = shop.basket((sku, 1), shipping_address=None)

    assert "NOTHING-WE-KNOW" in faults(ask(shop, "POST /orders", unknown))["lines[1].sku"]
    assert "payment.provider" in faults(ask(shop, "POST /orders", bank))
    said = faults(ask(shop, "POST /orders", short))["total"]
    assert "1500" in said
    assert "1499" in said
    assert "shipping_address" in faults(ask(shop, "POST /orders", homeless))
    for basket in (unknown, bank, short, homeless):
        assert_nothing_was_placed(shop, basket)


NO_JSON = {
    "nothing": b"",
    "half of it": b'{"channel":',
    "not text": b"\xff\xfe{}",
    "not a number": b'{"total": NaN}',
    "one key twice": b'{"channel": "a", "channel": "b"}',
    "very deep": b"[" * 100_000,
    "a huge number": b'{"total": 1' + b"0" * 5000 + b"}",
    "a list": b"[]",
    "a text": b'"order"',
}


@pytest.mark.parametrize("kind", NO_JSON)
def test_what_is_no_json_object_is_refused(shop: Shop, kind: str) -> None:
    answer = ask(shop, "POST /orders", NO_JSON[kind])

    assert answer.status in (400, 422)
    assert answer.json()["status"] == answer.status


@pytest.mark.parametrize("megabytes", [2, 10])
def test_a_body_of_megabytes_is_too_large(shop: Shop, megabytes: int) -> None:
    basket = shop.basket(("A", 1), padding="x" * megabytes * 1_000_000)

    assert ask(shop, "POST /orders", basket).status == 413
    assert_nothing_was_placed(shop, basket)


def test_a_bad_idempotency_key_is_refused(shop: Shop) -> None:
    for key in ("", "x" * 256, "a b"):
        basket = shop.basket((shop.stocked(1), 1))
        assert ask(shop, "POST /orders", basket, Idempotency_Key=key).status == 400
        assert_nothing_was_placed(shop, basket)


@pytest.mark.parametrize("text", ["\ud800", "\x00", "a\u2028b", "x" * 501])
def test_text_that_cannot_be_kept_is_refused(shop: Shop, text: str) -> None:
    basket = shop.basket((shop.stocked(1), 1))
    basket["shipping_address"]["line1"] = text

    assert "shipping_address.line1" in faults(ask(shop, "POST /orders", basket))
    assert ask(shop, f"POST /orders/{NOBODY}/cancel", {"reason": text}).status in (400, 422)
    assert_nothing_was_placed(shop, basket)


SENDERS: dict[str, Callable[[Shop, bytes], Answer]] = {
    "easypost": lambda shop, body: tell(
        shop, "carriers/easypost", body, "X-Hmac-Signature", easypost.signature
    ),
    "shopify": lambda shop, body: tell(
        shop, "channels/shopify", body, "X-Shopify-Hmac-Sha256", shopify.signature
    ),
    "test": lambda shop, body: tell(
        shop, "payments/test", body, "Test-Signature", sandbox_signature
    ),
}
SIGNED = [
    *NO_JSON.values(),
    b"{}",
    b'{"id": 1, "currency": "USD", "total_price": "1e99", "line_items": [{}]}',
    b'{"id": 1, "currency": "USD", "total_price": "\\ud800", "line_items": null}',
    b'{"description": "tracker.updated", "result": {"tracking_code": "\\u0000"}}',
    b'{"description": "tracker.updated", "result": {"tracking_code": "EZ1", "status": 7,'
    b' "tracking_details": [{"datetime": "yesterday"}]}}',
    b'{"event": "authorization.succeeded", "order_id": "x", "key": "\\ud800"}',
    b'{"event": "authorization.succeeded", "order_id": "ord_x", "key": "y"}',
]


def sandbox_signature(body: bytes, secret: str) -> str:
    return sandbox.signature(body, secret, int(time.time()))


def tell(
    shop: Shop, path: str, body: bytes, header: str, sign: Callable[[bytes, str], str]
) -> Answer:
    signed = {header: sign(body, shop.api.secrets[path.partition("/")[2]])}
    if path == "channels/shopify":
        signed["X-Shopify-Topic"] = "orders/create"
    answer = shop.api.ask_once("POST", f"/{path}/webhooks", body, signed)
    assert answer is not None
    return answer


@pytest.mark.parametrize("sender", SENDERS)
def test_a_signed_message_that_makes_no_sense_is_refused(shop: Shop, sender: str) -> None:
    for body in SIGNED:
        answer = SENDERS[sender](shop, body)
        assert 400 <= answer.status < 500, (body[:80], answer)


UNKNOWN = [
    f"GET /orders/{NOBODY}",
    f"GET /orders/{NOBODY}/events",
    f"POST /orders/{NOBODY}/cancel",
    f"POST /orders/{NOBODY}/holds/hold_1/release",
    "GET /orders/%00%ff",
    "GET /orders/" + "x" * 3000,
    "GET /stock/NOTHING-WE-KNOW",
    f"GET /fulfillment-orders/{NO_BOX}",
    *(f"POST /fulfillment-orders/{NO_BOX}/{step}" for step in ("accept", "pick", "pack")),
    "POST /fulfillment-orders/nothing/accept",
    f"POST /attention/{NOBODY}/retry",
    f"POST /attention/{NOBODY}/cancel",
    f"POST /attention/{NOBODY}/ignore",
    "GET /nowhere",
    "DELETE /orders",
]


@pytest.mark.parametrize("key", UNKNOWN)
def test_what_is_not_there_is_not_found(shop: Shop, key: str) -> None:
    assert ask(shop, key, None if key.startswith("GET") else {}).status in (404, 405)


def cursor(**key: str) -> str:
    return encode_cursor(key)


FORGED = [
    cursor(PK="ORDER#x", SK="ORDER", GSI1PK="y", at="z"),
    cursor(day="0001-01-01"),
    cursor(day="9999-12-31", PK="", SK="ORDER"),
    cursor(seq="1"),
    cursor(seq="9" * 12),
    cursor(seq="-7"),
    cursor(PK="ORDER#", at=""),
    cursor(after="x"),
    cursor(after="x" * 1400),
]
LISTINGS = [
    "/orders?customer=a%40example.com",
    "/orders?from=2026-01-01",
    "/orders/{order_id}/events?limit=5",
    "/fulfillment-orders?location=NEAR",
    "/attention?limit=5",
    "/books?",
    "/stock/{sku}?limit=5",
    "/stock/{sku}/movements?limit=5",
    "/purchase-orders?limit=5",
    "/transfers?status=draft",
    "/jobs?limit=5",
    "/routing/rule-sets?limit=5",
]


GARBAGE = [
    "/orders?cursor=garbage",
    "/orders?customer=a%40example.com&cursor=e30",
    "/orders?cursor=eyJQSyI6IngifQ",
    f"/orders/{NOBODY}/events?cursor=%F0%9F%92%A9",
    "/fulfillment-orders?location=NEAR&cursor=eyJhIjoiYiJ9",
    "/attention?cursor=eyJhIjoiYiJ9",
    "/books?cursor=eyJhIjoiYiJ9",
    "/purchase-orders?cursor=eyJhIjoiYiJ9",
    "/transfers?status=draft&cursor=garbage",
    "/jobs?cursor=eyJhIjoiYiJ9",
    "/routing/rule-sets?cursor=e30",
]


@pytest.mark.parametrize("path", GARBAGE)
def test_a_cursor_that_we_never_gave_is_refused(shop: Shop, path: str) -> None:
    assert ask(shop, f"GET {path}").status == (404 if NOBODY in path else 400)


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_cursor_of_another_listing_does_no_harm(shop: Shop, listing: str) -> None:
    sku = shop.stocked(1)
    order_id = shop.place((sku, 1))
    path = listing.replace("{order_id}", order_id).replace("{sku}", sku)

    for forged in FORGED:
        assert ask(shop, f"GET {path}&cursor={forged}").status in (200, 400), (path, forged)


QUERIES = {
    "/orders?status=lost": "status",
    "/orders?limit=0": "limit",
    "/orders?limit=many": "limit",
    "/orders?from=2026-02-30": "from",
    "/orders?from=2026-03-02&to=2026-03-01": "to",
    "/orders?colour=red": "colour",
    "/orders?customer=": "customer",
    "/availability": "sku",
    "/fulfillment-orders?location=NEAR&status=eaten": "status",
    "/reports/sales?from=yesterday": "from",
    "/stock/A?at=yesterday": "at",
    "/stock/A/movements?from=2026-03-02&to=2026-03-01": "to",
    "/purchase-orders?status=lost": "status",
    "/locations/NEAR/capacity?from=2026-03-02&to=2026-03-01": "to",
    "/rates/parcels?version=newest": "version",
    f"/orders/{NOBODY}/routing?location=": "location",
}


@pytest.mark.parametrize("path", QUERIES)
def test_a_bad_question_names_its_parameter(shop: Shop, path: str) -> None:
    answer = ask(shop, f"GET {path}")

    assert answer.status == 422
    assert QUERIES[path] in faults(answer)


DISTANT = [
    "/orders?from=0001-01-01&to=0001-01-01",
    "/orders?customer=a%40example.com&from=0001-01-01&to=9999-12-31",
    "/orders?to=9999-12-31",
    "/reports/sales?from=0001-01-01&to=0001-01-02",
    "/reports/sales?to=9999-12-31",
]


@pytest.mark.parametrize("path", DISTANT)
def test_the_ends_of_the_calendar_are_days_like_others(shop: Shop, path: str) -> None:
    said = ask(shop, f"GET {path}").json()
    assert said["rows" if path.startswith("/reports") else "items"] == []


BODIES: list[tuple[str, Any, str]] = [
    ("POST /stock/A/NEAR/receipts", {"quantity": 0}, "quantity"),
    ("POST /stock/A/NEAR/receipts", {"quantity": -1}, "quantity"),
    ("POST /stock/A/NEAR/receipts", {"quantity": 10**12}, "quantity"),
    ("POST /stock/A/NEAR/receipts", {"quantity": "5"}, "quantity"),
    ("POST /stock/A/NEAR/receipts", {}, "quantity"),
    ("PUT /locations/NOWHERE", {"name": "Nowhere", "country": "ZZ"}, "country"),
    ("PUT /locations/NOWHERE", {"name": "Nowhere", "country": "US", "kind": "cave"}, "kind"),
    (f"POST /orders/{NOBODY}/holds", {"type": "mood", "reason": "x"}, "type"),
    (f"POST /orders/{NOBODY}/cancel", {"lines": []}, "lines"),
    (f"POST /fulfillment-orders/{NO_BOX}/ship", {"parcels": []}, "parcels"),
    (f"POST /fulfillment-orders/{NO_BOX}/reject", {}, "reason"),
    (f"POST /fulfillment-orders/{NO_BOX}/short-pick", {"lines": []}, "lines"),
    ("POST /stock/A/NEAR/adjustments", {"quantity": 0, "reason": "lost"}, "quantity"),
    ("POST /stock/A/NEAR/counts", {"counted": -1}, "counted"),
    ("PUT /items/A", {"weight_g": 0}, "weight_g"),
    ("PUT /items/A", {"components": [{"sku": "NOTHING-WE-KNOW"}]}, "components[0].sku"),
    ("PUT /channels/web", {"locations": ["ATLANTIS"]}, "locations[0]"),
    ("POST /holds", {"channel": "web", "lines": []}, "lines"),
    ("POST /transfers", {"from": "NEAR", "to": "NEAR"}, "expected_on"),
    ("POST /purchase-orders", {"supplier": "Potters", "location": "NEAR"}, "lines"),
    ("POST /locations/NEAR/outages", {"from": "2026-02-30"}, "from"),
    ("PUT /rates/parcels", {"zones": [{"zone": "a", "country": "XX"}]}, "zones[0].country"),
    ("POST /routing/rule-sets", {"name": "house", "objective": "best"}, "objective"),
    ("POST /routing/simulations", {"rule_set": 0, "from": "2026-01-02"}, "to"),
    ("POST /stock/imports", {"size": 0}, "size"),
]


@pytest.mark.parametrize(("key", "body", "field"), BODIES)
def test_a_bad_body_names_its_field(shop: Shop, key: str, body: Json, field: str) -> None:
    answer = ask(shop, key, body)

    assert answer.status == 422
    assert field in faults(answer)


def test_stock_is_received_at_locations_that_exist(shop: Shop) -> None:
    assert ask(shop, "POST /stock/A/ATLANTIS/receipts", {"quantity": 1}).status == 404


def test_steps_out_of_order_are_refused_and_change_nothing(shop: Shop) -> None:
    order = shop.routed((shop.stocked(5), 2))
    box = order["fulfillment_orders"][0]["fulfillment_order_id"]
    two = [{"line_id": "line_1", "quantity": 2}]
    parcel = {"carrier": "easypost", "tracking_number": "EZ0", "lines": two}

    assert ask(shop, f"POST /fulfillment-orders/{box}/deliver").status == 409
    assert ask(shop, f"POST /fulfillment-orders/{box}/ship", {"parcels": [parcel]}).status == 409
    shop.do(box, "pick", "pack")
    for path, body in (
        ("accept", None),
        ("pick", None),
        ("ship", {"parcels": [{**parcel, "lines": [{"line_id": "line_1", "quantity": 1}]}]}),
        ("ship", {"parcels": [{**parcel, "lines": [{"line_id": "line_1", "quantity": 3}]}]}),
    ):
        assert ask(shop, f"POST /fulfillment-orders/{box}/{path}", body).status == 409, path
    pigeon = {"parcels": [{**parcel, "carrier": "pigeon"}]}
    refused = ask(shop, f"POST /fulfillment-orders/{box}/ship", pigeon)
    assert (refused.status, [*faults(refused)]) == (422, ["parcels[0].carrier"])
    too_many = {"lines": [{"line_id": "line_1", "quantity": 3}]}
    cancel = f"POST /orders/{order['order_id']}/cancel"
    assert ask(shop, cancel, too_many).status == 409
    assert ask(shop, cancel, {"lines": [{"line_id": "line_9", "quantity": 1}]}).status == 404
    assert shop.order(order["order_id"])["version"] == order["version"] + 2
