"""From the cart into the order: the units change hands and are never free in between."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from functions.inventory.run_agenda import expire_hold
from functions.inventory.wake_backorders import wake_backorders
from oms.adapters.dynamodb import Write
from oms.domain.cart_stock import NotEnough
from oms.domain.errors import OmsError, Refused
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.order import OrderStatus
from oms.domain.stock_holds import (
    MAX_ITEMS,
    MAX_ORDERS,
    SPOKEN_FOR,
    HoldNotUsable,
    HoldState,
)
from tests.functions.holds.carts import (
    QUARTER,
    cart,
    check_stock,
    entries,
    freed,
    held,
    owners,
    reserve,
    sweep,
)
from tests.functions.world import AUSTIN, RENO, World, an_order, now, survives

pytestmark = pytest.mark.cloud

DECLINED = {"provider": "fake", "token": "tok_declined"}


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 1)
    return world


def bought(world: World, hold_id: str, *lines: tuple[str, int], **changes: Any) -> str:
    order_id = world.place(an_order(*lines, hold_id=hold_id, **changes)).order_id
    world.pay(order_id)
    return order_id


def box(order_id: str, number: int = 1) -> str:
    return f"ful_{order_id.removeprefix('ord_')}-{number}"


def test_two_payments_fail_and_the_third_gets_the_last_unit_that_was_held_all_along(
    world: World,
) -> None:
    hold = held(world, "ada", ("MUG", 1))
    for _ in range(2):
        order_id = bought(world, hold.hold_id, ("MUG", 1), payment=DECLINED)
        assert world.route(order_id) == "declined"
        world.cancel(order_id, "payment declined")
        with pytest.raises(NotEnough):
            held(world, "bob", ("MUG", 1))
        rival = world.place(an_order(("MUG", 1))).order_id
        world.pay(rival)
        assert world.route(rival) == "backordered"
        assert owners(world, "MUG") == {(hold.hold_id, "AUSTIN"): 1}

    order_id = bought(world, hold.hold_id, ("MUG", 1))

    assert world.route(order_id) == "routed"
    assert owners(world, "MUG") == {(box(order_id), "AUSTIN"): 1}
    assert world.holds.get(hold.hold_id).carried_by == order_id
    assert (entries(world), freed(world)) == ([], [])
    check_stock(world, "MUG")
    world.check(order_id)


def test_an_order_takes_its_units_from_its_cart_and_ships_them(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    order_id = bought(world, hold.hold_id, ("MUG", 1))
    world.route(order_id)

    world.pack(order_id)
    world.ship(order_id)

    assert world.level("MUG") == (0, 0, 0)
    assert owners(world, "MUG") == {}
    world.check(order_id)


def test_an_order_may_want_more_or_less_than_its_cart_held(world: World) -> None:
    world.receive("MUG", 4)
    world.receive("CUP", 2)
    hold = held(world, "ada", ("MUG", 2), ("CUP", 2))
    order_id = bought(world, hold.hold_id, ("MUG", 4))

    assert world.route(order_id) == "routed"

    assert owners(world, "MUG") == {(box(order_id), "AUSTIN"): 4}
    assert (world.level("MUG"), world.level("CUP")) == ((5, 1, 4), (2, 2, 0))
    assert freed(world) == ["CUP"]
    check_stock(world, "MUG", "CUP")


def test_units_that_ship_from_elsewhere_are_let_go_where_they_were_held(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    world.receive("MUG", 1, "RENO")
    world.receive("CUP", 1, "RENO")
    order_id = bought(world, hold.hold_id, ("MUG", 1), ("CUP", 1))

    assert world.route(order_id) == "routed"

    assert owners(world, "MUG") == {(box(order_id), "RENO"): 1}
    assert world.level("MUG") == (1, 1, 0)
    assert freed(world) == ["MUG"]
    check_stock(world, "MUG", "CUP")


def test_a_kept_unit_at_a_place_that_has_closed_is_taken_elsewhere(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    world.receive("MUG", 1, "RENO")
    world.stock.put_location(replace(AUSTIN, active=False))
    order_id = bought(world, hold.hold_id, ("MUG", 1))

    assert world.route(order_id) == "routed"
    assert owners(world, "MUG") == {(box(order_id), "RENO"): 1}
    check_stock(world, "MUG")


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (HoldState.RELEASED, "released"),
        (HoldState.EXPIRED, "expired"),
        (HoldState.CARRIED, "carried"),
    ],
)
def test_no_order_is_placed_with_a_hold_that_has_ended(
    world: World, state: HoldState, why: str
) -> None:
    hold = held(world, "ada", ("MUG", 1))
    if state is HoldState.RELEASED:
        reserve(world).release(hold.hold_id, now())
    elif state is HoldState.EXPIRED:
        sweep(world, hold.expires_at)
    else:
        world.route(bought(world, hold.hold_id, ("MUG", 1)))

    with pytest.raises(HoldNotUsable, match=why):
        world.place(an_order(("MUG", 1), hold_id=hold.hold_id))


def test_no_order_is_placed_with_a_hold_of_another_channel_or_of_nobody(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    said = an_order(("MUG", 1), hold_id=hold.hold_id, channel="app")

    with pytest.raises(HoldNotUsable, match="no hold of app"):
        world.place(said)
    with pytest.raises(HoldNotUsable):
        world.place(an_order(("MUG", 1), hold_id="hld_nobodys1"))
    assert list(world.orders.all_orders()) == []


def test_an_order_that_is_told_again_is_the_first_also_when_its_hold_has_been_carried(
    world: World,
) -> None:
    hold = held(world, "ada", ("MUG", 1))
    said = an_order(("MUG", 1), hold_id=hold.hold_id)
    first = world.place(said, "key-1")
    world.pay(first.order_id)
    world.route(first.order_id)

    again = world.place(said, "key-1")

    assert again.order_id == first.order_id


def test_an_order_too_large_for_its_hold_is_refused_when_it_is_placed(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    lines = [(f"SKU-{number}", 1) for number in range(MAX_ITEMS + 1)]

    with pytest.raises(HoldNotUsable, match=str(MAX_ITEMS)):
        world.place(an_order(*lines, hold_id=hold.hold_id))


def test_the_largest_cart_is_carried_and_what_it_leaves_is_given_back(world: World) -> None:
    """All that it held is shipped from elsewhere, which needs most rows."""
    skus = [f"SKU-{number}" for number in range(MAX_ITEMS)]
    for sku in skus:
        world.receive(sku, 1)
    hold = held(world, "ada", *((sku, 1) for sku in skus))
    for sku in skus:
        world.receive(sku, 1, "RENO")
    world.stock.put_location(replace(AUSTIN, active=False))
    order_id = bought(world, hold.hold_id, *((sku, 1) for sku in skus))

    assert world.route(order_id) == "routed"
    assert world.holds.get(hold.hold_id).state is HoldState.CARRIED
    assert world.level(skus[0]) == (1, 0, 1)
    sweep(world, now() + timedelta(seconds=1))

    assert world.holds.get(hold.hold_id).state is HoldState.CARRIED
    assert world.level(skus[0]) == (1, 1, 0)
    assert (freed(world), entries(world)) == (sorted(skus), [])
    check_stock(world, *skus)


def test_a_cart_that_cannot_be_carried_at_once_lets_go_and_its_order_is_routed(
    world: World,
) -> None:
    """Of every stock item one unit is carried and one is taken beside it."""
    skus = [f"SKU-{number}" for number in range(MAX_ITEMS)]
    for sku in skus:
        world.receive(sku, 2)
    hold = held(world, "ada", *((sku, 1) for sku in skus))
    order_id = bought(world, hold.hold_id, *((sku, 2) for sku in skus))

    assert world.route(order_id) == "routed"

    assert world.holds.get(hold.hold_id).state is HoldState.RELEASED
    assert owners(world, skus[0]) == {(box(order_id), "AUSTIN"): 2}
    check_stock(world, *skus)


def test_an_order_that_is_taken_in_batches_lets_go_of_its_cart(world: World) -> None:
    skus = [f"SKU-{number}" for number in range(MAX_ITEMS - 1)]
    for sku in skus:
        world.receive(sku, 1)
        world.receive(sku, 1, "RENO")
    hold = held(world, "ada", ("MUG", 1))
    order_id = bought(world, hold.hold_id, ("MUG", 1), *((sku, 2) for sku in skus))

    assert world.route(order_id) == "routed"

    assert world.level("MUG") == (1, 0, 1)
    check_stock(world, "MUG", *skus)
    world.check(order_id)


def test_an_order_and_its_carts_deadline_at_the_same_moment_agree(world: World) -> None:
    """Either the order is refused, or the deadline spares what it was placed with."""
    world.receive("MUG", 19)
    holds = [held(world, f"cart{number}", ("MUG", 1)) for number in range(20)]

    def place(hold_id: str) -> bool:
        try:
            world.place(an_order(("MUG", 1), hold_id=hold_id))
        except HoldNotUsable:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        placed = threads.map(lambda hold: place(hold.hold_id), holds)
        for _ in range(3):
            sweep(world, now() + 2 * QUARTER)
        placed_with = dict(zip([hold.hold_id for hold in holds], placed, strict=True))

    for hold_id, was_placed in placed_with.items():
        assert world.holds.get(hold_id).is_held is was_placed
    check_stock(world, "MUG")


def test_what_a_cart_has_not_is_taken_as_all_orders_take_it(world: World) -> None:
    """So an environment that sells from a lease of its own goes on to do so."""
    world.receive("MUG", 2)
    hold = held(world, "ada", ("MUG", 1))
    asked: list[StockChange] = []
    items = (StockItemChange("MUG", "AUSTIN", 3, "ful_x-1"),)
    change = StockChange(MovementKind.ALLOCATED, "ord_x#000003", now(), items)

    def otherwise(rest: StockChange) -> list[Write]:
        asked.append(rest)
        return []

    writes = world.holds.taking(hold.hold_id, otherwise=otherwise)(change)

    assert [[item.quantity for item in rest.items] for rest in asked] == [[2]]
    assert len(writes) == 3  # the hold, what is carried, the deadline


def test_a_hold_is_tried_with_so_many_orders_and_no_more(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    for _ in range(MAX_ORDERS):
        world.cancel(world.place(an_order(("MUG", 1), hold_id=hold.hold_id)).order_id)

    with pytest.raises(HoldNotUsable, match=str(MAX_ORDERS)):
        world.place(an_order(("MUG", 1), hold_id=hold.hold_id))


def test_a_deadline_spares_what_an_order_may_still_take_and_not_for_ever(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    order = world.place(an_order(("MUG", 1), hold_id=hold.hold_id))

    sweep(world, hold.expires_at)
    assert world.holds.get(hold.hold_id).is_held
    assert [entry.at for entry in entries(world)] == [hold.expires_at + SPOKEN_FOR]
    world.cancel(order.order_id)
    assert world.level("MUG") == (1, 0, 1)
    sweep(world, hold.expires_at + SPOKEN_FOR)

    assert (world.level("MUG"), entries(world)) == ((1, 1, 0), [])
    check_stock(world, "MUG")


def test_an_order_whose_hold_has_ended_meanwhile_takes_what_is_free(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    order_id = bought(world, hold.hold_id, ("MUG", 1))
    world.holds.let_go(hold.hold_id, now())

    assert world.route(order_id) == "routed"
    assert world.holds.get(hold.hold_id).state is HoldState.RELEASED
    assert owners(world, "MUG") == {(box(order_id), "AUSTIN"): 1}
    check_stock(world, "MUG")


def test_an_order_that_lacks_a_unit_keeps_its_carts_and_is_woken_by_the_one_it_lacks(
    world: World,
) -> None:
    hold = held(world, "ada", ("MUG", 1))
    order_id = bought(world, hold.hold_id, ("MUG", 2))
    assert world.route(order_id) == "backordered"
    sweep(world, hold.expires_at)
    assert owners(world, "MUG") == {(hold.hold_id, "AUSTIN"): 1}

    world.receive("MUG", 1)

    assert wake_backorders(world.routing, "MUG", now()) == 1
    assert world.route(order_id) == "routed"
    assert owners(world, "MUG") == {(box(order_id), "AUSTIN"): 2}
    check_stock(world, "MUG")


def test_who_is_behind_in_the_line_is_given_what_the_one_before_has_in_its_cart(
    world: World,
) -> None:
    """One free unit is for the first, which lacks one; the next is for the second."""
    hold = held(world, "ada", ("MUG", 1))
    first = bought(world, hold.hold_id, ("MUG", 2))
    second = world.place(an_order(("MUG", 1))).order_id
    world.pay(second)
    assert [world.route(first), world.route(second)] == ["backordered", "backordered"]

    world.receive("MUG", 2)

    assert wake_backorders(world.routing, "MUG", now()) == 2
    assert [world.route(first), world.route(second)] == ["routed", "routed"]
    check_stock(world, "MUG")


def test_two_orders_of_one_cart_share_no_unit(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    one, other = (bought(world, hold.hold_id, ("MUG", 1)) for _ in range(2))

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(world.route, [one, other]))

    assert sorted(outcomes) == ["backordered", "routed"]
    check_stock(world, "MUG")


@pytest.mark.parametrize("number", range(5))
def test_a_deadline_that_races_with_routing_leaves_each_unit_one_owner(
    world: World, number: int
) -> None:
    """The sweeper has seen no order, or a dead one: it frees the units while they are routed."""
    world.receive("MUG", 9)
    holds = [held(world, f"cart{n}", ("MUG", 1)) for n in range(10)]
    order_ids = [bought(world, hold.hold_id, ("MUG", 1)) for hold in holds]

    class Nobody:
        def many(self, order_ids: Any) -> dict[str, Any]:
            return {}

    def expire(hold_id: str) -> None:
        with suppress(Refused):
            later = now() + 2 * QUARTER
            expire_hold(world.holds, Nobody(), hold_id, later)  # type: ignore[arg-type]

    with ThreadPoolExecutor(8) as threads:
        outcomes = threads.map(world.route, order_ids)
        list(threads.map(lambda hold: expire(hold.hold_id), holds))
        assert set(outcomes) == {"routed"}

    assert world.level("MUG") == (10, 0, 10)
    assert Counter(name for name, _ in owners(world, "MUG")) == Counter(map(box, order_ids))
    check_stock(world, "MUG")


def test_units_are_carried_once_whenever_a_worker_dies(world: World) -> None:
    world.receive("CUP", 2, "RENO")
    hold = held(world, "ada", ("MUG", 1), ("CUP", 2))
    order_id = bought(world, hold.hold_id, ("MUG", 1), ("CUP", 1))

    assert survives(world, lambda at: at.route(order_id))

    assert (world.level("MUG"), world.level("CUP", "RENO")) == ((1, 0, 1), (2, 1, 1))
    assert (freed(world), entries(world)) == (["CUP"], [])
    check_stock(world, "MUG", "CUP")
    world.check(order_id)


def test_an_order_is_placed_with_its_hold_once_whenever_a_worker_dies(world: World) -> None:
    hold = held(world, "ada", ("MUG", 1))
    said = an_order(("MUG", 1), hold_id=hold.hold_id)

    assert survives(world, lambda at: at.place(said, "key"))

    assert len(world.holds.get(hold.hold_id).orders) == 1


class Carts(RuleBasedStateMachine):
    """Carts come and go, pay or do not, and time passes: no unit ever has two owners."""

    client: Any
    numbers = count(1)
    names = st.sampled_from("abc")
    wishes = st.dictionaries(st.sampled_from(["MUG", "CUP"]), st.integers(1, 3), min_size=1)

    def __init__(self) -> None:
        super().__init__()
        self.world = World.new(self.client, AUSTIN, RENO)
        for sku, place, units in [("MUG", "AUSTIN", 4), ("CUP", "AUSTIN", 2), ("CUP", "RENO", 3)]:
            self.world.receive(sku, units, place)
        self.holds: dict[str, str] = {}
        self.orders: list[str] = []
        self.at = now()

    @rule(name=names, wish=wishes)
    def hold(self, name: str, wish: dict[str, int]) -> None:
        hold_id = f"hld_{next(self.numbers):0>8}"
        with suppress(OmsError):
            reserve(self.world).hold(hold_id, cart(*wish.items()), QUARTER, "", self.at)
            self.holds[name] = hold_id

    @rule(name=names, wish=wishes)
    def change(self, name: str, wish: dict[str, int]) -> None:
        if name in self.holds:
            with suppress(OmsError):
                reserve(self.world).change(self.holds[name], cart(*wish.items()), self.at)

    @rule(name=names)
    def extend(self, name: str) -> None:
        if name in self.holds:
            with suppress(OmsError):
                reserve(self.world).extend(self.holds[name], 2 * QUARTER, self.at)

    @rule(name=names)
    def release(self, name: str) -> None:
        if name in self.holds:
            with suppress(OmsError):
                reserve(self.world).release(self.holds[name], self.at)

    @rule(minutes=st.integers(5, 40))
    def wait(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)
        sweep(self.world, self.at)

    @rule(name=names, wish=wishes, pays=st.booleans())
    def buy(self, name: str, wish: dict[str, int], pays: bool) -> None:
        if name not in self.holds:
            return
        payment = {} if pays else {"payment": DECLINED}
        with suppress(HoldNotUsable):
            self.orders.append(bought(self.world, self.holds[name], *wish.items(), **payment))

    @rule(which=st.integers(0, 9))
    def route(self, which: int) -> None:
        if self.orders:
            order_id = self.orders[which % len(self.orders)]
            if self.world.route(order_id) == "declined":
                self.world.cancel(order_id, "payment declined")

    @rule(which=st.integers(0, 9))
    def cancel(self, which: int) -> None:
        if self.orders:
            self.world.cancel(self.orders[which % len(self.orders)])

    @invariant()
    def every_unit_has_one_owner(self) -> None:
        check_stock(self.world, "MUG", "CUP")

    @invariant()
    def a_hold_has_what_its_row_says_and_nobody_who_is_dead_has_anything(self) -> None:
        for hold_id in self.holds.values():
            hold = self.world.holds.get(hold_id)
            has = {
                (sku, place): units
                for sku in ("MUG", "CUP")
                for (name, place), units in owners(self.world, sku).items()
                if name == hold_id
            }
            assert has == hold.held
            assert hold.is_held or not has
        for order_id in self.orders:
            if self.world.orders.get(order_id).status is OrderStatus.CANCELLED:
                assert not any(name == box(order_id) for name, _ in (*owners(self.world, "MUG"),))


@pytest.mark.slow
def test_whatever_carts_and_their_orders_do_no_unit_has_two_owners(dynamodb: Any) -> None:
    class OfThisCloud(Carts):
        client = dynamodb

    run_state_machine_as_test(
        OfThisCloud,
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
