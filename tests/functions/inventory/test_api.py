import json
from typing import Any

import pytest

from functions.inventory import api
from oms.contracts.routes import ROUTES
from oms.domain.events import StockReceived
from oms.domain.locations import Location, LocationKind
from tests.fakes import StockFake

LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR", "", "69001", 500, 20)
CLOSED = Location("CLOSED", "Closed", LocationKind.STORE, "FR", active=False)


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch) -> StockFake:
    fake = StockFake(places={"LYON": LYON, "CLOSED": CLOSED})
    monkeypatch.setattr(api, "stock_table", lambda: fake)
    return fake


def ask(route: str, body: Any = None, query: str = "", key: str = "", **path: str) -> Any:
    """The status and the body of the answer."""
    answer = api.handler(
        {
            "routeKey": route,
            "pathParameters": path,
            "rawQueryString": query,
            "headers": {"idempotency-key": key} if key else {},
            "body": "" if body is None else json.dumps(body),
            "requestContext": {"authorizer": {"jwt": {"claims": {"client_id": "wms"}}}},
        },
        None,
    )
    return answer["statusCode"], json.loads(answer["body"])


def receive(quantity: Any = 5, sku: str = "MUG", location: str = "LYON", key: str = "") -> Any:
    route = "POST /stock/{sku}/{location}/receipts"
    return ask(route, {"quantity": quantity}, key=key, sku=sku, location=location)


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "InventoryApi"}

    assert api.app.routes == declared


def test_what_comes_in_can_be_promised(stock: StockFake) -> None:
    status, answer = receive(5)

    assert status == 200
    assert answer == {
        "sku": "MUG",
        "on_hand": 5,
        "available": 5,
        "reserved": 0,
        "levels": [{"location_id": "LYON", "on_hand": 5, "available": 5, "reserved": 0}],
    }
    assert ask("GET /availability", query="sku=MUG&sku=CUP&sku=MUG") == (
        200,
        {"items": [{"sku": "MUG", "available": 5}, {"sku": "CUP", "available": 0}]},
    )


def test_a_receipt_is_told_under_the_name_of_who_told_it(stock: StockFake) -> None:
    receive(5)

    assert stock.outbox == [(StockReceived("MUG", "LYON", 5), "client:wms")]


def test_a_receipt_told_twice_counts_once(stock: StockFake) -> None:
    assert receive(5, key="delivery-7") == receive(5, key="delivery-7")
    assert len(stock.outbox) == 1


def test_one_key_for_two_receipts_is_a_conflict(stock: StockFake) -> None:
    receive(5, key="delivery-7")

    assert receive(6, key="delivery-7")[0] == 409


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "5", True, None, 10**9])
def test_a_quantity_that_is_none_is_refused_by_its_name(stock: StockFake, quantity: Any) -> None:
    status, problem = receive(quantity)

    assert status == 422
    assert [fault["field"] for fault in problem["errors"]] == ["quantity"]
    assert stock.outbox == []


def test_a_receipt_at_a_place_that_is_no_location_is_refused(stock: StockFake) -> None:
    assert receive(5, location="ATLANTIS")[0] == 404
    assert receive(5, location="no such#place")[0] == 422
    assert stock.outbox == []


def test_a_sku_that_was_never_received_is_unknown(stock: StockFake) -> None:
    assert ask("GET /stock/{sku}", sku="MUG")[0] == 404


def test_a_closed_location_promises_nothing_but_keeps_its_stock(stock: StockFake) -> None:
    receive(5, location="CLOSED")

    _, promised = ask("GET /availability", query="sku=MUG")
    _, lying = ask("GET /stock/{sku}", sku="MUG")

    assert promised == {"items": [{"sku": "MUG", "available": 0}]}
    assert lying["on_hand"] == 5


@pytest.mark.parametrize("query", ["", "sku=", "sku=A&other=B", "&".join(["sku=A"] * 101)])
def test_an_availability_of_nothing_in_particular_is_refused(stock: StockFake, query: str) -> None:
    assert ask("GET /availability", query=query)[0] == 422


def test_a_location_is_opened_changed_and_listed(stock: StockFake) -> None:
    said = {"name": "Paris", "country": "FR", "fixed_cost": 450, "unit_cost": 15}

    status, answer = ask("PUT /locations/{location}", said, location="PARIS")
    ask("PUT /locations/{location}", said | {"active": False}, location="PARIS")

    assert (status, answer["location_id"], answer["kind"]) == (200, "PARIS", "warehouse")
    _, listed = ask("GET /locations")
    assert [each["location_id"] for each in listed["items"]] == ["CLOSED", "LYON", "PARIS"]
    assert listed["items"][-1]["active"] is False


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"country": "XX"}, "country"),
        ({"fixed_cost": -1}, "fixed_cost"),
        ({"kind": "moon"}, "kind"),
    ],
)
def test_a_location_that_is_none_is_refused_by_its_name(
    stock: StockFake, fault: dict[str, Any], field: str
) -> None:
    said = {"name": "Paris", "country": "FR"} | fault

    status, problem = ask("PUT /locations/{location}", said, location="PARIS")

    assert status == 422
    assert [each["field"] for each in problem["errors"]] == [field]
    assert "PARIS" not in stock.places
