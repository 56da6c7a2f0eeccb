"""Goodwill through the door: who may give how much, and the answer that explains it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.policies import api as policies
from functions.refunds import api
from tests.builders import paid
from tests.functions.doors import House, ask, forget, house
from tests.functions.world import World, an_order

__all__ = ["house"]
pytestmark = pytest.mark.cloud
ROUTE = "POST /orders/{order_id}/refunds"


@pytest.fixture
def order_id(house: House) -> str:
    """Delivered and paid for: 2 at 10.00, shipping 5.00."""
    world = World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )
    house.stocked("MUG", 5)
    placed = world.place(an_order(("MUG", 2))).order_id
    world.do(placed, paid("op_1"))
    world.route(placed)
    world.pack(placed)
    world.ship(placed)
    order = world.orders.get(placed)
    world.do(placed, *(paid(x.operation_id) for x in order.payment.unsettled))
    world.deliver(placed)
    return placed


def granted(order_id: str, key: str = "", **said: Any) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    return ask(api, ROUTE, {"reason": "late", **said}, order_id=order_id, headers=headers)


def by(claims: dict[str, str], order_id: str, amount: int) -> tuple[int, Any]:
    event = {
        "routeKey": ROUTE,
        "pathParameters": {"order_id": order_id},
        "requestContext": {"authorizer": {"jwt": {"claims": claims}}},
        "body": json.dumps({"amount": amount, "reason": "late"}),
    }
    answer = api.handler(event, None)
    return answer["statusCode"], json.loads(answer["body"])


def limited(*limits: tuple[str, int]) -> None:
    rows = [{"role": role, "currency": "USD", "most": most} for role, most in limits]
    body = {"version": 0, "document": {"limits": rows}}
    assert ask(policies, "PUT /policies/{policy}", body, policy="refunds")[0] == 200
    forget()


def test_goodwill_is_shown_with_every_cent_and_where_it_goes(order_id: str) -> None:
    status, order = granted(order_id, amount=500, line_id="line_1")

    assert status == 200
    (credit,) = order["credits"]
    assert (credit["kind"], credit["amount"], credit["refunded"]) == ("goodwill", 500, 0)
    assert credit["parts"][0]["label"] == "goodwill"
    (to,) = credit["destinations"]
    assert (to["provider"], to["amount"], to["status"]) == ("fake", 500, "requested")
    assert (order["refundable"], order["paid"], order["refunded"]) == (2000, 2500, 0)


def test_it_may_become_store_credit(order_id: str) -> None:
    _, order = granted(order_id, amount=500, destination="store_credit")

    (to,) = order["credits"][0]["destinations"]
    assert (to["provider"], to["to"]) == ("store_credit", "credit:sc_cus_ada_USD")


def test_the_same_key_grants_it_once_and_another_body_is_refused(order_id: str) -> None:
    for _ in range(2):
        status, order = granted(order_id, "k-1", amount=500)
        assert (status, len(order["credits"])) == (200, 1)
    assert granted(order_id, "k-1", amount=501)[0] == 409


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": "5"}, "amount"),
        ({"amount": 5, "line_id": "line_9"}, "line_id"),
        ({"amount": 5, "destination": "bank"}, "destination"),
        ({"amount": 5, "reason": ""}, "reason"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(order_id: str, said: Any, field: str) -> None:
    status, problem = granted(order_id, **said)

    assert (status, [each["field"] for each in problem["errors"]]) == (422, [field])


def test_never_more_than_was_taken(order_id: str) -> None:
    status, problem = granted(order_id, amount=2501)

    assert (status, problem["detail"]) == (409, "2501 asked for, 2500 can be given back")


AGENT = {"username": "a", "sub": "a", "client_id": "console", "cognito:groups": "[agents eu]"}


@pytest.mark.parametrize(
    ("claims", "most"),
    [
        (AGENT, 300),
        ({**AGENT, "cognito:groups": "[leads]"}, 1000),
        ({**AGENT, "cognito:groups": "[nobody]"}, 0),
        ({"client_id": "shop"}, 200),
        ({"client_id": "erp"}, 2000),
    ],
)
def test_each_role_has_its_limit(order_id: str, claims: dict[str, str], most: int) -> None:
    limited(("agents", 300), ("leads", 1000), ("machine", 200), ("client:erp", 2000))

    status, problem = by(claims, order_id, most + 1)
    assert (status, f"at most {most} may be" in problem["detail"]) == (409, True)
    if most:
        assert by(claims, order_id, most)[0] == 200
        assert by(claims, order_id, 1)[0] == 409


def test_twenty_at_once_do_not_exceed_a_limit(order_id: str, house: House) -> None:
    limited(("machine", 500))

    def one(_: int) -> int:
        status = 429
        while status == 429:
            status, _said = granted(order_id, amount=100)
        return status

    with ThreadPoolExecutor(20) as pool:
        told = sorted(pool.map(one, range(20)))

    assert told == [200] * 5 + [409] * 15
    assert sum(x.amount for x in house.orders.get(order_id).credits) == 500
