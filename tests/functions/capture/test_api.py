import json
from collections.abc import Iterator
from typing import Any

import pytest

from functions.capture import api
from infra.local.client import Json
from oms.adapters.items_table import Wanted, items_table
from oms.contracts.routes import ROUTES
from oms.domain.ids import order_id_of
from oms.domain.items import Attributes
from oms.domain.lines import Part
from oms.domain.locations import Location, LocationKind
from tests.functions.doors import House, ask, forget, house
from tests.functions.world import an_order, now

__all__ = ["house"]
pytestmark = pytest.mark.cloud


def basket(**changes: Any) -> Json:
    said = an_order(("MUG", 2)).model_dump(mode="json")
    said["payment"]["provider"] = "test"
    del said["payment_hold"]
    return {**said, **changes}


def place(body: Json, key: str = "", **more: Any) -> tuple[int, Any]:
    headers = {"Idempotency-Key": key} if key else {}
    return ask(api, "POST /orders", body, headers=headers, **more)


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "CaptureApi"}

    assert api.app.routes == declared


def test_a_placed_order_is_answered_with_what_is_known_of_it(house: House) -> None:
    house.stocked("MUG", 5)
    body = basket()

    status, order = place(body, "k-1")

    assert status == 201
    assert order["order_id"] == order_id_of("web", body["external_id"])
    assert (order["status"], order["payment_status"]) == ("placed", "unpaid")
    assert (order["fulfillment_status"], order["return_status"]) == ("unallocated", "none")
    assert order["totals"]["total"] == 2500
    assert order["links"]["self"] == f"/orders/{order['order_id']}"
    assert order["links"]["routing"] == f"/orders/{order['order_id']}/routing"
    assert ask(api, "GET /orders/{order_id}", order_id=order["order_id"]) == (200, order)


def test_the_same_order_is_answered_again_however_it_is_sent(house: House) -> None:
    house.stocked("MUG", 5)
    body = basket()
    _, first = place(body, "k-1")

    assert place(body, "k-1") == (200, first)
    assert place(body, "k-2", packed=True) == (200, first)
    assert place(dict(reversed(body.items()))) == (200, first)
    assert [row["SK"]["S"] for row in house.rows("orders")].count("ORDER") == 1


def test_another_body_under_a_known_name_or_key_is_a_conflict(house: House) -> None:
    house.stocked("MUG", 5)
    body = basket()
    place(body, "k-1")

    for other, key in (({**body, "tax_included": True}, ""), (basket(), "k-1")):
        status, problem = place(other, key)
        assert (status, problem["status"], problem["title"]) == (409, 409, "Conflict")
    assert [row["SK"]["S"] for row in house.rows("orders")].count("ORDER") == 1


def test_two_channels_may_come_with_the_same_idempotency_key(house: House) -> None:
    house.stocked("MUG", 5)
    number = basket()["external_id"]

    web, market = (
        place(basket(channel=channel, external_id=number), key=number)
        for channel in ("web", "market")
    )

    assert (web[0], market[0]) == (201, 201)
    assert web[1]["order_id"] != market[1]["order_id"]
    assert place(basket(channel="market"), key=number)[0] == 409


def test_a_provider_that_is_not_enabled_takes_no_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stocked("MUG", 5)
    monkeypatch.setenv("PAYMENT_PROVIDERS", "external")

    status, problem = place(basket())

    assert status == 422
    assert problem["errors"] == [{"field": "payment.provider", "reason": "is none of external"}]
    assert place(basket(payment={"provider": "external"}))[0] == 201


def test_a_line_keeps_the_stock_items_that_its_sku_stood_for(house: House) -> None:
    for sku in ("MUG", "LID", "PEN"):
        house.stocked(sku, 5)
    said = Wanted(Attributes(tags=("gift",)), components=(("MUG", 1), ("LID", 2)))
    house.items.put("SET", said, at=now(), identity="itm_1")
    house.items.rename("PEN", "PENCIL", at=now())
    body = an_order(("MUG", 1), ("SET", 1), ("PENCIL", 1)).model_dump(mode="json")

    _, order = place(basket(lines=body["lines"], total=body["total"]))

    lines = house.orders.get(order["order_id"]).lines
    assert [line.takes for line in lines] == [(), (Part("LID", 2), Part("MUG")), (Part("PEN"),)]
    assert [line.tags for line in lines] == [(), ("gift",), ()]
    assert [line["sku"] for line in order["lines"]] == ["MUG", "SET", "PENCIL"]


def test_what_is_not_sold_any_more_is_not_taken(house: House) -> None:
    house.stocked("MUG", 5)
    house.items.retire("MUG")

    status, problem = place(basket())

    assert status == 422
    assert problem["errors"] == [{"field": "lines[0].sku", "reason": "MUG is not sold any more"}]
    assert house.rows("orders") == []


def test_an_order_is_answered_again_when_its_sku_is_not_sold_any_more(house: House) -> None:
    house.stocked("MUG", 5)
    body = basket()
    _, first = place(body)
    house.items.retire("MUG")
    forget()

    assert place(body) == (200, first)
    assert place(basket())[0] == 422


def test_what_is_known_is_ordered_without_a_look_at_the_stock_items(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stocked("MUG", 5)
    place(basket())
    monkeypatch.setattr(items_table(), "_client", None)

    assert place(basket())[0] == 201


def test_nobody_is_named_outside_the_vault(house: House) -> None:
    house.stocked("MUG", 5)

    place(basket(customer={"email": "grace@example.com", "name": "Grace Murray"}))

    kept = str([house.rows("orders"), house.rows("stock"), house.rows("customers")])
    for word in ("grace", "Murray", "1 Main St"):
        assert word not in kept
    assert len(house.rows("customers")) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "XXY"}, "currency"),
        ({"total": 1}, "total"),
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "UFO", "quantity": 2, "unit_price": 1000}]}, "lines[0].sku"),
        ({"lines": [{"sku": "MUG", "quantity": 0, "unit_price": 1000}]}, "lines[0].quantity"),
        ({"payment": {"provider": "nobank", "token": "x"}}, "payment.provider"),
        ({"payment": {"provider": "test"}}, "payment.token"),
        ({"customer": {"name": "Ada"}}, "customer.email"),
        ({"shipping_address": None}, "shipping_address"),
        ({"coupon": "x"}, "coupon"),
    ],
)
def test_a_refusal_names_the_field_and_writes_nothing(
    house: House, change: Json, field: str
) -> None:
    house.stocked("MUG", 5)

    status, problem = place(basket(**change))

    assert status == 422
    assert field in [fault["field"] for fault in problem["errors"]]
    assert house.rows("orders") + house.rows("customers") == []


def test_an_order_that_the_bus_could_not_carry_is_refused(house: House) -> None:
    house.stocked("MUG", 5)
    discounts = [{"code": "x" * 200, "amount": 0}] * 50
    line = {"sku": "MUG", "quantity": 1, "unit_price": 0, "discounts": discounts}

    status, problem = place(basket(lines=[line] * 86, total=500))

    assert (status, problem["type"]) == (422, "urn:oms:order-too-large")
    assert house.rows("orders") == []


def test_a_days_orders_come_page_by_page(house: House) -> None:
    house.stocked("MUG", 5)
    placed = [place(basket())[1]["order_id"] for _ in range(5)]
    found: list[str] = []
    query = "limit=2&channel=web"
    while True:
        status, page = ask(api, "GET /orders", query=query)
        assert status == 200
        found += [order["order_id"] for order in page["items"]]
        if len(found) >= 5:
            break
        query = f"limit=2&channel=web&cursor={page['cursor']}"

    assert found == placed[::-1]
    assert ask(api, "GET /orders", query="status=completed&from=2026-01-01")[1]["items"] == []


def pages_of(query: str) -> Iterator[Json]:
    cursor = ""
    while True:
        status, page = ask(api, "GET /orders", query=query + cursor)
        assert status == 200
        yield page
        if page["cursor"] is None:
            return
        cursor = f"&cursor={page['cursor']}"


def heavy(**changes: Any) -> Json:
    """An order whose view has some 300 KB."""
    lines = [{"sku": "MUG", "quantity": 1, "unit_price": 0}] * 1_400
    return basket(lines=lines, total=500, **changes)


@pytest.mark.parametrize("query", ["", "&customer=ada@example.com", "&channel=web"])
def test_a_page_of_huge_orders_ends_early_and_leads_to_the_rest(house: House, query: str) -> None:
    house.stocked("MUG", 5)
    bodies = [basket(), *(heavy() for _ in range(5)), heavy(channel="till"), basket()]
    placed = [place(body)[1] for body in bodies]
    asked = [it["order_id"] for it in placed if "channel" not in query or it["channel"] == "web"]

    pages = list(pages_of(f"limit=200{query}"))

    assert len(pages) > 1
    assert max(len(json.dumps(page)) for page in pages) < 1_500_000
    assert [it["order_id"] for page in pages for it in page["items"]] == asked[::-1]


def test_a_partial_cancellation_under_one_key_happens_once(house: House) -> None:
    house.stocked("MUG", 5)
    order_id = place(basket())[1]["order_id"]
    body = {"lines": [{"line_id": "line_1", "quantity": 1}]}
    route = "POST /orders/{order_id}/cancel"

    def cancel(key: str) -> tuple[int, Any]:
        headers = {"Idempotency-Key": key}
        return ask(api, route, body, headers=headers, order_id=order_id)

    assert cancel("c-1") == cancel("c-1")
    assert cancel("c-1")[1]["lines"][0]["quantities"]["cancelled"] == 1
    assert cancel("c-2")[1]["status"] == "cancelled"
    assert cancel("c-3")[0] in (200, 409)


def test_an_order_that_is_collected_needs_a_store_and_no_address(house: House) -> None:
    house.stocked("MUG", 5)
    house.stock.put_location(Location("SHOP", "Shop", LocationKind.STORE, "US", pickup=True))
    body = basket(pickup_location="SHOP", shipping_address=None, deliver_by="2026-03-20")

    status, order = place(body)

    assert (status, order["holds"]) == (201, [])
    assert (order["pickup_location"], order["deliver_by"]) == ("SHOP", "2026-03-20")


@pytest.mark.parametrize("store", ["NOWHERE", "AUSTIN"])
def test_a_place_where_nothing_is_collected_is_refused(house: House, store: str) -> None:
    house.stocked("MUG", 5)

    status, problem = place(basket(pickup_location=store))

    assert (status, problem["errors"][0]["field"]) == (422, "pickup_location")
    assert [row["SK"]["S"] for row in house.rows("orders")].count("ORDER") == 0


def test_what_routing_rules_speak_of_is_kept_with_the_order(house: House) -> None:
    house.stocked("MUG", 5)

    _, order = place(basket(tags=["gift", "vip"], customer_tier="gold"))

    assert (order["tags"], order["customer_tier"]) == (["gift", "vip"], "gold")
    assert place(basket(tags=["Not a slug!"]))[0] == 422
