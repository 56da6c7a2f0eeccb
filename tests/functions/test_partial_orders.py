"""Orders that are given a part, wait for the rest, or are collected, over real tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from functions.inventory.expected_days import retell_days
from functions.inventory.order_deadlines import (
    Desk,
    cancel_backorder,
    cancel_pickup,
    release_preorder,
)
from functions.inventory.wake_backorders import wake_backorders
from functions.routing.release_stock import release
from oms.adapters.capacity_slots import CapacitySlots
from oms.adapters.order_reader import KeyPage
from oms.adapters.orders_table import Beside
from oms.adapters.supply_rows import PURCHASES
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.agenda import DueKind
from oms.domain.fulfillment import COLLECT_WITHIN, Delivery, Quantity
from oms.domain.ids import fulfillment_order_id
from oms.domain.items import BackorderMode, Backorders, Policy, StockItem
from oms.domain.network.capacity import CapacityFull
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind
from oms.domain.supply import PurchaseLine, PurchaseOrder
from oms.domain.tracking import TrackingStatus
from oms.domain.waits import Wait
from tests.builders import RECORD, scans
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud

TODAY = date(2026, 3, 2)


@pytest.fixture
def world(dynamodb: Any) -> World:
    return World.new(dynamodb)


def placed(world: World, *lines: tuple[str, int], **said: Any) -> str:
    order_id = world.place(an_order(*lines, **said)).order_id
    world.pay(order_id)
    return order_id


def plan(
    order_id: str, location: str, lines: Mapping[str, int], number: int = 1, **more: Any
) -> tuple[e.Assigned, ...]:
    quantities = tuple(Quantity(*each) for each in lines.items())
    identity = fulfillment_order_id(order_id, number)
    return (e.Assigned(identity, location, quantities, **more),)


def in_part(world: World, mugs: int = 3, there: int = 2, **said: Any) -> str:
    world.receive("MUG", there)
    order_id = placed(world, ("MUG", mugs))
    short = (Quantity("line_1", mugs - there),)
    part = plan(order_id, "AUSTIN", {"line_1": there})
    world.do(order_id, c.RecordRouting(part, RECORD, short=short, **said))
    return order_id


def in_line(world: World, sku: str) -> list[str]:
    return [each.order_id for each in world.stock.waiting(sku, 99)]


# --- a part, and the rest --------------------------------------------------------------------


def test_a_part_is_taken_and_the_rest_stands_in_line_in_one_transaction(world: World) -> None:
    order_id = in_part(world)

    assert world.level("MUG") == (2, 0, 2)
    assert in_line(world, "MUG") == [order_id]
    assert world.route(order_id) == "routed"  # with its warehouse: there it waits


def test_stock_that_comes_is_routed_while_the_first_part_is_packed(world: World) -> None:
    order_id = in_part(world)
    world.receive("MUG", 1)

    assert wake_backorders(world.routing, "MUG", now()) == 1
    assert world.route(order_id) == "routed"

    order = world.check(order_id)
    assert (order.line("line_1").allocated, len(order.fulfillment_orders)) == (3, 2)
    assert in_line(world, "MUG") == []


def test_a_worker_killed_at_any_call_neither_loses_nor_doubles_the_part(world: World) -> None:
    world.receive("MUG", 2)
    order_id = placed(world, ("MUG", 3))
    part = plan(order_id, "AUSTIN", {"line_1": 2}, ship_on=TODAY.isoformat())
    command = c.RecordRouting(part, RECORD, short=(Quantity("line_1", 1),))

    def record(world: World) -> None:
        if not world.orders.get(order_id).fulfillment_orders:
            world.do(order_id, command)

    assert survives(world, record) > 2
    assert world.level("MUG") == (2, 0, 2)
    assert world.check(order_id).line("line_1").backordered == 1
    assert used(world) == 2


def test_the_stock_deadline_cancels_what_waits_and_leaves_what_a_location_has(
    world: World,
) -> None:
    order_id = in_part(world)

    outcome = release(world.orders, world.stock, order_id, "out_of_stock", now(), world.providers)

    assert outcome == "released"
    order = world.check(order_id)
    assert (order.line("line_1").cancelled, order.line("line_1").allocated) == (1, 2)
    assert in_line(world, "MUG") == []


def test_the_stock_deadline_waits_for_a_day_that_was_promised(world: World) -> None:
    order_id = in_part(world, expected_on=(now() + timedelta(days=30)).date().isoformat())

    outcome = release(world.orders, world.stock, order_id, "out_of_stock", now(), world.providers)

    assert outcome == "prepared"
    assert world.orders.get(order_id).line("line_1").backordered == 1


def test_a_workflow_that_comes_to_wait_after_the_window_goes_on_at_once(world: World) -> None:
    world.receive("MUG", 3)
    order_id = placed(world, ("MUG", 3))
    until = now() + timedelta(minutes=5)
    world.do(order_id, c.DeferRouting(until, "MUG"))
    assert world.route(order_id) == "backordered"

    early, late = until - timedelta(seconds=1), until
    assert world.orders.keep_token(order_id, Wait.STOCK, "t", early) is None
    assert world.orders.keep_token(order_id, Wait.STOCK, "t", late) == "released"


# --- whose turn it is ------------------------------------------------------------------------


def test_a_second_waker_gives_nobody_what_the_first_was_woken_for(world: World) -> None:
    first, second = placed(world, ("MUG", 2)), placed(world, ("MUG", 2))
    for order_id in (first, second):
        assert world.route(order_id) == "backordered"
    world.receive("MUG", 2)
    assert world.routing.lines(now()).wake("MUG") == 1

    assert world.routing.lines(now()).wake("MUG") == 0

    assert in_line(world, "MUG") == [first, second]
    assert world.route(first) == "routed"
    assert in_line(world, "MUG") == [second]


def test_two_wakers_at_one_moment_release_the_same_head(world: World) -> None:
    """Each has looked before the other has released anybody."""
    first, second = placed(world, ("MUG", 2)), placed(world, ("MUG", 2))
    for order_id in (first, second):
        world.route(order_id)
    world.receive("MUG", 2)
    waker, other = (world.routing.lines(now()) for _ in range(2))
    many = waker._orders.many

    def late(ids: Any) -> Any:
        found = many(ids)
        other.wake("MUG")
        return found

    waker._orders.many = late  # type: ignore[method-assign,assignment]
    waker.wake("MUG")

    assert not world.orders.get(first).is_backordered
    assert world.orders.get(second).is_backordered


def test_a_woken_order_that_is_held_keeps_nobody_from_what_it_does_not_take(world: World) -> None:
    first, second = placed(world, ("MUG", 2)), placed(world, ("MUG", 2))
    for order_id in (first, second):
        world.route(order_id)
    world.receive("MUG", 2)
    wake_backorders(world.routing, "MUG", now())
    world.do(first, c.PlaceHold("address", "odd"))

    assert wake_backorders(world.routing, "MUG", now()) == 1
    assert not world.orders.get(second).is_backordered


def test_a_line_longer_than_a_page_is_read_to_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("oms.adapters.stock_table.LINE_PAGE", 2)
    waiting = [placed(world, ("MUG", 1)) for _ in range(5)]
    for order_id in waiting:
        world.route(order_id)

    assert in_line(world, "MUG") == waiting
    assert len(world.stock.waiting("MUG", 3)) == 3


# --- deadlines -------------------------------------------------------------------------------


@dataclass
class Diary:
    put_off: list[tuple[str, str, datetime]] = field(default_factory=list)
    policy: Backorders = field(default_factory=Backorders)

    def of(self, items: Any) -> dict[str, StockItem]:
        return {
            item: StockItem(item, item, policy=Policy(backorders=self.policy)) for item in items
        }

    def look_again(self, kind: str, subject: str, at: datetime) -> None:
        self.put_off.append((kind, subject, at))


def desk(world: World, diary: Diary) -> Desk:
    return Desk(world.routing, diary, diary.look_again)


def test_what_has_waited_too_long_is_cancelled_and_the_rest_goes_on(world: World) -> None:
    order_id, diary = in_part(world), Diary(policy=Backorders(cancel_after_days=7))

    assert cancel_backorder(desk(world, diary), order_id, now()) == "nothing to do"
    since = world.orders.get(order_id).backorders[0].since
    assert diary.put_off == [(DueKind.CANCEL_BACKORDER, order_id, since + timedelta(days=7))]
    late = now() + timedelta(days=7)
    for _ in range(2):
        cancel_backorder(desk(world, diary), order_id, late)

    order = world.check(order_id)
    assert (order.line("line_1").cancelled, order.line("line_1").allocated) == (1, 2)
    assert world.orders.whole_history(order_id)[-1].event == e.OrderLinesCancelled(
        (e.CancelledUnits("line_1", 1, "backordered"),), "out_of_stock"
    )


def test_an_order_of_which_nothing_came_gets_its_money_back(world: World) -> None:
    order_id = placed(world, ("MUG", 2))
    world.route(order_id)
    diary = Diary(policy=Backorders(cancel_after_days=1))

    cancel_backorder(desk(world, diary), order_id, now() + timedelta(days=1))
    world.pay(order_id)

    assert world.orders.get(order_id).status is OrderStatus.CANCELLED
    assert world.psp.moved(OperationKind.VOID) == 2500
    assert in_line(world, "MUG") == []


def preordered(world: World, release: date) -> str:
    order_id = placed(world, ("GAME", 1))
    command = c.Backorder((Quantity("line_1", 1),), release.isoformat(), preorder=True)
    world.do(order_id, command)
    return order_id


def test_a_pre_order_is_not_filled_before_its_day_even_if_it_lies_there(world: World) -> None:
    release = (now() + timedelta(days=10)).date()
    first, second = preordered(world, release), preordered(world, release)
    world.receive("GAME", 1)
    diary = Diary(policy=Backorders(BackorderMode.PREORDER, release_on=release))

    assert wake_backorders(world.routing, "GAME", now()) == 0
    assert world.route(first) == "backordered"
    assert release_preorder(desk(world, diary), first, now()) == "nothing to do"
    assert diary.put_off[0][0] == DueKind.RELEASE_PREORDER

    day = datetime(release.year, release.month, release.day, tzinfo=UTC)
    assert release_preorder(desk(world, diary), second, day) == "woken"
    assert not world.orders.get(first).is_backordered
    assert world.orders.get(second).is_backordered


# --- ship days -------------------------------------------------------------------------------


def used(world: World) -> int:
    slots = CapacitySlots(world.client, world.stock_name)
    return slots.used(["AUSTIN"], [TODAY])["AUSTIN", TODAY]


def on_a_limited_day(world: World, units: int, limit: int | None = None) -> str:
    order_id = placed(world, ("MUG", units))
    part = plan(order_id, "AUSTIN", {"line_1": units}, ship_on=TODAY.isoformat())
    limits = {} if limit is None else {"AUSTIN": limit}
    world.orders.change(
        order_id,
        c.RecordRouting(part, RECORD),
        at=now(),
        actor="test",
        beside=Beside(limits=limits),
    )
    return order_id


def test_a_full_day_takes_neither_capacity_nor_stock(world: World) -> None:
    world.receive("MUG", 10)
    on_a_limited_day(world, 3, limit=4)

    with pytest.raises(CapacityFull):
        on_a_limited_day(world, 2, limit=4)

    assert (used(world), world.level("MUG")) == (3, (10, 7, 3))


@pytest.mark.parametrize(
    ("left", "command"),
    [
        (0, c.RejectFulfillmentOrder("box", "flooded")),
        (2, c.ShortPickFulfillmentOrder("box", "gone", (Quantity("line_1", 1),))),
        (1, c.CancelOrder("two less", (Quantity("line_1", 2),))),
        (0, c.CancelOrder("no")),
    ],
)
@pytest.mark.parametrize("limit", [None, 4])
def test_what_leaves_a_box_unshipped_gives_its_day_back(
    world: World, left: int, command: Any, limit: int | None
) -> None:
    world.receive("MUG", 10)
    order_id = on_a_limited_day(world, 3, limit)
    if hasattr(command, "fulfillment_order_id"):
        command = replace(command, fulfillment_order_id=fulfillment_order_id(order_id, 1))

    world.do(order_id, command)

    assert used(world) == left
    world.check(order_id)


def test_what_has_shipped_has_used_its_day(world: World) -> None:
    world.receive("MUG", 10)
    order_id = on_a_limited_day(world, 3)
    world.pack(order_id)
    world.ship(order_id)

    assert used(world) == 3


# --- short picks and collection --------------------------------------------------------------


def test_units_that_are_not_there_leave_the_level_and_are_taken_elsewhere(world: World) -> None:
    world.receive("MUG", 3)
    world.receive("MUG", 3, "RENO")
    order_id = placed(world, ("MUG", 3))
    assert world.route(order_id) == "routed"
    box = world.orders.get(order_id).fulfillment_orders[0]

    missing = (Quantity("line_1", 2),)
    until = now() + timedelta(hours=24)
    world.do(
        order_id,
        c.ShortPickFulfillmentOrder(box.fulfillment_order_id, "gone", missing, until=until),
    )
    assert world.level("MUG") == (1, 0, 1)

    assert world.route(order_id) == "routed"
    order = world.check(order_id)
    assert [x.location_id for x in order.fulfillment_orders] == ["AUSTIN", "RENO"]
    assert (world.level("MUG"), world.level("MUG", "RENO")) == ((1, 0, 1), (3, 1, 2))


def routed_to(world: World, delivery: Delivery, location: str) -> Order:
    world.receive("MUG", 5, location)
    order_id = placed(world, ("MUG", 2), pickup_location="AUSTIN")
    part = plan(order_id, location, {"line_1": 2}, delivery=delivery)
    world.do(order_id, c.RecordRouting(part, RECORD))
    return world.pack(order_id)


def work_at(world: World, location: str) -> list[str]:
    page: KeyPage = world.orders.by_location(location, in_warehouse=True)
    return [sk.removeprefix("FO#") for _, sk in page.keys]


def test_who_collects_takes_the_units_and_pays(world: World) -> None:
    order = routed_to(world, Delivery.PICKUP, "AUSTIN")
    (box,) = (each.fulfillment_order_id for each in order.fulfillment_orders)
    world.do(order.order_id, c.ReadyFulfillmentOrder(box))
    assert (work_at(world, "AUSTIN"), world.level("MUG")) == ([box], (5, 3, 2))

    world.do(order.order_id, c.CollectFulfillmentOrder(box))
    world.pay(order.order_id)

    assert world.check(order.order_id).status is OrderStatus.COMPLETED
    assert (work_at(world, "AUSTIN"), world.level("MUG")) == ([], (3, 3, 0))
    assert world.psp.moved(OperationKind.CAPTURE) == 2500


def test_what_nobody_collects_goes_back_in_time(world: World) -> None:
    order = routed_to(world, Delivery.PICKUP, "AUSTIN")
    (box,) = (each.fulfillment_order_id for each in order.fulfillment_orders)
    world.do(order.order_id, c.ReadyFulfillmentOrder(box))
    ready_at = now()

    assert cancel_pickup(desk(world, Diary()), box, ready_at) == "nothing to do"
    assert cancel_pickup(desk(world, Diary()), box, ready_at + COLLECT_WITHIN) == "cancelled"
    world.pay(order.order_id)

    assert world.check(order.order_id).status is OrderStatus.CANCELLED
    assert world.level("MUG") == (5, 5, 0)
    assert world.psp.moved(OperationKind.VOID) == 2500


def test_a_store_sees_what_is_on_its_way_to_it_until_it_is_collected(world: World) -> None:
    order = routed_to(world, Delivery.SHIP_TO_STORE, "RENO")
    (box,) = (each.fulfillment_order_id for each in order.fulfillment_orders)
    assert (work_at(world, "RENO"), work_at(world, "AUSTIN")) == ([box], [])
    order = world.ship(order.order_id)
    assert (work_at(world, "RENO"), work_at(world, "AUSTIN")) == ([], [box])

    number = order.fulfillment_orders[0].parcels[0].tracking_number
    yesterday = now() - timedelta(days=1)
    world.do(order.order_id, scans(number, TrackingStatus.DELIVERED, since=yesterday))
    assert world.orders.get(order.order_id).status is OrderStatus.IN_FULFILLMENT
    world.do(order.order_id, c.ReadyFulfillmentOrder(box), c.CollectFulfillmentOrder(box))

    assert world.check(order.order_id).status is OrderStatus.COMPLETED
    assert (work_at(world, "AUSTIN"), world.level("MUG", "RENO")) == ([], (3, 3, 0))


# --- other days ------------------------------------------------------------------------------


def expected(world: World, units: int, day: date) -> None:
    """A supplier brings so many mugs to Austin."""
    ordered = PurchaseOrder(
        f"pur_{units}", "Potter", "AUSTIN", (PurchaseLine("MUG", units, day),), now()
    ).ordered()
    world.routing.supply.order(ordered, fingerprint="f", actor="test")


def days_of(world: World, *order_ids: str) -> list[str]:
    return [world.orders.get(each).backorders[0].expected_on for each in order_ids]


def test_a_supplier_that_is_late_changes_the_days_that_were_told_each_in_its_turn(
    world: World,
) -> None:
    first, second, third = in_turn = [placed(world, ("MUG", 3)) for _ in range(3)]
    for order_id in in_turn:
        world.route(order_id)
    soon, later = TODAY + timedelta(days=900), TODAY + timedelta(days=930)
    expected(world, 4, soon)
    expected(world, 3, later)

    assert retell_days(world.routing, "MUG", now()) == 2
    assert retell_days(world.routing, "MUG", now()) == 0

    assert days_of(world, first, second, third) == [soon.isoformat(), later.isoformat(), ""]
    change = world.routing.supply.change
    change(PURCHASES, "pur_4", lambda it: it.reschedule({"MUG": later}), at=now(), actor="test")
    assert retell_days(world.routing, "MUG", now()) == 1
    assert days_of(world, first) == [later.isoformat()]
    told = world.orders.whole_history(first)[-1].event
    assert told == e.BackorderRescheduled(("line_1",), later.isoformat())


def test_two_lines_of_one_sku_are_told_one_day_and_that_once(world: World) -> None:
    order_id = placed(world, ("MUG", 1), ("MUG", 5))
    world.route(order_id)
    soon, later = TODAY + timedelta(days=900), TODAY + timedelta(days=930)
    expected(world, 4, soon)
    expected(world, 3, later)

    assert [retell_days(world.routing, "MUG", now()) for _ in range(2)] == [1, 0]

    days = [each.expected_on for each in world.orders.get(order_id).backorders]
    assert days == [later.isoformat()] * 2
