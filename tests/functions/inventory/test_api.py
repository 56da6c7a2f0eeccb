import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.inventory import api
from oms.adapters.stock_table import StockTable
from oms.adapters.supply_rows import supply_row
from oms.contracts.routes import ROUTES
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.locations import Location, LocationKind
from tests.functions.doors import forget
from tests.tables import create_table

pytestmark = pytest.mark.cloud

LYON = Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR", "", "69001", 500, 20)
PARIS = Location("PARIS", "Paris", LocationKind.STORE, "FR", "", "75001", 700, 20)
CLOSED = Location("CLOSED", "Closed", LocationKind.STORE, "FR", active=False)
RECEIPTS = "POST /stock/{sku}/{location}/receipts"
ADJUSTMENTS = "POST /stock/{sku}/{location}/adjustments"
COUNTS = "POST /stock/{sku}/{location}/counts"


@pytest.fixture
def stock(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> StockTable:
    client = cloud.client("dynamodb")
    name = create_table(client, "stock", f"stock-{uuid4()}")
    for variable, value in {**cloud.environment(), "STOCK_TABLE": name}.items():
        monkeypatch.setenv(variable, value)
    forget()
    found = StockTable(client, name)
    for location in (LYON, PARIS, CLOSED):
        found.put_location(location)
    return found


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
    return ask(RECEIPTS, {"quantity": quantity}, key=key, sku=sku, location=location)


def put(sku: str, **said: Any) -> Any:
    return ask("PUT /items/{sku}", said, sku=sku)


def allocate(stock: StockTable, quantity: int, whose: str, sku: str = "MUG") -> None:
    item = StockItemChange(sku, "LYON", quantity, whose)
    at = datetime.now(UTC)
    stock.apply(StockChange(MovementKind.ALLOCATED, f"c {whose}", at, (item,)))


def faults(answer: Any) -> list[str]:
    status, problem = answer
    assert (status, problem["type"]) == (422, "urn:oms:invalid-request")
    return [fault["field"] for fault in problem["errors"]]


def promised(query: str) -> Any:
    return ask("GET /availability", query=query)[1]["items"]


def lay(sku: str = "MUG", query: str = "") -> Any:
    return ask("GET /stock/{sku}", query=query, sku=sku)


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "InventoryApi"}

    assert api.app.routes == declared


def test_what_comes_in_can_be_promised(stock: StockTable) -> None:
    status, answer = receive(5)

    assert status == 200
    assert answer == {
        "sku": "MUG",
        "item_id": "MUG",
        "on_hand": 5,
        "available": 5,
        "reserved": 0,
        "incoming": 0,
        "levels": [
            {
                "location_id": "LYON",
                "on_hand": 5,
                "available": 5,
                "reserved": 0,
                "incoming": 0,
                "safety_stock": 0,
            }
        ],
    }
    assert promised("sku=MUG&sku=CUP&sku=MUG") == [
        {
            "sku": "MUG",
            "available": 5,
            "backorder": {"mode": "wait", "expected_on": None, "limit": None},
        },
        {"sku": "CUP", "available": 0},
    ]


def test_a_receipt_told_twice_counts_once(stock: StockTable) -> None:
    assert receive(5, key="delivery-7") == receive(5, key="delivery-7")
    assert receive(6, key="delivery-7")[0] == 409
    assert lay()[1]["on_hand"] == 5


@pytest.mark.parametrize("quantity", [0, -1, 1.5, "5", True, None, 10**9])
def test_a_quantity_that_is_none_is_refused_by_its_name(stock: StockTable, quantity: Any) -> None:
    assert faults(receive(quantity)) == ["quantity"]
    assert lay()[0] == 404


def test_a_receipt_at_a_place_that_is_no_location_is_refused(stock: StockTable) -> None:
    assert receive(5, location="ATLANTIS")[0] == 404
    assert receive(5, location="no such#place")[0] == 422
    assert lay()[0] == 404


def test_a_closed_location_promises_nothing_but_keeps_its_stock(stock: StockTable) -> None:
    receive(5, location="CLOSED")

    assert promised("sku=MUG")[0]["available"] == 0
    assert lay()[1]["on_hand"] == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "sku"),
        ("sku=", "sku[0]"),
        ("sku=A&other=B", "other"),
        ("&".join(["sku=A"] * 101), "sku"),
        ("sku=A&detail=all", "detail"),
        ("sku=A&country=XX", "country"),
    ],
)
def test_an_availability_of_nothing_in_particular_is_refused(
    stock: StockTable, query: str, field: str
) -> None:
    assert faults(ask("GET /availability", query=query)) == [field]


def test_an_adjustment_needs_a_reason_that_everybody_knows(stock: StockTable) -> None:
    receive(5)

    def adjust(**said: Any) -> Any:
        return ask(ADJUSTMENTS, said, sku="MUG", location="LYON")

    assert faults(adjust(quantity=-1, reason="gone")) == ["reason"]
    assert faults(adjust(quantity=0, reason="lost")) == ["quantity"]
    assert adjust(quantity=-2, reason="lost", note="in transit")[1]["available"] == 3
    assert adjust(quantity=-4, reason="lost")[0] == 409
    assert lay()[1]["on_hand"] == 3


def test_an_adjustment_and_a_count_are_told_once(stock: StockTable) -> None:
    receive(5)
    lost, where = {"quantity": -2, "reason": "lost"}, {"sku": "MUG", "location": "LYON"}

    assert [ask(ADJUSTMENTS, lost, key="k", **where)[0] for _ in range(2)] == [200, 200]
    assert ask(ADJUSTMENTS, lost | {"note": "twice"}, key="k", **where)[0] == 409
    counts = [ask(COUNTS, {"counted": 9}, key="k", **where)[1]["variance"] for _ in range(2)]
    assert counts == [6, 6]
    assert lay()[1]["on_hand"] == 9


def test_a_count_that_cannot_be_says_whose_units_are_missing(stock: StockTable) -> None:
    receive(5)
    allocate(stock, 3, "ful_x-1")

    status, problem = ask(COUNTS, {"counted": 2}, sku="MUG", location="LYON")

    assert status == 409
    assert problem["type"] == "urn:oms:counted-too-few"
    assert "3 for ful_x-1" in problem["detail"]
    assert faults(ask(COUNTS, {"counted": -1}, sku="MUG", location="LYON")) == ["counted"]


@pytest.mark.parametrize("route", [ADJUSTMENTS, COUNTS])
def test_nothing_is_told_of_what_nobody_knows(stock: StockTable, route: str) -> None:
    said = {"counted": 1} if route == COUNTS else {"quantity": 1, "reason": "found"}
    assert ask(route, said, sku="MUG", location="LYON")[0] == 404


def test_reserved_units_have_names_page_by_page(stock: StockTable) -> None:
    receive(9)
    for whose in ("ful_a-1", "hld_b", "lse_c"):
        allocate(stock, 2, whose)

    _, first = lay(query="limit=2")
    _, second = lay(query=f"limit=2&cursor={first['cursor']}")
    seen = first["reservations"] + second["reservations"]

    assert [(each["reservation_id"], each["kind"]) for each in seen] == [
        ("lse_c", "lease"),
        ("hld_b", "cart_hold"),
        ("ful_a-1", "order"),
    ]
    assert sum(each["quantity"] for each in seen) == first["reserved"] == 6
    assert "cursor" not in second
    assert lay(query="cursor=abc")[0] == 400


def test_stock_is_told_of_a_past_instant(stock: StockTable) -> None:
    receive(5)
    then = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    allocate(stock, 3, "ful_a-1")

    _, past = lay(query=f"at={then}")
    assert (past["available"], past["reserved"], "reservations" in past) == (5, 0, False)
    assert lay()[1]["available"] == 2
    assert faults(lay(query="at=2999-01-01T00:00:00Z")) == ["at"]
    assert faults(lay(query="at=yesterday")) == ["at"]
    assert faults(lay(query="at=0001-01-01T00:00:00%2B14:00")) == ["at"]
    assert faults(lay(query="at=2026-11-01T10:00:00")) == ["at"]


def test_the_ledger_is_told_by_location_and_day(stock: StockTable) -> None:
    receive(5)
    receive(4, location="PARIS")
    allocate(stock, 2, "ful_a-1")
    today = datetime.now(UTC).date()

    def moved(query: str) -> Any:
        return ask("GET /stock/{sku}/movements", query=query, sku="MUG")[1]["items"]

    assert [each["quantity"] for each in moved("")] == [2, 4, 5]
    assert [each["quantity"] for each in moved("location=LYON")] == [2, 5]
    assert moved(f"from={today + timedelta(1)}") == []
    assert len(moved(f"from={today - timedelta(1)}&to={today}")) == 3
    assert moved("")[0]["reservation_id"] == "ful_a-1"
    assert moved("limit=1&location=PARIS")[0]["actor"] == "client:wms"


def test_an_item_is_created_seen_and_changed(stock: StockTable) -> None:
    said = {
        "weight_g": 400,
        "tags": ["oversize", "hazmat"],
        "low_stock": 5,
        "safety_stock": [{"units": 2, "channel": "web"}],
        "backorders": {"mode": "preorder", "release_on": "2027-01-15", "limit": 100},
    }

    status, item = put("MUG", **said)

    assert status == 200
    assert ask("GET /items/{sku}", sku="MUG") == (200, item)
    assert (item["item_id"], item["active"], item["weight_g"]) == ("MUG", True, 400)
    assert item["tags"] == ["hazmat", "oversize"]
    assert item["backorders"]["release_on"] == "2027-01-15"
    assert put("MUG")[1]["weight_g"] is None
    assert lay()[1]["on_hand"] == 0


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"weight_g": 0}, "weight_g"),
        ({"tags": ["Cold!"]}, "tags[0]"),
        ({"components": [{"sku": "UFO"}]}, "components[0].sku"),
        ({"components": [{"sku": "CUP"}, {"sku": "CUP"}]}, "components[1].sku"),
        ({"components": [{"sku": "CUP"}], "low_stock": 3}, "low_stock"),
        ({"safety_stock": [{"units": 1}, {"units": 2}]}, "safety_stock[1].units"),
        ({"backorders": {"release_on": "2027-01-15"}}, "backorders.release_on"),
        ({"name": "Cup"}, "name"),
    ],
)
def test_what_is_wrong_with_an_item_is_named(
    stock: StockTable, said: dict[str, Any], field: str
) -> None:
    receive(1, "CUP")

    assert faults(put("MUG", **said)) == [field]
    assert ask("GET /items/{sku}", sku="MUG")[0] == 404


def test_a_renamed_item_is_stocked_under_its_new_name(stock: StockTable) -> None:
    receive(5)

    status, item = ask("POST /items/{sku}/rename", {"sku": "BIG"}, sku="MUG")
    receive(2, "BIG")
    ask(COUNTS, {"counted": 8}, sku="BIG", location="LYON")

    assert (status, item["item_id"], item["sku"]) == (200, "MUG", "BIG")
    assert item["former_skus"][0]["sku"] == "MUG"
    assert (lay("BIG")[1]["on_hand"], lay("BIG")[1]["item_id"]) == (8, "MUG")
    assert lay("MUG")[0] == 404
    assert [each["available"] for each in promised("sku=BIG&sku=MUG")] == [8, 0]


def test_nothing_is_received_under_a_name_that_its_item_has_given_up(stock: StockTable) -> None:
    receive(5)
    ask("POST /items/{sku}/rename", {"sku": "BIG"}, sku="MUG")

    assert receive(2)[0] == 409
    assert lay("BIG")[1]["on_hand"] == 5

    made = put("MUG")[1]["item_id"]
    assert receive(2)[1]["on_hand"] == 2
    assert receive(2, made)[0] == 409
    assert [lay(sku)[1]["on_hand"] for sku in ("BIG", "MUG")] == [5, 2]


def test_a_retired_item_is_promised_no_more_and_a_new_one_begins_with_nothing(
    stock: StockTable,
) -> None:
    receive(5)

    ask("DELETE /items/{sku}", sku="MUG")
    assert promised("sku=MUG")[0] == {
        "sku": "MUG",
        "available": 0,
        "backorder": {"mode": "deny", "expected_on": None, "limit": None},
    }
    assert lay()[1]["on_hand"] == 5

    put("MUG")
    assert lay()[1]["on_hand"] == 0
    assert receive(1)[1]["on_hand"] == 1
    assert stock.levels(["MUG"])["MUG"][0].on_hand == 5


def test_a_kit_shows_what_its_components_allow(stock: StockTable) -> None:
    receive(5, "MUG")
    receive(7, "LID")
    receive(9, "LID", "PARIS")

    _, kit = put("SET", components=[{"sku": "MUG"}, {"sku": "LID", "quantity": 2}])
    _, there = lay("SET")

    assert [(each["sku"], each["quantity"]) for each in kit["components"]] == [
        ("LID", 2),
        ("MUG", 1),
    ]
    assert (there["available"], there["on_hand"], there["reserved"]) == (3, 3, 0)
    assert [level["location_id"] for level in there["levels"]] == ["LYON"]
    assert there["components"] == kit["components"]
    assert promised("sku=SET")[0]["available"] == 3
    assert receive(1, "SET")[0] == 409
    assert ask(COUNTS, {"counted": 1}, sku="SET", location="LYON")[0] == 409


def test_a_channel_sells_from_its_locations_what_is_above_its_safety_stock(
    stock: StockTable,
) -> None:
    receive(5)
    receive(4, location="PARIS")
    route = "PUT /channels/{channel}"

    status, channel = ask(route, {"locations": ["LYON"], "safety_stock": 2}, channel="web")

    assert status == 200
    assert ask("GET /channels/{channel}", channel="web") == (200, channel)
    assert channel["on_shortage"] == "wait"
    assert promised("sku=MUG&channel=web&detail=locations")[0]["locations"] == [
        {"location_id": "LYON", "available": 3}
    ]
    assert promised("sku=MUG&channel=other")[0]["available"] == 9
    lost = ask(route, {"locations": ["LYON", "ATLANTIS"]}, channel="web")
    assert faults(lost) == ["locations[1]"]
    assert faults(ask(route, {"on_shortage": "panic"}, channel="web")) == ["on_shortage"]


def test_what_is_expected_is_promised_from_its_day_on(stock: StockTable) -> None:
    receive(1)
    expect(stock, 7, date(2026, 12, 24))

    (item,) = promised("sku=MUG")

    assert item["available"] == 1
    assert item["incoming"] == [{"date": "2026-12-24", "quantity": 7}]
    assert item["backorder"]["expected_on"] == "2026-12-24"


def expect(stock: StockTable, quantity: int, on: date) -> None:
    """As a purchase order does it."""
    row = supply_row(("MUG", on, "po_1", "LYON"), quantity)
    stock._client.put_item(TableName=stock._table, Item=row)
    item = StockItemChange("MUG", "LYON", quantity)
    stock.apply(StockChange(MovementKind.EXPECTED, "po_1", datetime.now(UTC), (item,)))


def test_a_promise_says_how_soon_and_at_what_cost(stock: StockTable) -> None:
    receive(2)
    receive(2, "CUP", "PARIS")

    def promises(query: str) -> Any:
        return ask("GET /availability", query=f"{query}&country=FR&postal_code=33000")[1][
            "promises"
        ]

    (one,) = promises("sku=MUG")
    (both,) = promises("sku=MUG&sku=CUP")
    assert (one["locations"], one["cost"]) == (["LYON"], 520)
    assert both["locations"] == ["LYON", "PARIS"]
    assert datetime.fromisoformat(one["ship_by"]) > datetime.now(UTC)
    assert promises("sku=MUG&sku=UFO") == []
    assert "promises" not in ask("GET /availability", query="sku=MUG")[1]


def test_a_postal_code_alone_is_one_of_the_country_that_all_locations_are_in(
    stock: StockTable,
) -> None:
    receive(2)
    query = "sku=MUG&postal_code=33000"

    assert ask("GET /availability", query=query)[1]["promises"]

    stock.put_location(Location("KOELN", "Köln", LocationKind.STORE, "DE"))
    assert faults(ask("GET /availability", query=query)) == ["country"]
