"""Purchase orders and transfers as callers meet them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.supply import api
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.items_table import ItemsTable, Wanted
from oms.adapters.supply_table import SupplyTable
from oms.contracts.routes import ROUTES
from tests.functions.world import World, now

ORDERS, TRANSFERS = "/purchase-orders", "/transfers"


@pytest.fixture
def world(dynamodb: DynamoDB, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World.new(dynamodb)
    supply = SupplyTable(dynamodb, world.stock_name, world.stock)
    monkeypatch.setattr(api, "supply_table", lambda: supply)
    monkeypatch.setattr(api, "items_table", lambda: ItemsTable(dynamodb, world.stock_name))
    return world


def ask(method: str, path: str, body: Any = None, key: str = "", query: str = "") -> Any:
    """The status and the body of the answer."""
    answer = api.handler(
        {
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"idempotency-key": key} if key else {},
            "body": "" if body is None else json.dumps(body),
            "requestContext": {
                "http": {"method": method},
                "authorizer": {"jwt": {"claims": {"client_id": "buyer"}}},
            },
        },
        None,
    )
    return answer["statusCode"], json.loads(answer["body"])


def an_order(**changes: Any) -> dict[str, Any]:
    line = {"sku": "MUG", "quantity": 10, "expected_on": "2026-12-04"}
    return {"supplier": "Potter & Co", "location": "AUSTIN", "lines": [line]} | changes


def a_transfer(**changes: Any) -> dict[str, Any]:
    said = {"from": "AUSTIN", "to": "RENO", "expected_on": "2026-12-04"}
    return said | {"lines": [{"sku": "MUG", "quantity": 4}]} | changes


def came(quantity: Any = 4, sku: str = "MUG") -> dict[str, Any]:
    return {"lines": [{"sku": sku, "quantity": quantity}]}


def fields(problem: Any) -> list[str]:
    return [fault["field"] for fault in problem["errors"]]


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "SupplyApi"}

    assert api.app.routes == declared


@pytest.mark.cloud
def test_an_order_is_made_seen_and_received(world: World) -> None:
    status, order = ask("POST", ORDERS, an_order(purchase_order_id="PO-7"))
    assert (status, order["status"], order["lines"][0]["expected"]) == (201, "ordered", 10)
    assert ask("GET", f"{ORDERS}/PO-7") == (200, order)

    status, receipt = ask("POST", f"{ORDERS}/PO-7/receipts", came(12))

    assert receipt["accepted"] == [{"sku": "MUG", "received": 10, "surplus": 2}]
    assert (status, receipt["purchase_order"]["status"]) == (200, "received")
    assert world.level("MUG") == (12, 12, 0)


@pytest.mark.cloud
def test_one_key_makes_one_order_and_one_receipt(world: World) -> None:
    made = [ask("POST", ORDERS, an_order(), key="k") for _ in range(2)]
    assert [status for status, _ in made] == [201, 200]
    assert made[0][1] == made[1][1]
    assert ask("POST", ORDERS, an_order(supplier="Other"), key="k")[0] == 409

    receipts = f"{ORDERS}/{made[0][1]['purchase_order_id']}/receipts"
    assert ask("POST", receipts, came(), key="k") == ask("POST", receipts, came(), key="k")
    assert ask("POST", receipts, came(5), key="k")[0] == 409
    assert world.level("MUG") == (4, 4, 0)


@pytest.mark.cloud
def test_an_order_is_rescheduled_closed_and_cancelled(world: World) -> None:
    for name in ("PO-1", "PO-2"):
        ask("POST", ORDERS, an_order(purchase_order_id=name))
    later = {"lines": [{"sku": "MUG", "expected_on": "2026-12-24"}]}

    _, moved = ask("POST", f"{ORDERS}/PO-1/reschedule", later)
    _, part = ask("POST", f"{ORDERS}/PO-1/close", {"reason": "sold out", **came(3)})
    ask("POST", f"{ORDERS}/PO-1/receipts", came(5))
    _, closed = ask("POST", f"{ORDERS}/PO-1/close", {"reason": "sold out"})
    _, cancelled = ask("POST", f"{ORDERS}/PO-2/cancel", {"reason": "changed our mind"})

    assert moved["lines"][0]["expected_on"] == "2026-12-24"
    assert (part["status"], part["lines"][0]["expected"]) == ("ordered", 7)
    assert (closed["status"], closed["lines"][0]["called_off"]) == ("received", 5)
    assert cancelled["status"] == "cancelled"
    assert ask("POST", f"{ORDERS}/PO-1/cancel", {"reason": "no"})[0] == 409
    _, page = ask("GET", ORDERS, query="status=cancelled&limit=1")
    assert [each["purchase_order_id"] for each in page["items"]] == ["PO-2"]


@pytest.mark.cloud
def test_a_transfer_goes_its_way(world: World) -> None:
    world.receive("MUG", 10)
    status, drafted = ask("POST", TRANSFERS, a_transfer(), key="k")
    path = f"{TRANSFERS}/{drafted['transfer_id']}"

    assert (status, drafted["status"]) == (201, "draft")
    assert ask("POST", f"{path}/send")[1]["lines"][0]["in_transit"] == 4
    assert ask("POST", f"{path}/cancel", {"reason": "flood"})[0] == 409
    assert ask("POST", f"{path}/receipts", came(5))[0] == 409
    assert ask("POST", f"{path}/receipts", came(3))[1]["status"] == "partially_received"
    ended = {"reason": "one is broken", "disposition": "write_off"}
    assert ask("POST", f"{path}/close", ended)[1]["lines"][0]["written_off"] == 1
    assert (world.level("MUG"), world.level("MUG", "RENO")) == ((6, 6, 0), (3, 3, 0))
    assert ask("GET", path)[1]["status"] == "received"
    assert [it["status"] for it in ask("GET", TRANSFERS)[1]["items"]] == ["received"]


@pytest.mark.cloud
def test_a_transfer_is_rescheduled_and_brought_back(world: World) -> None:
    world.receive("MUG", 10)
    ask("POST", TRANSFERS, a_transfer(transfer_id="T-1"))
    ask("POST", f"{TRANSFERS}/T-1/send")

    _, moved = ask("POST", f"{TRANSFERS}/T-1/reschedule", {"expected_on": "2026-12-24"})
    back = {"reason": "flood", "disposition": "back_to_source"}
    _, ended = ask("POST", f"{TRANSFERS}/T-1/cancel", back)

    assert (moved["expected_on"], ended["status"]) == ("2026-12-24", "cancelled")
    assert world.level("MUG") == (10, 10, 0)


@pytest.mark.cloud
def test_more_than_is_available_is_not_sent(world: World) -> None:
    world.receive("MUG", 3)
    ask("POST", TRANSFERS, a_transfer(transfer_id="T-1"))

    status, problem = ask("POST", f"{TRANSFERS}/T-1/send")

    assert (status, problem["detail"]) == (409, "4 of MUG at AUSTIN, 3 available")
    assert world.level("MUG") == (3, 3, 0)


@pytest.mark.cloud
def test_a_renamed_sku_is_the_same_stock_item(world: World) -> None:
    world.receive("MUG", 1)
    ItemsTable(world.client, world.stock_name).rename("MUG", "CUP", at=now())
    line = {"sku": "CUP", "quantity": 10, "expected_on": "2026-12-04"}

    ask("POST", ORDERS, an_order(purchase_order_id="PO-7", lines=[line]))
    ask("POST", f"{ORDERS}/PO-7/receipts", came(10, "CUP"))

    assert world.level("MUG") == (11, 11, 0)


@pytest.mark.cloud
def test_nothing_is_ordered_under_a_name_that_its_item_has_given_up(world: World) -> None:
    world.receive("MUG", 1)
    ItemsTable(world.client, world.stock_name).rename("MUG", "CUP", at=now())

    status, problem = ask("POST", ORDERS, an_order(lines=[LINE]))

    assert (status, fields(problem)) == (422, ["lines[0].sku"])


@pytest.mark.cloud
def test_a_kit_is_neither_ordered_nor_sent(world: World) -> None:
    world.receive("MUG", 5)
    items = ItemsTable(world.client, world.stock_name)
    items.put("SET", Wanted(components=(("MUG", 2),)), at=now(), identity="itm_1")
    line = {"sku": "SET", "quantity": 1}

    status, problem = ask("POST", ORDERS, an_order(lines=[line | {"expected_on": "2026-12-04"}]))
    assert (status, fields(problem)) == (422, ["lines[0].sku"])
    status, problem = ask("POST", TRANSFERS, a_transfer(lines=[line]))
    assert (status, fields(problem)) == (422, ["lines[0].sku"])


@pytest.mark.cloud
def test_what_nobody_knows_is_not_sent_and_not_found(world: World) -> None:
    status, problem = ask("POST", TRANSFERS, a_transfer())
    assert (status, fields(problem)) == (422, ["lines[0].sku"])
    assert ask("GET", f"{ORDERS}/PO-404")[0] == 404
    assert ask("POST", f"{TRANSFERS}/T-404/send")[0] == 404
    assert ask("POST", ORDERS, an_order(location="ATLANTIS"))[0] == 404


LINE = {"sku": "MUG", "quantity": 1, "expected_on": "2026-12-04"}


@pytest.mark.parametrize(
    ("path", "said", "field"),
    [
        (ORDERS, an_order(lines=[]), "lines"),
        (ORDERS, an_order(lines=[LINE, LINE]), "lines[1].sku"),
        (ORDERS, an_order(lines=[LINE | {"sku": f"S-{n}"} for n in range(31)]), "lines"),
        (ORDERS, an_order(lines=[LINE | {"quantity": 0}]), "lines[0].quantity"),
        (ORDERS, an_order(lines=[LINE | {"expected_on": "soon"}]), "lines[0].expected_on"),
        (f"{ORDERS}/P/receipts", {"lines": came()["lines"] * 2}, "lines[1].sku"),
        (f"{ORDERS}/P/receipts", came(True), "lines[0].quantity"),
        (f"{ORDERS}/P/close", {"reason": ""}, "reason"),
        (f"{ORDERS}/P/cancel", {}, "reason"),
        (TRANSFERS, a_transfer(to="AUSTIN"), "to"),
        (
            TRANSFERS,
            a_transfer(lines=[{"sku": f"S-{n}", "quantity": 1} for n in range(14)]),
            "lines",
        ),
        (f"{TRANSFERS}/T/close", {"reason": "so"}, "disposition"),
        (f"{TRANSFERS}/T/cancel", {"reason": "so", "disposition": "eaten"}, "disposition"),
        (f"{TRANSFERS}/T/reschedule", {}, "expected_on"),
    ],
)
def test_a_request_that_is_none_is_refused_by_its_name(
    path: str, said: dict[str, Any], field: str
) -> None:
    status, problem = ask("POST", path, said)

    assert (status, fields(problem)) == (422, [field])
