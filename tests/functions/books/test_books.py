"""The books of a whole shop: they balance while it works, and show what somebody has cooked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from functions.books.books import LOOKS, RESERVED, Findings, Shelves, check
from oms.adapters import dynamodb as db
from oms.adapters.histories import Filed, Histories
from oms.adapters.item_books import ItemBooks
from oms.adapters.items_table import Wanted
from oms.contracts import codec
from oms.domain import commands as c
from oms.domain.books.units import OVERDRAWN
from oms.domain.events import Assigned
from oms.domain.fulfillment import Quantity
from oms.domain.ids import fulfillment_order_id
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.order import Fact
from tests.builders import RECORD
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud

LARGE = [(f"SKU-{number}", 1) for number in range(45)]  # more than one transaction takes


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    for sku in ("MUG", "CUP"):
        world.receive(sku, 50)
    return world


def shelves(world: World, is_late: Any = lambda: False) -> Shelves:
    items = ItemBooks(world.client, world.stock_name)
    return Shelves(Histories(world.client, world.orders_name), world.orders, items, is_late)


def found(world: World) -> list[tuple[str, str, int, int]]:
    return [tuple(each) for each in check(shelves(world)).differences]  # type: ignore[misc]


def routed(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    assert world.route(order_id) == "routed"
    return order_id


def shipped(world: World) -> str:
    order_id = routed(world, ("MUG", 2), ("CUP", 1))
    world.pack(order_id)
    world.ship(order_id)
    return order_id


def sold(world: World) -> str:
    order_id = shipped(world)
    world.pay(order_id)
    world.deliver(order_id)
    return order_id


def level(world: World, sku: str = "MUG", **counters: int) -> None:
    """Cook a level, behind the back of its movements."""
    world.client.update_item(
        TableName=world.stock_name,
        Key=db.key(f"SKU#{sku}", "LEVEL#AUSTIN"),
        UpdateExpression="ADD " + ", ".join(f"{name} :{name}" for name in counters),
        ExpressionAttributeValues={f":{name}": db.n(by) for name, by in counters.items()},
    )


def test_an_empty_shop_balances(dynamodb: Any) -> None:
    findings = check(shelves(World.new(dynamodb)))

    assert (findings.differences, findings.stopped_after) == ([], None)


def test_orders_at_every_stage_balance_and_are_counted(world: World) -> None:
    world.place(an_order())
    routed(world, ("MUG", 3))
    shipped(world)
    sold(world)
    world.cancel(routed(world))
    world.do(routed(world, ("MUG", 5)), c.CancelOrder("less", (Quantity("line_1", 2),)))

    findings = check(shelves(world))

    assert findings.differences == []
    assert findings.counted["orders"] == 6
    assert findings.counted["open_orders"] == 4
    assert findings.counted["orders_with_money_on_its_way"] == 1
    assert findings.counted["captured_USD"] == 3500
    assert findings.counted["stock_levels"] == 2
    assert findings.counted["units_on_hand"] == 100 - 2 * 3
    assert findings.counted["units_reserved"] == 3 + 3


def test_stock_that_is_taken_in_batches_is_pending_and_no_difference(world: World) -> None:
    for sku, _ in LARGE:
        world.receive(sku, 5)
    order_id = world.place(an_order(*LARGE)).order_id
    world.pay(order_id)
    world.route(order_id)
    world.do(order_id, c.CancelOrder("no"))  # what it holds is owed until its batches are written
    assert world.orders.get(order_id).owed_stock

    before = check(shelves(world))
    world.settle_stock(order_id)
    world.pay(order_id)
    after = check(shelves(world))

    assert (before.differences, after.differences) == ([], [])
    assert (before.counted["units_pending"], after.counted["units_pending"]) == (45, 0)


def test_units_that_nobody_reserved_are_found(world: World) -> None:
    routed(world, ("MUG", 3))
    level(world, available=-1, reserved=1)

    assert found(world) == [
        ("MUG AUSTIN", "movements add up to available", 47, 46),
        ("MUG AUSTIN", "movements add up to reserved", 3, 4),
        ("MUG AUSTIN", RESERVED, 3, 4),
    ]


def move(world: World, kind: MovementKind, quantity: int, whose: str, taken_from: str = "") -> None:
    item = StockItemChange("MUG", "AUSTIN", quantity, whose, taken_from)
    world.stock.apply(StockChange(kind, f"{kind} {whose}", now(), (item,)))


def test_units_of_carts_and_leases_are_no_orders_and_no_difference(world: World) -> None:
    routed(world, ("MUG", 3))
    move(world, MovementKind.HELD, 4, "hld_1")
    move(world, MovementKind.LEASED, 5, "lse_1")
    world.ledger.count("MUG", "AUSTIN", 49, at=now(), actor="test")

    findings = check(shelves(world))

    assert findings.differences == []
    assert findings.counted["units_reserved"] == 3 + 4 + 5
    assert findings.counted["units_of_carts_and_leases"] == 4 + 5


def test_units_that_an_order_took_over_from_a_cart_must_be_an_orders(world: World) -> None:
    move(world, MovementKind.HELD, 4, "hld_1")
    move(world, MovementKind.CARRIED, 1, "ful_none-1", "hld_1")

    assert found(world) == [("MUG AUSTIN", RESERVED, 0, 1)]


def test_a_reservation_that_gave_back_more_than_it_had_is_found(world: World) -> None:
    routed(world, ("MUG", 3))
    move(world, MovementKind.HELD, 4, "hld_1")
    move(world, MovementKind.RELEASED, 6, "hld_1")

    assert found(world) == [("MUG AUSTIN hld_1", OVERDRAWN, 0, -2)]


def test_a_kit_holds_the_units_of_its_components(world: World) -> None:
    kit = Wanted(components=(("MUG", 1), ("CUP", 2)))
    world.items.put("SET", kit, at=now(), identity="itm_1")
    order_id = world.place(an_order(("SET", 3))).order_id
    world.pay(order_id)
    box = Assigned(fulfillment_order_id(order_id, 1), "AUSTIN", (Quantity("line_1", 3),))
    world.do(order_id, c.RecordRouting((box,), RECORD))

    findings = check(shelves(world))

    assert findings.differences == []
    assert findings.counted["units_reserved"] == 3 + 6
    world.check(order_id)


def test_units_that_vanished_are_found(world: World) -> None:
    level(world, "CUP", on_hand=-60)

    assert {rule for _, rule, _, _ in found(world)} == {
        "movements add up to on_hand",
        "on_hand is not negative",
        "on hand is available and reserved",
    }


def test_an_order_that_holds_units_of_no_level_is_found(world: World) -> None:
    order_id = routed(world, ("MUG", 3))
    key = db.key("SKU#MUG", "LEVEL#AUSTIN")
    world.client.delete_item(TableName=world.stock_name, Key=key)

    assert ("MUG AUSTIN", RESERVED, 3, 0) in found(world)
    assert world.orders.get(order_id).fulfillment_orders


def test_a_lost_event_and_a_lost_snapshot_are_found(world: World) -> None:
    first, second = sold(world), sold(world)
    for order_id, row in ((first, "EVENT#000003"), (second, "ORDER")):
        key = db.key(f"ORDER#{order_id}", row)
        world.client.delete_item(TableName=world.orders_name, Key=key)

    differences = found(world)

    assert {subject for subject, *_ in differences} == {first, second}
    assert (second, "events belong to an order") in {(s, rule) for s, rule, _, _ in differences}


def test_a_missing_capture_is_found(world: World) -> None:
    order_id = shipped(world)
    row = world.client.get_item(
        TableName=world.orders_name, Key=db.key(f"ORDER#{order_id}", "ORDER")
    )["Item"]
    order = world.orders.get(order_id)
    unpaid = replace(order, payment=replace(order.payment, operations=order.payment.operations[:1]))
    body = db.pack(codec.encode(unpaid))
    world.client.put_item(TableName=world.orders_name, Item={**row, "body": body})

    assert (order_id, "money kept is what the goods cost", 3500, 0) in found(world)


def test_a_check_that_runs_late_goes_on_where_it_stopped(world: World) -> None:
    for _ in range(3):
        routed(world)
    level(world, available=-1)
    pages: list[Findings] = []
    after: str | None = None
    while not pages or after:
        pages.append(check(shelves(world, lambda: len(pages) < 2), after))
        after = pages[-1].stopped_after

    assert [page.counted["orders"] for page in pages] == [1, 1, 1]
    assert [len(page.differences) for page in pages] == [0, 0, 2]


def test_stock_that_takes_too_long_is_looked_at_in_several_requests(world: World) -> None:
    for sku in ("ANT", "BEE", "CAT"):
        world.receive(sku, 5)
        world.receive(sku, 5, "RENO")
    late = iter([False, *[True] * 20])
    pages: list[Findings] = []
    after: str | None = None
    while not pages or after:
        pages.append(check(shelves(world, lambda: next(late)), after))
        after = pages[-1].stopped_after

    levels = sum(1 for _ in world.stock.scan_levels())
    assert sum(page.counted["stock_levels"] for page in pages) == levels
    assert len(pages) > 2
    assert not any(page.differences for page in pages)


class Busy(Histories):
    """Orders go on between the scan of their rows and a second look."""

    def __init__(self, world: World, order_id: str) -> None:
        super().__init__(world.client, world.orders_name)
        self.world, self.order_id = world, order_id

    def scan(self, after: str | None = None) -> Iterator[Filed]:
        for filed in super().scan(after):
            order = self.world.do(self.order_id, c.CancelOrder("no"))
            yield replace(filed, order=order)


def test_an_order_that_moves_while_it_is_read_is_no_difference(world: World) -> None:
    order_id = routed(world)
    busy = replace(shelves(world), filing=Busy(world, order_id))

    assert check(busy).differences == []


@dataclass
class Moving:
    """Open orders as they were a moment ago, at the first look only."""

    world: World
    stale: dict[str, Any]
    looks: int = 0

    def open_orders(self, before: Any) -> Iterator[str]:
        self.looks += 1
        return self.world.orders.open_orders(before)

    def many(self, order_ids: Any) -> dict[str, Any]:
        return self.stale if self.looks == 1 else self.world.orders.many(order_ids)

    def fact(self, order_id: str, seq: int) -> Fact:
        return self.world.orders.fact(order_id, seq)


def test_stock_that_moves_while_it_is_read_is_no_difference(world: World) -> None:
    order_id = routed(world, ("MUG", 4))
    before = {order_id: world.orders.get(order_id)}
    world.do(order_id, c.CancelOrder("less", (Quantity("line_1", 1),)))
    moving = Moving(world, before)

    assert check(replace(shelves(world), orders=moving)).differences == []
    assert 2 <= moving.looks <= LOOKS


def test_a_row_that_nobody_can_read_is_a_difference_and_no_failure(world: World) -> None:
    order_id = world.place(an_order()).order_id
    row = {
        "PK": {"S": f"ORDER#{order_id}"},
        "SK": {"S": "EVENT#000002"},
        "type": {"S": "NoSuchEvent"},
        "at": {"S": "2026-01-01T00:00:00+00:00"},
        "actor": {"S": "nobody"},
        "body": {"S": "{}"},
    }
    world.client.put_item(TableName=world.orders_name, Item=row)

    assert found(world) == [(order_id, "every row of the order can be read", 0, 1)]
