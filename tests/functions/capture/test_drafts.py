"""Drafts over real tables: incomplete orders that reserve nothing and that nobody can read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.capture import api, drafts_api
from infra.local.client import Json
from oms.adapters.drafts_table import KEPT_FOR, drafts_table
from oms.contracts.api.drafts import DraftOrder
from oms.contracts.api.orders import PlaceOrder
from oms.contracts.routes import ROUTES
from oms.domain.errors import NotFound
from tests.functions.capture.test_api import basket
from tests.functions.doors import House, ask, house
from tests.functions.world import now

__all__ = ["house"]
pytestmark = pytest.mark.cloud
ONE = "/drafts/{draft_id}"


def order(**changes: Any) -> Json:
    said = basket(**changes)
    del said["external_id"], said["channel"]
    return {name: value for name, value in said.items() if value is not None}


def post(said: Json, key: str = "") -> tuple[int, Any]:
    return ask(drafts_api, "POST /drafts", said, headers={"Idempotency-Key": key} if key else {})


def put(draft: Json, said: Json, version: int = 1) -> tuple[int, Any]:
    body = {"version": version, "order": said}
    return ask(drafts_api, f"PUT {ONE}", body, draft_id=draft["draft_id"])


def get(draft: Json) -> tuple[int, Any]:
    return ask(drafts_api, f"GET {ONE}", draft_id=draft["draft_id"])


def place(draft: Json) -> tuple[int, Any]:
    return ask(drafts_api, f"POST {ONE}/place", draft_id=draft["draft_id"])


def delete(draft: Json) -> tuple[int, Any]:
    return ask(drafts_api, f"DELETE {ONE}", draft_id=draft["draft_id"])


def test_the_api_serves_exactly_its_routes() -> None:
    declared = {(r.method, r.path) for r in ROUTES if r.function_id == "DraftsApi"}

    assert drafts_api.app.routes == declared


def test_a_draft_may_say_whatever_an_order_may() -> None:
    assert DraftOrder.model_fields.keys() == PlaceOrder.model_fields.keys() - {"external_id"}


def test_a_draft_may_be_incomplete_and_is_shown_as_it_was_said(house: House) -> None:
    status, draft = post({"currency": "USD", "tags": ["phone"]})

    assert (status, draft["version"], draft["created_by"]) == (201, 1, "client:shop")
    assert draft["order"] == {"currency": "USD", "tags": ["phone"]}
    assert get(draft) == (200, draft)


def test_what_is_there_must_be_right(house: House) -> None:
    status, problem = post({"currency": "dollars", "external_id": "1", "lines": [{"sku": "MUG"}]})

    assert status == 422
    assert {fault["field"] for fault in problem["errors"]} == {
        "currency",
        "external_id",
        "lines[0].quantity",
        "lines[0].unit_price",
    }
    assert house.rows("orders") == []


def test_the_same_key_takes_down_one_draft(house: House) -> None:
    _, first = post({"currency": "USD"}, "k-1")

    assert post({"currency": "USD"}, "k-1") == (200, first)
    assert post({"currency": "EUR"}, "k-1")[0] == 409


def test_a_draft_is_changed_by_who_has_seen_it(house: House) -> None:
    _, draft = post({"currency": "USD"})

    status, changed = put(draft, {"currency": "EUR"})

    assert (status, changed["version"], changed["order"]) == (200, 2, {"currency": "EUR"})
    assert put(draft, {"currency": "GBP"})[0] == 409
    assert get(draft) == (200, changed)
    status, problem = put(draft, {"currency": "?"}, 2)
    assert (status, problem["errors"][0]["field"]) == (422, "order.currency")


def test_a_draft_reserves_nothing_and_is_no_order(house: House) -> None:
    house.stocked("MUG", 5)
    post(order())

    assert ask(api, "GET /orders")[1]["items"] == []
    assert [level.available for level in house.stock.levels(["MUG"])["MUG"]] == [5]


def test_nobody_reads_a_draft_in_the_table(house: House) -> None:
    post(order())

    told = repr(house.rows("orders")).lower()

    assert "ada" not in told
    assert "main st" not in told
    assert "expires_at" in told


def test_a_placed_draft_is_an_ordinary_order_and_only_one(house: House) -> None:
    house.stocked("MUG", 5)
    _, draft = post(order())

    status, placed = place(draft)

    assert (status, placed["channel"]) == (201, "staff")
    assert placed["external_id"] == draft["draft_id"]
    again = place(draft)
    assert (again[0], again[1]["order_id"]) == (200, placed["order_id"])
    assert get(draft)[1]["order_id"] == placed["order_id"]
    found = ask(api, "GET /orders/{order_id}", order_id=placed["order_id"])
    assert found[1]["totals"]["total"] == 2500


def test_what_is_missing_when_it_is_placed_is_told(house: House) -> None:
    house.stocked("MUG", 5)
    said = order()
    del said["payment"], said["total"]
    _, draft = post(said)

    status, problem = place(draft)

    assert status == 422
    assert {fault["field"] for fault in problem["errors"]} == {"payment", "total"}
    assert get(draft)[1]["order_id"] == ""


def test_what_is_not_sold_is_refused_as_in_any_order(house: House) -> None:
    _, draft = post(order())

    status, problem = place(draft)

    assert (status, problem["errors"][0]["field"]) == (422, "lines[0].sku")


def test_a_placed_draft_is_not_changed_any_more_and_its_order_outlives_it(house: House) -> None:
    house.stocked("MUG", 5)
    _, draft = post(order())
    _, placed = place(draft)

    assert put(draft, order())[0] == 409
    assert delete(draft)[0] == 200
    assert get(draft)[0] == place(draft)[0] == delete(draft)[0] == 404
    found = ask(api, "GET /orders/{order_id}", order_id=placed["order_id"])
    assert found[0] == 200


def test_what_was_changed_meanwhile_is_not_placed(house: House) -> None:
    house.stocked("MUG", 5)
    _, draft = post(order())
    seen = drafts_table().get(draft["draft_id"], now())
    put(draft, order(tags=["other"]))
    said = PlaceOrder.read({"channel": "staff", **seen.said, "external_id": seen.draft_id})

    with pytest.raises(Exception, match="version 2"):
        api.accepted(said, actor="x", beside=(drafts_table().placing(seen, "ord_x"),))

    assert ask(api, "GET /orders")[1]["items"] == []


def test_a_draft_expires_unless_it_is_changed(house: House) -> None:
    _, draft = post({"currency": "USD"})
    found = drafts_table().get(draft["draft_id"], now())

    assert found.expires_at == found.updated_at + KEPT_FOR
    with pytest.raises(NotFound):
        drafts_table().get(draft["draft_id"], found.expires_at)
    changed = found.changed({}, found.updated_at + timedelta(days=1), "x")
    assert changed.expires_at == found.expires_at + timedelta(days=1)


def test_drafts_are_listed_page_by_page_newest_first(house: House) -> None:
    made = [post({"tags": [f"n-{number}"]})[1]["draft_id"] for number in range(5)]

    found, query = [], "limit=2"
    for _ in range(3):
        status, page = ask(drafts_api, "GET /drafts", query=query)
        assert status == 200
        found += [each["draft_id"] for each in page["items"]]
        assert all("order" not in each for each in page["items"])
        query = f"limit=2&cursor={page['cursor']}"

    assert sorted(found) == sorted(made)
    assert found[-1] == made[0]
