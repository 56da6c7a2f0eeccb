"""The door for carts: what it takes, what it refuses by name, and what it answers twice."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from functions.capture import api as orders_api
from functions.holds import api
from oms.adapters.leases_table import LeasesTable
from oms.contracts.routes import ROUTES
from oms.domain.leases import Lease
from tests.functions.doors import House, ask, house

pytestmark = pytest.mark.cloud

__all__ = ["house"]
POST, ONE = "POST /holds", "/holds/{hold_id}"
CART = {"channel": "web", "lines": [{"sku": "MUG", "quantity": 2}]}


@pytest.fixture
def shop(house: House) -> House:
    house.stocked("MUG", 5)
    return house


def units(shop: House) -> tuple[int, int, int]:
    (level,) = shop.stock.levels(["MUG"])["MUG"]
    return level.on_hand, level.available, level.reserved


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "HoldsApi"}

    assert api.app.routes == declared


def test_a_cart_holds_changes_extends_and_releases(shop: House) -> None:
    status, hold = ask(api, POST, CART)
    name = hold["hold_id"]

    assert status == 201
    assert hold["state"] == "held"
    assert hold["held"] == [{"item": "MUG", "location_id": "AUSTIN", "quantity": 2}]
    assert ask(api, f"GET {ONE}", hold_id=name) == (200, hold)
    _, changed = ask(api, f"PUT {ONE}", {"lines": [{"sku": "MUG", "quantity": 5}]}, hold_id=name)
    assert (changed["held"][0]["quantity"], units(shop)) == (5, (5, 0, 5))
    _, extended = ask(api, f"POST {ONE}/extend", {"expires_in": 3600}, hold_id=name)
    assert extended["expires_at"] > hold["expires_at"]
    for _ in range(2):
        status, released = ask(api, f"POST {ONE}/release", hold_id=name)
        assert (status, released["state"], released["held"]) == (200, "released", [])
    assert units(shop) == (5, 5, 0)


@pytest.mark.parametrize("named", ["by the client", "by a key"])
def test_the_same_request_again_is_answered_with_the_same_hold(shop: House, named: str) -> None:
    body = CART | ({"hold_id": "hld_checkout1"} if named == "by the client" else {})
    headers = {"Idempotency-Key": "cart-7"} if named == "by a key" else {}

    first = ask(api, POST, body, headers=dict(headers))
    again = ask(api, POST, body, headers=dict(headers))
    other = ask(api, POST, body | {"expires_in": 60}, headers=dict(headers))

    assert (first[0], again) == (201, (200, first[1]))
    assert other[0] == 409
    assert units(shop) == (5, 3, 2)


def test_short_lines_are_named_with_what_can_be_had_and_nothing_is_held(shop: House) -> None:
    lines = [{"sku": "MUG", "quantity": 4}, {"sku": "MUG", "quantity": 3}]

    status, problem = ask(api, POST, CART | {"lines": lines})

    assert status == 409
    assert problem["errors"] == [
        {"field": "lines[1]", "reason": "3 of MUG, 1 available"},
    ]
    assert units(shop) == (5, 5, 0)


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"channel": ""}, "channel"),
        ({"channel": None}, "channel"),
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "MUG", "quantity": 1}] * 26}, "lines"),
        ({"lines": [{"sku": "MUG", "quantity": 0}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "MUG", "quantity": -1}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "MUG", "quantity": 1.5}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "MUG", "quantity": True}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "MUG", "quantity": 10**9}]}, "lines[0].quantity"),
        ({"lines": [{"sku": "M\x00G", "quantity": 1}]}, "lines[0].sku"),
        ({"lines": [{"sku": "NOBODYS", "quantity": 1}]}, "lines[0].sku"),
        ({"lines": [{"sku": "MUG", "quantity": 1, "price": 0}]}, "lines[0].price"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": 86_401}, "expires_in"),
        ({"expires_in": "900"}, "expires_in"),
        ({"hold_id": "hld_"}, "hold_id"),
        ({"hold_id": "ord_abcdefghij"}, "hold_id"),
        ({"hold_id": "hld_" + "x" * 100}, "hold_id"),
        ({"hold_id": "hld_a#b#cdefg"}, "hold_id"),
        ({"location": "no such#place"}, "location"),
        ({"location": "ATLANTIS"}, "location"),
        ({"country": "XX"}, "country"),
        ({"postal_code": "x" * 1000}, "postal_code"),
        ({"more": 1}, "more"),
    ],
)
def test_a_cart_that_is_none_is_refused_by_its_name(
    shop: House, fault: dict[str, Any], field: str
) -> None:
    before = len(shop.rows("stock"))

    status, problem = ask(api, POST, CART | fault)

    assert status == 422
    assert [each["field"] for each in problem["errors"]] == [field]
    assert len(shop.rows("stock")) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'{"channel": "web", "channel": 1}'])
def test_what_is_no_cart_at_all_is_refused(shop: House, body: bytes) -> None:
    assert ask(api, POST, body)[0] in (400, 422)


@pytest.mark.parametrize("name", ["hld_nobodys1", "hld_", "x", "hld_../../x", "hld_%00aaaaaaaa"])
def test_a_hold_that_is_none_is_not_found_or_refused(shop: House, name: str) -> None:
    for route in (f"GET {ONE}", f"POST {ONE}/release", f"POST {ONE}/extend"):
        assert ask(api, route, hold_id=name)[0] in (404, 422)


def test_a_hold_lasts_a_week_at_most(shop: House) -> None:
    _, hold = ask(api, POST, CART)

    assert ask(api, f"POST {ONE}/extend", {"expires_in": 86_401}, hold_id=hold["hold_id"])[0] == 422
    assert ask(api, f"POST {ONE}/extend", {"expires_in": 86_400}, hold_id=hold["hold_id"])[0] == 200


def order(**changes: Any) -> dict[str, Any]:
    return {
        "channel": "web",
        "external_id": "A-1",
        "currency": "USD",
        "customer": {"email": "ada@example.com", "name": "Ada"},
        "shipping_address": {
            "name": "Ada",
            "line1": "1 Main St",
            "city": "Austin",
            "country": "US",
        },
        "lines": [{"sku": "MUG", "quantity": 2, "unit_price": 1000}],
        "shipping": {"method": "standard", "price": 0},
        "total": 2000,
        "payment": {"provider": "test", "token": "tok_ok"},
        **changes,
    }


def test_an_order_carries_its_hold_and_one_whose_hold_has_ended_is_refused(shop: House) -> None:
    _, hold = ask(api, POST, CART)
    name = hold["hold_id"]

    assert ask(orders_api, "POST /orders", order(hold_id=name))[0] == 201
    assert ask(orders_api, "POST /orders", order(hold_id=name))[0] == 200
    status, problem = ask(api, f"POST {ONE}/release", hold_id=name)
    assert (status, problem["type"]) == (409, "urn:oms:spoken-for")
    status, problem = ask(
        orders_api, "POST /orders", order(hold_id="hld_nobodys1", external_id="A-2")
    )
    assert status == 409
    assert problem["errors"] == [{"field": "hold_id", "reason": "is no hold of web"}]
    status, problem = ask(orders_api, "POST /orders", order(hold_id="x", external_id="A-3"))
    assert (status, problem["errors"][0]["field"]) == (422, "hold_id")


def test_units_that_are_leased_for_orders_and_not_sold_can_be_held(shop: House) -> None:
    leased = Lease("lse_other", "MUG", "AUSTIN", 5, datetime.now(UTC))
    other = LeasesTable(shop.cloud.client("dynamodb"), shop.environment["STOCK_TABLE"], shop.stock)
    other.lease(None, leased, 0)
    assert units(shop) == (5, 0, 5)

    assert ask(api, POST, CART)[0] == 201

    assert sum(each.units for each in other.open()) + units(shop)[1] == 3
    assert units(shop)[0] == 5
