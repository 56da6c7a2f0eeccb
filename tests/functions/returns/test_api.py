"""Returns as staff, stores and warehouses report them, as the gateway brings it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from typing import Any

import pytest

from functions.capture import api as capture
from functions.returns import api
from oms.contracts.routes import ROUTES
from oms.domain.locations import Location, LocationKind
from oms.domain.order import fold
from oms.domain.returns import RefundWhen
from oms.domain.returns.policy import Charges
from tests.functions.doors import House, ask, house
from tests.functions.returns.parcels import allow, delivered, get, level, post, request

__all__ = ["house"]
pytestmark = pytest.mark.cloud

SOUND = {"line_id": "line_1", "quantity": 1, "acceptance": "accepted", "disposition": "restock"}


def one(**changes: Any) -> dict[str, Any]:
    return {"lines": [{**SOUND, **changes}]}


def came(quantity: int = 1, **changes: Any) -> dict[str, Any]:
    return {"lines": [{"line_id": "line_1", "quantity": quantity, **changes}]}


def wanted(quantity: int = 1, reason: str = "too_small", **changes: Any) -> dict[str, Any]:
    lines = [{"line_id": "line_1", "quantity": quantity, "reason": reason}]
    return {"lines": lines, "resolution": "refund", **changes}


def approved(house: House, quantity: int = 1) -> str:
    order = delivered(house, 2)
    found = request(order.order_id, wanted(quantity))[1]["return_id"]
    assert post("approve", found)[0] == 200
    return str(found)


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "ReturnsApi"}

    assert api.app.routes == declared


def test_a_return_goes_from_request_to_inspection(house: House) -> None:
    allow()
    order = delivered(house)
    assert level(house) == (2, 2, 0)

    status, found = request(order.order_id, wanted())
    assert (status, found["status"]) == (201, "requested")
    return_id = found["return_id"]
    assert post("approve", return_id) == (200, {**get(return_id), "status": "approved"})
    assert post("receive", return_id, came())[1]["status"] == "received"
    assert level(house) == (2, 2, 0)
    status, found = post("inspect", return_id, one())

    assert status == 200
    assert found["status"] in ("inspected", "completed")
    assert level(house) == (3, 3, 0)
    (line,) = found["lines"]
    assert (line["received"], line["accepted"], line["rejected"]) == (1, 1, 0)
    assert found["refund_amount"] == sum(part["amount"] for part in found["explanation"])
    assert found["location_id"] == "AUSTIN"


def test_the_order_tells_of_its_returns(house: House) -> None:
    allow()
    order = delivered(house)
    return_id = request(order.order_id)[1]["return_id"]

    view = ask(capture, "GET /orders/{order_id}", order_id=order.order_id)[1]
    listed = ask(api, "GET /orders/{order_id}/returns", order_id=order.order_id)[1]["items"]

    assert view["return_status"] == "requested"
    assert view["returns"] == [
        {"return_id": return_id, "status": "requested", "resolution": "refund"}
    ]
    assert listed == [get(return_id)]


def test_what_is_judged_as_it_comes_is_received_and_inspected(house: House) -> None:
    allow()
    return_id = approved(house)

    status, found = post("receive", return_id, one())

    assert (status, found["lines"][0]["accepted"]) == (200, 1)
    assert level(house) == (3, 3, 0)
    assert post("inspect", return_id, one())[0] == 200
    assert level(house) == (3, 3, 0)


@pytest.mark.parametrize("step", ["receive", "inspect"])
def test_under_one_key_units_come_once(house: House, step: str) -> None:
    allow()
    return_id = approved(house, 2)
    if step == "inspect":
        post("receive", return_id, came(2))
    body = one() if step == "inspect" else came()

    answers = [post(step, return_id, body, headers={"Idempotency-Key": "k"}) for _ in range(2)]

    assert [status for status, _ in answers] == [200, 200]
    assert answers[0] == answers[1]
    (line,) = get(return_id)["lines"]
    assert (line["accepted"] if step == "inspect" else line["received"]) == 1
    other = post(step, return_id, one(quantity=2), headers={"Idempotency-Key": "k"})
    assert other[0] == 409


def test_a_request_under_one_key_is_one_return(house: House) -> None:
    allow()
    order, key = delivered(house), {"headers": {"Idempotency-Key": "k"}}

    first = request(order.order_id, wanted(2), **key)
    again = request(order.order_id, wanted(2), **key)

    assert (first[0], again[0]) == (201, 200)
    assert first[1] == again[1]
    assert request(order.order_id, wanted(1), **key)[0] == 409
    assert request(order.order_id, wanted(2))[0] == 409


def test_of_many_requests_for_all_units_at_once_one_succeeds(house: House) -> None:
    allow(automatic=True)
    order = delivered(house)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: request(order.order_id, wanted(2))[0], range(20)))

    assert answers.count(201) == 1
    assert set(answers) - {201} <= {409, 429}
    stored = house.orders.get(order.order_id)
    assert len(stored.returns) == 1
    assert fold(order.order_id, house.orders.whole_history(order.order_id)) == stored


def test_a_refusal_says_which_line_and_why(house: House) -> None:
    allow()
    order = delivered(house)

    status, problem = request(order.order_id, wanted(3))
    assert status == 409
    assert problem["errors"] == [
        {
            "field": "lines[0]",
            "reason": "line_1: 2 of 3 units can be returned: "
            "2 delivered, 0 returned or announced already",
        }
    ]
    status, problem = request(order.order_id, {"lines": [{"line_id": "line_9", "quantity": 1}]})
    assert (status, problem["errors"][0]["field"]) == (422, "lines[0].line_id")
    assert request("ord_nobody")[0] == 404
    assert not house.orders.get(order.order_id).returns


def test_staff_may_allow_what_the_policy_does_not_and_say_why(house: House) -> None:
    allow(days=0)
    order = delivered(house)
    said = {"override": True, "reason": "a regular"}

    assert request(order.order_id, wanted())[0] == 409
    assert request(order.order_id, {**wanted(), "override": True})[0] == 422
    status, found = request(order.order_id, {**wanted(), **said})

    assert (status, found["status"], found["override"]) == (201, "approved", "a regular")
    assert found["requested_by"] == "client:shop"
    assert request(order.order_id, {**wanted(5), **said})[0] == 409


def test_the_policy_may_approve_at_once(house: House) -> None:
    allow(automatic=True, of_customer=Charges(1_000, 100), refund_when=RefundWhen.RECEIPT)
    found = request(delivered(house).order_id)[1]

    assert found["status"] == "approved"
    assert found["expires_at"]
    assert found["terms"] == {
        "refund_when": "receipt",
        "restocking_fee_bp": 1_000,
        "return_shipping": 100,
        "refund_shipping": False,
        "keep": False,
        "exchange_at_once": False,
        "policy_version": 1,
    }
    assert found["estimated_refund"] == 800


def test_who_approves_may_agree_to_other_terms(house: House) -> None:
    allow(of_customer=Charges(1_000, 100))
    found = request(delivered(house).order_id)[1]["return_id"]

    agreed = post("approve", found, {"restocking_fee_bp": 0, "refund_when": "receipt"})[1]

    assert agreed["terms"]["restocking_fee_bp"] == 0
    assert agreed["terms"]["return_shipping"] == 100
    assert agreed["terms"]["refund_when"] == "receipt"


def test_in_a_store_it_is_taken_back_in_one_change(house: House) -> None:
    allow()
    order = delivered(house)
    house.stock.put_location(Location("SOHO", "Soho", LocationKind.STORE, "US"))

    status, found = request(order.order_id, wanted(2, in_store="SOHO", received=True))

    assert (status, found["location_id"]) == (201, "SOHO")
    assert found["lines"][0]["accepted"] == 2
    assert level(house, location="SOHO") == (2, 2, 0)


def test_a_store_takes_back_only_what_the_policy_lets_it(house: House) -> None:
    allow(in_store=False)
    order = delivered(house)
    over: dict[str, Any] = {"in_store": "AUSTIN", "received": True}

    assert request(order.order_id, wanted(**over))[0] == 409
    assert request(order.order_id, wanted(in_store="NOWHERE"))[0] == 422
    assert request(order.order_id, wanted(received=True))[0] == 422
    assert not house.orders.get(order.order_id).returns


def test_declined_and_cancelled_returns_free_their_units(house: House) -> None:
    allow()
    order = delivered(house)

    for step, body in (("decline", {"reason": "worn"}), ("cancel", None)):
        found = request(order.order_id, wanted(2))[1]["return_id"]
        assert post(step, found, body)[0] == 200
        assert post("approve", found)[0] == 409
    assert request(order.order_id, wanted(2))[0] == 201


def test_what_is_put_aside_never_lies_where_orders_are_shipped_from(house: House) -> None:
    allow()
    return_id = approved(house, 2)
    bench = Location("BENCH", "Bench", LocationKind.WAREHOUSE, "US", active=False)
    house.stock.put_location(bench)
    post("receive", return_id, came(2))

    refused = post("inspect", return_id, one(disposition="quarantine", location_id="AUSTIN"))
    assert refused[0] == 422
    assert "ships orders" in refused[1]["errors"][0]["reason"]
    assert post("inspect", return_id, one(location_id="NOWHERE"))[0] == 422
    post("inspect", return_id, one(disposition="refurbish", location_id="BENCH"))
    post("inspect", return_id, one(disposition="write_off"))

    assert level(house, location="BENCH") == (1, 1, 0)
    assert level(house) == (2, 2, 0)


def test_the_policy_says_where_units_go(house: House) -> None:
    allow(quarantine_at="BENCH", restock_at="RENO")
    for name, active in (("BENCH", False), ("RENO", True)):
        place = Location(name, name, LocationKind.WAREHOUSE, "US", active=active)
        house.stock.put_location(place)
    return_id = approved(house, 2)

    post("receive", return_id, one())
    post("receive", return_id, one(disposition="quarantine"))

    assert level(house, location="RENO") == (1, 1, 0)
    assert level(house, location="BENCH") == (1, 1, 0)


def test_short_wrong_and_unexpected_units_are_told_apart(house: House) -> None:
    allow()
    return_id = approved(house, 2)
    body = {
        "lines": [
            {"line_id": "line_1", "quantity": 1, "reception": "wrong_item"},
            {"line_id": "line_1", "quantity": 1, "damaged": True},
        ],
        "unexpected": [{"line_id": "line_1", "quantity": 3}],
    }

    status, found = post("receive", return_id, body)

    assert (status, found["status"]) == (200, "received")
    assert found["unexpected"] == [{"line_id": "line_1", "quantity": 3}]
    assert found["lines"][0]["receptions"] == [
        {"quantity": 1, "reception": "wrong_item", "damaged": False},
        {"quantity": 1, "reception": "received", "damaged": True},
    ]
    assert post("receive", return_id, came())[0] == 409


@pytest.mark.parametrize(
    ("step", "body"),
    [
        ("receive", {}),
        ("receive", {"lines": []}),
        ("receive", one(disposition=None)),
        ("receive", one(reception="short")),
        ("receive", {**came(), "location_id": "NOWHERE"}),
        ("receive", came(0)),
        ("inspect", came()),
        ("inspect", {**one(), "unexpected": [{"line_id": "line_1", "quantity": 1}]}),
        ("inspect", one(acceptance="perhaps")),
        ("decline", {}),
        ("approve", {"restocking_fee_bp": 10_001}),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    house: House, step: str, body: Any
) -> None:
    allow()
    return_id = approved(house)
    before = get(return_id)

    status, problem = post(step, return_id, body)

    assert status == 422
    assert all(each["field"] and each["reason"] for each in problem["errors"])
    assert get(return_id) == before


@pytest.mark.parametrize("return_id", ["ret_nobody-1", "nonsense", "ret_x"])
def test_a_return_that_is_not_there_is_not_found(house: House, return_id: str) -> None:
    assert post("approve", return_id)[0] == 404
    assert post("receive", return_id, came())[0] == 404
    assert ask(api, "GET /returns/{return_id}", return_id=return_id)[0] == 404


def test_an_exchange_names_what_we_sell(house: House) -> None:
    allow()
    order = delivered(house)
    mug = [{"sku": "MUG", "quantity": 1, "unit_price": 900}]
    other = [{"sku": "CUP", "quantity": 1, "unit_price": 900}]

    assert request(order.order_id, wanted(resolution="exchange"))[0] == 422
    assert request(order.order_id, wanted(exchange=mug))[0] == 422
    assert request(order.order_id, wanted(resolution="exchange", exchange=other))[0] == 422
    status, found = request(order.order_id, wanted(resolution="exchange", exchange=mug))

    assert status == 201
    assert found["exchange"] == [{"sku": "MUG", "quantity": 1, "unit_price": 900}]


def test_options_say_what_until_when_and_for_how_much(house: House) -> None:
    allow()
    order = delivered(house)
    request(order.order_id)

    options = ask(api, "GET /orders/{order_id}/return-options", order_id=order.order_id)[1]

    (line,) = options["lines"]
    assert (line["returnable"], line["estimated_refund"]) == (1, 1_000)
    assert line["until"]
    assert "too_small" in line["reasons"]
    assert "refund" in options["resolutions"]
    assert {each["code"] for each in options["reasons"]} >= set(line["reasons"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"discounts": [{"code": "x", "amount": 5_000}]}, "exchange[0].discounts"),
        ({"quantity": 1_000_000, "unit_price": 10**12}, "exchange"),
        ({"taxes": [{"name": "x", "amount": 10**15}]}, "exchange"),
        ({"requires_shipping": False}, "exchange[0].requires_shipping"),
    ],
)
def test_an_exchange_that_no_order_can_bring_is_refused(
    house: House, changes: Any, field: str
) -> None:
    allow()
    order = delivered(house)
    line = {"sku": "MUG", "quantity": 1, "unit_price": 900, **changes}

    status, problem = request(order.order_id, wanted(resolution="exchange", exchange=[line]))

    assert (status, [each["field"] for each in problem["errors"]]) == (422, [field])
    assert not house.orders.get(order.order_id).returns


def test_an_exchange_that_no_row_can_hold_is_refused(house: House) -> None:
    allow()
    order = delivered(house)
    lines = [
        {
            "sku": "MUG",
            "quantity": 1,
            "unit_price": 900,
            "discounts": [{"code": token_hex(90), "amount": 0} for _ in range(20)],
        }
        for _ in range(190)
    ]

    status, problem = request(order.order_id, wanted(resolution="exchange", exchange=lines))

    assert (status, problem["errors"][0]["field"]) == (422, "exchange")
