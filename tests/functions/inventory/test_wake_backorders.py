from collections.abc import Iterable
from datetime import timedelta
from uuid import uuid4

import pytest

from functions.inventory.wake_backorders import wake_after, wake_backorders
from oms.adapters.backorders import IN_LINE
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.orders_table import OrdersTable, Placement
from oms.adapters.routing.desk import Routing
from oms.adapters.stock_table import StockTable
from oms.domain import commands as c
from oms.domain.events import UnitsFulfilledElsewhere
from oms.domain.fulfillment import Quantity
from oms.domain.items import StockItem
from oms.domain.locations import Location, LocationKind
from tests.builders import NOW, Story, line, paid, placement
from tests.functions.world import routing_of
from tests.tables import create_table

pytestmark = pytest.mark.cloud


@pytest.fixture
def stock(dynamodb: DynamoDB) -> StockTable:
    found = StockTable(dynamodb, create_table(dynamodb, "stock", f"stock-{uuid4()}"))
    found.put_location(Location("LYON", "Lyon", LocationKind.WAREHOUSE, "FR"))
    return found


@pytest.fixture
def orders(dynamodb: DynamoDB, stock: StockTable) -> OrdersTable:
    return OrdersTable(dynamodb, create_table(dynamodb, "orders", f"orders-{uuid4()}"), stock)


def routing(orders: OrdersTable, stock: StockTable) -> Routing:
    return routing_of(stock._client, orders._table, stock._table)


def backordered(orders: OrdersTable, number: int, quantity: int) -> str:
    """An order, placed `number` minutes after the first, that lacks all its mugs."""
    told = Story(
        placement(
            line(sku="MUG", quantity=quantity),
            external_id=str(number),
            placed_at=NOW + timedelta(minutes=number),
        )
    )
    orders.place(told.order_id, told.facts, told.order, Placement("body"))
    lacking = c.Backorder((Quantity("line_1", quantity),))
    for command in (paid("op_1"), lacking):
        orders.change(told.order_id, command, at=NOW, actor="test")
    return told.order_id


def waits(orders: OrdersTable, order_id: str) -> bool:
    return any(each.backordered for each in orders.get(order_id).lines)


def receive(stock: StockTable, quantity: int) -> None:
    stock.receive("MUG", "LYON", quantity, at=NOW, actor="test")


def test_the_oldest_order_wakes_first(orders: OrdersTable, stock: StockTable) -> None:
    late, early = backordered(orders, 2, 3), backordered(orders, 1, 3)
    receive(stock, 4)

    assert wake_backorders(routing(orders, stock), "MUG", NOW) == 1

    assert (waits(orders, early), waits(orders, late)) == (False, True)
    in_line = [each.order_id for each in stock.waiting("MUG", 9)]
    assert in_line == [early, late]  # who is woken keeps its place until it is routed


def test_an_order_that_needs_more_than_came_lets_smaller_ones_pass(
    orders: OrdersTable, stock: StockTable
) -> None:
    large, small = backordered(orders, 1, 9), backordered(orders, 2, 2)
    receive(stock, 4)

    wake_backorders(routing(orders, stock), "MUG", NOW)

    assert (waits(orders, large), waits(orders, small)) == (True, False)


def test_stock_that_was_told_of_twice_wakes_nobody_twice(
    orders: OrdersTable, stock: StockTable
) -> None:
    order_id = backordered(orders, 1, 3)
    receive(stock, 4)
    wake_backorders(routing(orders, stock), "MUG", NOW)
    version = orders.get(order_id).version

    assert wake_backorders(routing(orders, stock), "MUG", NOW) == 0
    assert orders.get(order_id).version == version


def test_nobody_wakes_for_what_was_sold_meanwhile(orders: OrdersTable, stock: StockTable) -> None:
    order_id = backordered(orders, 1, 3)

    assert wake_backorders(routing(orders, stock), "MUG", NOW) == 0
    assert waits(orders, order_id)


def test_a_cancelled_order_has_left_the_line(orders: OrdersTable, stock: StockTable) -> None:
    order_id = backordered(orders, 1, 3)
    orders.change(order_id, c.CancelOrder("no longer wanted"), at=NOW, actor="test")
    receive(stock, 4)

    assert stock.waiting("MUG", 9) == ()
    assert wake_backorders(routing(orders, stock), "MUG", NOW) == 0


def test_units_that_others_have_shipped_in_our_place_are_there_for_who_waits(
    orders: OrdersTable, stock: StockTable
) -> None:
    receive(stock, 3)
    first = Story(placement(line(sku="MUG", quantity=3), external_id="first"))
    orders.place(first.order_id, first.facts, first.order, Placement("body"))
    orders.change(first.order_id, paid("op_1"), at=NOW, actor="test")
    routing(orders, stock).router(NOW).route(first.order_id)
    waiting = backordered(orders, 1, 3)

    shipped = c.FollowChannel("there", "channel:shop", fulfilled=(("sku:MUG", 3),))
    orders.change(first.order_id, shipped, at=NOW, actor="channel:shop")

    (seq,) = (
        fact.seq
        for fact in orders.whole_history(first.order_id)
        if isinstance(fact.event, UnitsFulfilledElsewhere)
    )
    told = {"order_id": first.order_id, "seq": seq, "type": "UnitsFulfilledElsewhere"}
    assert wake_after(routing(orders, stock), told, NOW) == 1
    assert not waits(orders, waiting)


def test_a_line_longer_than_one_look_wakes_to_its_end(
    orders: OrdersTable, stock: StockTable
) -> None:
    line_up = [backordered(orders, number, 1) for number in range(IN_LINE + 5)]
    receive(stock, 1_000)

    assert wake_backorders(routing(orders, stock), "MUG", NOW) == IN_LINE + 5
    assert not [order_id for order_id in line_up if waits(orders, order_id)]


def test_who_cannot_be_filled_costs_those_behind_no_look_at_each_ones_items(
    orders: OrdersTable, stock: StockTable
) -> None:
    for number in range(9):
        backordered(orders, number, 2)
    small = backordered(orders, 10, 1)
    receive(stock, 1)
    desk = routing(orders, stock)
    looks: list[Iterable[str]] = []
    of = desk.items.of

    def counted(items: Iterable[str]) -> dict[str, StockItem]:
        looks.append(items)
        return of(items)

    desk.items.of = counted  # type: ignore[method-assign]

    assert wake_backorders(desk, "MUG", NOW) == 1

    assert not waits(orders, small)
    assert len(looks) <= 3
