"""What a warehouse has to do: its own work, whole, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from functions.fulfillment.api import find
from oms.contracts.api.fulfillment import FulfillmentOrderQuery
from oms.contracts.cursors import BadCursor
from tests.functions.world import World, an_order

pytestmark = pytest.mark.cloud


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 20)
    world.receive("CUP", 20, "RENO")
    for sku in ("MUG", "CUP", "MUG", "MUG", "CUP"):
        order_id = world.place(an_order((sku, 1))).order_id
        world.pay(order_id)
        world.route(order_id)
    return world


def all_pages(world: World, **asked: Any) -> list[str]:
    found: list[str] = []
    cursor: str | None = None
    while True:
        query = FulfillmentOrderQuery.read({**asked, **({"cursor": cursor} if cursor else {})})
        page = find(world.orders, query, lambda: ["RENO", "AUSTIN"])
        found += [each.fulfillment_order_id for each in page.items]
        if (cursor := page.cursor) is None:
            return found


def test_a_location_sees_its_own_work_and_no_other(world: World) -> None:
    assert len(all_pages(world, location="AUSTIN")) == 3
    assert len(all_pages(world, location="RENO")) == 2
    assert all_pages(world, location="NOWHERE") == []


def test_without_a_location_all_work_is_listed_once_however_small_the_pages(world: World) -> None:
    whole = all_pages(world)

    assert len(whole) == len(set(whole)) == 5
    for limit in (1, 2, 4):
        assert all_pages(world, limit=limit) == whole


def test_what_has_shipped_leaves_the_work_list_and_is_found_by_its_status(world: World) -> None:
    shipped = all_pages(world, location="AUSTIN")[0]
    order_id = "ord_" + shipped.removeprefix("ful_").rpartition("-")[0]
    world.pack(order_id)
    world.ship(order_id)

    assert shipped not in all_pages(world, location="AUSTIN")
    assert all_pages(world, location="AUSTIN", status="shipped") == [shipped]


def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    query = FulfillmentOrderQuery.read({"limit": 1})
    cursor = find(world.orders, query, lambda: ["AUSTIN", "RENO"]).cursor
    other = FulfillmentOrderQuery.read({"location": "LYON", "cursor": cursor})

    with pytest.raises(BadCursor):
        find(world.orders, other, list)
