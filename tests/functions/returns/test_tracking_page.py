"""The customer's own page: what its token opens, and what it does not."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from functions.capture import api as capture
from functions.returns import tracking_page
from oms.adapters.secrets import secrets
from oms.contracts.routes import ROUTES
from tests.functions.doors import House, ask, house
from tests.functions.returns.parcels import allow, delivered, request

__all__ = ["house"]
pytestmark = pytest.mark.cloud

ASKED = {"lines": [{"line_id": "line_1", "quantity": 1, "reason": "too_small"}]}


def opened(method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    return ask(tracking_page, f"{method} /track/{{token}}/returns{path}", body, **more)


def test_the_page_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "TrackingPage"}

    assert tracking_page.app.routes == declared
    assert {r.scope for r in ROUTES if r.function_id == "TrackingPage"} == {None}


def test_the_order_tells_its_token_and_the_token_opens_the_page(house: House) -> None:
    allow()
    order = delivered(house)
    token = ask(capture, "GET /orders/{order_id}", order_id=order.order_id)[1]["tracking_token"]

    options = opened("GET", "/options", token=token)[1]
    status, found = opened("POST", "", ASKED, token=token)

    assert options["lines"][0]["returnable"] == 2
    assert "exchange" not in options["resolutions"]
    assert (status, found["status"]) == (201, "requested")
    seen = opened("GET", "/{return_id}", token=token, return_id=found["return_id"])
    assert seen == (200, found)
    (stored,) = house.orders.get(order.order_id).returns
    assert stored.requested_by == "customer"


def test_what_the_customer_sees_names_nobody(house: House) -> None:
    allow()
    order = delivered(house)
    found = request(order.order_id)[1]["return_id"]
    token = secrets().tracking_token(order.order_id)

    seen = opened("GET", "/{return_id}", token=token, return_id=found)[1]

    assert not {"requested_by", "override", "location_id", "reason"} & set(seen)
    assert "customer" not in json.dumps(seen)


def test_the_customer_sets_no_price_and_allows_nothing(house: House) -> None:
    allow(days=0)
    token = secrets().tracking_token(delivered(house).order_id)

    assert opened("POST", "", ASKED, token=token)[0] == 409
    for more in (
        {"override": True, "reason": "please"},
        {"resolution": "exchange"},
        {"exchange": [{"sku": "MUG", "quantity": 1, "unit_price": 1}]},
        {"in_store": "AUSTIN", "received": True},
    ):
        assert opened("POST", "", {**ASKED, **more}, token=token)[0] == 422


def test_under_one_key_the_customer_asks_once(house: House) -> None:
    allow()
    token = secrets().tracking_token(delivered(house).order_id)

    key = {"Idempotency-Key": "k"}
    answers = [opened("POST", "", ASKED, token=token, headers=key) for _ in range(2)]

    assert [status for status, _ in answers] == [201, 200]
    assert answers[0][1] == answers[1][1]


def test_a_token_that_is_not_ours_tells_nothing(house: House) -> None:
    allow()
    order = delivered(house)
    token = secrets().tracking_token(order.order_id)
    nobodys = secrets().tracking_token("ord_" + "a" * 26)
    wrong = ("-", order.order_id, token[:-1], token + "a", token[::-1], nobodys, "é-ß")

    answers = {json.dumps(opened("GET", "/options", token=each)) for each in wrong}
    answers |= {json.dumps(opened("POST", "", ASKED, token=each)) for each in wrong}

    assert len(answers) == 1
    assert json.loads(answers.pop())[0] == 404
    assert opened("GET", "/options", token="")[0] == 404


def test_a_token_opens_its_own_order_only(house: House) -> None:
    allow()
    mine, other = delivered(house), delivered(house, external_id="2")
    theirs = request(other.order_id)[1]["return_id"]
    token = secrets().tracking_token(mine.order_id)

    for found in (theirs, f"ret_{mine.order_id[4:]}-9", "x"):
        assert opened("GET", "/{return_id}", token=token, return_id=found)[0] == 404


def test_no_log_line_has_the_token(house: House, caplog: pytest.LogCaptureFixture) -> None:
    token = secrets().tracking_token(delivered(house).order_id)
    with caplog.at_level(logging.INFO):
        opened("GET", "/options", token=token)

    assert caplog.records
    assert all(token not in str(vars(record)) for record in caplog.records)
