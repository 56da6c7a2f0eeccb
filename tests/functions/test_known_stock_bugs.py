"""Bugs of stock that other systems have had, each by its name: none of them may be ours."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oms.adapters.items_table import Wanted
from oms.domain import commands as c
from oms.domain.errors import OmsError
from oms.domain.events import Assigned, PackedParcel
from oms.domain.fulfillment import Quantity
from oms.domain.ids import fulfillment_order_id
from oms.domain.inventory import (
    MovementKind,
    NotReserved,
    OutOfStock,
    StockChange,
    StockItemChange,
)
from oms.domain.order import Order
from tests.builders import RECORD
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud


@pytest.fixture
def world(dynamodb: Any) -> World:
    return World.new(dynamodb)


def paid(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    return order_id


def assign(world: World, order_id: str, *plan: tuple[str, dict[str, int]]) -> Order:
    """These units of lines to these locations, as routing records it."""
    first = len(world.orders.get(order_id).fulfillment_orders) + 1
    boxes = tuple(
        Assigned(
            fulfillment_order_id(order_id, number),
            location,
            tuple(Quantity(line_id, units) for line_id, units in lines.items()),
        )
        for number, (location, lines) in enumerate(plan, first)
    )
    return world.do(order_id, c.RecordRouting(boxes, RECORD))


def ship(world: World, order_id: str, number: int) -> Order:
    """One of its boxes."""
    identity = fulfillment_order_id(order_id, number)
    box = world.orders.get(order_id).fulfillment_order(identity)
    parcel = PackedParcel("easypost", f"EZ{identity[-20:]}", box.lines)
    return world.do(
        order_id,
        c.PickFulfillmentOrder(identity),
        c.PackFulfillmentOrder(identity),
        c.ShipFulfillmentOrder(identity, (parcel,)),
    )


def kit(world: World, sku: str, *components: tuple[str, int]) -> None:
    world.items.put(sku, Wanted(components=components), at=now(), identity=f"itm_{sku}")


def test_a_reservation_sees_the_ones_before_it_at_every_location(world: World) -> None:
    """A check that forgets what is allocated already sells it again."""
    world.receive("MUG", 1)
    world.receive("MUG", 1, "RENO")
    for location in ("AUSTIN", "RENO"):
        assign(world, paid(world, ("MUG", 1)), (location, {"line_1": 1}))

    for location in ("AUSTIN", "RENO"):
        order_id = paid(world, ("MUG", 1))
        with pytest.raises(OutOfStock):
            assign(world, order_id, (location, {"line_1": 1}))
        assert world.level("MUG", location) == (1, 0, 1)
        world.check(order_id)


def test_five_hundred_buyers_of_ten_units_get_ten(world: World) -> None:
    """Read, compare and write apart from each other oversell."""
    world.receive("MUG", 10)
    stock = world.stock

    def buy(buyer: int) -> bool:
        item = StockItemChange("MUG", "AUSTIN", 1, f"ful_{buyer}-1")
        try:
            stock.apply(StockChange(MovementKind.ALLOCATED, f"c{buyer}", now(), (item,)))
        except OutOfStock:
            return False
        return True

    with ThreadPoolExecutor(24) as threads:
        sold = list(threads.map(buy, range(500)))

    assert sum(sold) == 10
    assert world.level("MUG") == (10, 0, 10)
    held = world.ledger.standing("MUG").reservations
    winners = {f"ful_{buyer}-1" for buyer, won in enumerate(sold) if won}
    assert {each.reservation for each in held} == winners
    assert all(balance.is_even for balance in stock.scan_balances())


@pytest.mark.parametrize("second", ["SET", "GIFT", "LID"])
def test_two_lines_that_share_a_component_never_take_the_same_unit(
    world: World, second: str
) -> None:
    """Each line on its own fits into the stock; together they do not."""
    for sku, units in (("MUG", 9), ("BOX", 9), ("LID", 1)):
        world.receive(sku, units)
    kit(world, "SET", ("MUG", 1), ("LID", 1))
    kit(world, "GIFT", ("BOX", 1), ("LID", 1))
    order_id = paid(world, ("SET", 1), (second, 1))

    with pytest.raises(OutOfStock) as refused:
        assign(world, order_id, ("AUSTIN", {"line_1": 1, "line_2": 1}))

    assert [(x.sku, x.requested, x.available) for x in refused.value.shortages] == [("LID", 2, 1)]
    assert [world.level(sku) for sku in ("MUG", "BOX", "LID")] == [(9, 9, 0), (9, 9, 0), (1, 1, 0)]
    world.receive("LID", 1)
    assign(world, order_id, ("AUSTIN", {"line_1": 1, "line_2": 1}))
    assert world.level("LID") == (2, 0, 2)
    world.check(order_id)


BOXES = st.integers(1, 4)
DEEDS = st.one_of(
    st.tuples(st.just("route"), st.sampled_from(["AUSTIN", "RENO"]), st.integers(1, 3)),
    st.tuples(st.sampled_from(["ship", "reject", "ship twice"]), BOXES),
    st.tuples(st.just("cancel some"), st.sampled_from(["line_1", "line_2"]), st.integers(1, 3)),
    st.tuples(st.sampled_from(["cancel", "settle", "count"])),
)
RECEIVED = {("MUG", "AUSTIN"): 9, ("MUG", "RENO"): 7, ("LID", "AUSTIN"): 9, ("LID", "RENO"): 9}


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(DEEDS, min_size=4, max_size=14))
def test_no_order_of_deeds_doubles_or_loses_a_unit(
    dynamodb: Any, deeds: list[tuple[Any, ...]]
) -> None:
    """Compensations that are derived from totals come twice, or not at all."""
    world = World.new(dynamodb)
    for (sku, location), units in RECEIVED.items():
        world.receive(sku, units, location)
    kit(world, "SET", ("MUG", 1), ("LID", 2))
    order_id = paid(world, ("MUG", 3), ("SET", 3))
    for deed, *how in deeds:
        with suppress(OmsError):
            do(world, order_id, deed, *how)
        conserved(world, world.check(order_id))


def do(world: World, order_id: str, deed: str, *how: Any) -> None:
    if deed == "route":
        location, units = how
        lines = {x.line_id: min(units, x.open) for x in world.orders.get(order_id).lines if x.open}
        assign(world, order_id, (location, lines))
    elif deed.startswith("ship"):
        for _ in range(2 if deed == "ship twice" else 1):
            ship(world, order_id, *how)
    elif deed == "reject":
        world.do(order_id, c.RejectFulfillmentOrder(fulfillment_order_id(order_id, *how), "no"))
    elif deed == "cancel some":
        world.do(order_id, c.CancelOrder("less", (Quantity(*how),)))
    elif deed == "cancel":
        world.cancel(order_id)
    elif deed == "settle":
        world.settle_stock(order_id)
    else:
        on_hand, *_ = world.level("MUG")
        world.ledger.count("MUG", "AUSTIN", on_hand, at=now(), actor="test")


def conserved(world: World, order: Order) -> None:
    """What came in is there or was shipped; what is there is free or is the order's."""
    gone: Counter[tuple[str, str]] = Counter()
    for box in order.fulfillment_orders:
        for quantity in box.lines if box.parcels else ():
            for part in order.line(quantity.line_id).parts:
                gone[part.item, box.location_id] += part.quantity * quantity.quantity
    for place, received in RECEIVED.items():
        on_hand, available, reserved = world.level(*place)
        assert on_hand + gone[place] == received
        assert available >= 0
        assert reserved >= 0
        assert on_hand == available + reserved


@pytest.mark.parametrize("fate", ["renamed", "retired"])
@pytest.mark.parametrize("end", ["ship", "cancel", "reject"])
def test_a_sku_renamed_retired_and_created_again_leaves_open_orders_their_item(
    world: World, fate: str, end: str
) -> None:
    """A ledger that is keyed by the SKU books the order on the new item."""
    world.receive("MUG", 5)
    order_id = paid(world, ("MUG", 2))
    assign(world, order_id, ("AUSTIN", {"line_1": 2}))
    if fate == "renamed":
        world.items.rename("MUG", "MUG-OLD", at=now())
    else:
        world.items.retire("MUG")
    new = world.items.put("MUG", Wanted(), at=now(), identity="itm_new")
    world.receive(new.item, 7)
    assert (world.level("MUG"), world.level("itm_new")) == ((5, 3, 2), (7, 7, 0))

    if end == "ship":
        ship(world, order_id, 1)
    elif end == "cancel":
        world.cancel(order_id)
    else:
        do(world, order_id, "reject", 1)

    left = {"ship": (3, 3, 0), "cancel": (5, 5, 0), "reject": (5, 5, 0)}
    assert world.level("MUG") == left[end]
    assert world.level("itm_new") == (7, 7, 0)
    world.check(order_id)


def test_an_order_takes_the_item_that_its_sku_stood_for_when_it_was_placed(world: World) -> None:
    """The other way round: a new order under a new name takes the old units."""
    world.receive("MUG", 5)
    world.items.rename("MUG", "BIG", at=now())
    order_id = paid(world, ("BIG", 2))
    world.items.rename("BIG", "HUGE", at=now())
    world.items.put("BIG", Wanted(), at=now(), identity="itm_other")

    assign(world, order_id, ("AUSTIN", {"line_1": 2}))
    ship(world, order_id, 1)

    assert world.level("MUG") == (3, 3, 0)
    assert world.stock.levels(["BIG", "itm_other"]) == {"BIG": (), "itm_other": ()}
    world.check(order_id)


def test_units_ship_from_where_they_are_reserved_and_from_nowhere_else(world: World) -> None:
    """A location that is chosen twice corrupts both."""
    world.receive("MUG", 5)
    world.receive("MUG", 5, "RENO")
    order_id = paid(world, ("MUG", 2))
    assign(world, order_id, ("AUSTIN", {"line_1": 2}))
    elsewhere = StockItemChange("MUG", "RENO", 2, fulfillment_order_id(order_id, 1))

    with pytest.raises(NotReserved):
        world.stock.apply(StockChange(MovementKind.CONSUMED, "c1", now(), (elsewhere,)))
    do(world, order_id, "reject", 1)
    assign(world, order_id, ("RENO", {"line_1": 2}))
    assert (world.level("MUG"), world.level("MUG", "RENO")) == ((5, 5, 0), (5, 3, 2))
    ship(world, order_id, 2)

    assert (world.level("MUG"), world.level("MUG", "RENO")) == ((5, 5, 0), (3, 3, 0))
    world.check(order_id)


def test_one_unit_of_five_that_ships_takes_one_from_the_shelf(world: World) -> None:
    """A partial shipment that takes the whole ordered quantity."""
    world.receive("MUG", 9)
    order_id = paid(world, ("MUG", 5))
    assign(world, order_id, ("AUSTIN", {"line_1": 1}), ("AUSTIN", {"line_1": 4}))

    ship(world, order_id, 1)

    assert world.level("MUG") == (8, 4, 4)
    assert world.check(order_id).line("line_1").shipped == 1


def test_two_partial_shipments_from_two_locations_drain_each_once(world: World) -> None:
    """Who infers the location again later takes from the first one twice."""
    world.receive("MUG", 3)
    world.receive("MUG", 3, "RENO")
    order_id = paid(world, ("MUG", 5))
    assign(world, order_id, ("AUSTIN", {"line_1": 3}), ("RENO", {"line_1": 2}))

    ship(world, order_id, 2)
    assert (world.level("MUG"), world.level("MUG", "RENO")) == ((3, 0, 3), (1, 1, 0))
    ship(world, order_id, 1)

    assert (world.level("MUG"), world.level("MUG", "RENO")) == ((0, 0, 0), (1, 1, 0))
    world.check(order_id)


def test_a_release_told_twice_gives_nothing_back_twice(world: World) -> None:
    """An order that is cancelled again after it was cancelled."""
    world.receive("MUG", 5)
    order_id = paid(world, ("MUG", 3))
    assign(world, order_id, ("AUSTIN", {"line_1": 3}))

    for _ in range(3):
        with suppress(OmsError):
            world.cancel(order_id)
        assert world.level("MUG") == (5, 5, 0)
    kinds = [m.kind for m in world.ledger.movements("MUG").movements]
    assert kinds == [MovementKind.RELEASED, MovementKind.ALLOCATED, MovementKind.RECEIVED]
    world.check(order_id)
