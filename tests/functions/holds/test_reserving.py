"""Carts hold real units: all or none, once, and nobody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.holds.reserving import SpokenFor
from oms.adapters.channels_table import ChannelsTable
from oms.domain.availability import Channel
from oms.domain.cart_stock import NotEnough
from oms.domain.errors import Conflict, IllegalTransition
from oms.domain.lines import Part
from oms.domain.stock_holds import HeldLine, HoldState, StockHoldNotFound
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


@pytest.fixture
def world(dynamodb: Any) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 5)
    world.receive("CUP", 5, "RENO")
    return world


def test_what_a_cart_holds_nobody_else_can_have(world: World) -> None:
    hold = held(world, "a", ("MUG", 4))

    assert world.level("MUG") == (5, 1, 4)
    assert owners(world, "MUG") == {(hold.hold_id, "AUSTIN"): 4}
    with pytest.raises(NotEnough):
        held(world, "b", ("MUG", 2))
    check_stock(world, "MUG")


def test_a_cart_gets_all_or_nothing(world: World) -> None:
    with pytest.raises(NotEnough) as error:
        held(world, "a", ("MUG", 2), ("CUP", 6))

    assert [(x.place, x.available) for x in error.value.short] == [(1, 5)]
    assert (world.level("MUG"), entries(world)) == ((5, 5, 0), [])


def test_a_cart_may_hold_units_of_several_places(world: World) -> None:
    hold = held(world, "a", ("MUG", 2), ("CUP", 2))

    assert hold.held == {("MUG", "AUSTIN"): 2, ("CUP", "RENO"): 2}


def test_the_same_hold_asked_for_twice_is_one(world: World) -> None:
    first = held(world, "a", ("MUG", 4))

    assert held(world, "a", ("MUG", 4)) == first
    assert world.level("MUG") == (5, 1, 4)
    with pytest.raises(Conflict):
        held(world, "a", ("MUG", 3))


def test_fifty_carts_race_for_the_last_five_units_and_exactly_five_hold_one(world: World) -> None:
    def wish(number: int) -> bool:
        try:
            held(world, f"{number}", ("MUG", 1))
        except NotEnough:
            return False
        return True

    with ThreadPoolExecutor(16) as threads:
        got = list(threads.map(wish, range(50)))

    assert got.count(True) == 5
    assert world.level("MUG") == (5, 0, 5)
    assert len(entries(world)) == 5
    check_stock(world, "MUG")


def test_the_same_request_at_the_same_moment_holds_once(world: World) -> None:
    with ThreadPoolExecutor(8) as threads:
        holds = list(threads.map(lambda _: held(world, "a", ("MUG", 5)), range(8)))

    assert len({hold.hold_id for hold in holds}) == 1
    assert world.level("MUG") == (5, 0, 5)


def test_a_released_hold_gives_its_units_back_once_and_says_so(world: World) -> None:
    hold = held(world, "a", ("MUG", 4), ("CUP", 1))

    for _ in range(2):
        released = reserve(world).release(hold.hold_id, now())

    assert released.state is HoldState.RELEASED
    assert world.level("MUG") == (5, 5, 0)
    assert (freed(world), entries(world)) == (["CUP", "MUG"], [])
    check_stock(world, "MUG", "CUP")


def test_a_hold_that_expires_gives_its_units_back_and_says_so(world: World) -> None:
    hold = held(world, "a", ("MUG", 4))

    sweep(world, hold.expires_at - timedelta(seconds=1))
    assert world.level("MUG") == (5, 1, 4)
    sweep(world, hold.expires_at)

    assert world.holds.get(hold.hold_id).state is HoldState.EXPIRED
    assert (world.level("MUG"), freed(world), entries(world)) == ((5, 5, 0), ["MUG"], [])
    assert reserve(world).release(hold.hold_id, now()).state is HoldState.EXPIRED


def test_an_extended_hold_outlives_its_first_deadline(world: World) -> None:
    hold = held(world, "a", ("MUG", 4))

    later = reserve(world).extend(hold.hold_id, 3 * QUARTER, now())
    sweep(world, hold.expires_at)

    assert world.holds.get(hold.hold_id).is_held
    assert [entry.at for entry in entries(world)] == [later.expires_at]
    sweep(world, later.expires_at)
    assert world.level("MUG") == (5, 5, 0)


def test_a_deadline_that_was_put_off_when_it_failed_ends_no_hold_that_lives_longer_now(
    world: World,
) -> None:
    hold = held(world, "a", ("MUG", 4))
    (entry,) = entries(world)
    world.agenda.move(entry, replace(entry, at=hold.expires_at + QUARTER, tries=1))
    later = reserve(world).extend(hold.hold_id, 4 * QUARTER, now())

    sweep(world, hold.expires_at + QUARTER)

    assert world.holds.get(hold.hold_id).is_held
    assert [entry.at for entry in entries(world)] == [later.expires_at]


def test_a_changed_cart_takes_and_gives_back_the_difference(world: World) -> None:
    hold = held(world, "a", ("MUG", 2))

    changed = reserve(world).change(hold.hold_id, cart(("MUG", 1), ("CUP", 3)), now())

    assert changed.held == {("MUG", "AUSTIN"): 1, ("CUP", "RENO"): 3}
    assert (world.level("MUG"), world.level("CUP", "RENO")) == ((5, 4, 1), (5, 2, 3))
    assert len(entries(world)) == 1
    check_stock(world, "MUG", "CUP")


def test_a_cart_that_cannot_grow_keeps_what_it_had(world: World) -> None:
    hold = held(world, "a", ("MUG", 2))
    held(world, "b", ("MUG", 2))

    with pytest.raises(NotEnough) as error:
        reserve(world).change(hold.hold_id, cart(("MUG", 4)), now())

    assert error.value.short[0].available == 3  # its own two, and the last one
    assert world.holds.get(hold.hold_id) == hold
    assert reserve(world).change(hold.hold_id, cart(("MUG", 3)), now()).held == {
        ("MUG", "AUSTIN"): 3
    }


def test_a_cart_is_not_split_when_one_place_has_what_it_has_become(world: World) -> None:
    hold = held(world, "a", ("MUG", 1))
    world.receive("MUG", 1, "RENO")

    changed = reserve(world).change(hold.hold_id, cart(("MUG", 1), ("CUP", 1)), now())

    assert changed.held == {("MUG", "RENO"): 1, ("CUP", "RENO"): 1}
    check_stock(world, "MUG", "CUP")


def test_closed_places_and_those_of_other_channels_hold_nothing(world: World) -> None:
    channels = ChannelsTable(world.client, world.stock_name)
    channels.put(Channel("web", locations=("RENO",)))
    with pytest.raises(NotEnough):
        held(world, "a", ("MUG", 1))
    channels.put(Channel("web", locations=("AUSTIN",)))
    world.stock.put_location(replace(AUSTIN, active=False))
    with pytest.raises(NotEnough):
        held(world, "b", ("MUG", 1))


def test_a_cart_leaves_the_safety_stock_of_its_channel(world: World) -> None:
    ChannelsTable(world.client, world.stock_name).put(Channel("web", safety_stock=2))

    with pytest.raises(NotEnough) as error:
        held(world, "a", ("MUG", 4))

    assert error.value.short[0].available == 3
    hold = held(world, "b", ("MUG", 3))
    assert world.level("MUG") == (5, 2, 3)
    assert reserve(world).change(hold.hold_id, cart(("MUG", 2)), now()).is_held


def test_a_kit_is_held_as_its_parts(world: World) -> None:
    world.receive("CUP", 2)
    wanted = replace(cart(), lines=(HeldLine("SET", 2, (Part("MUG", 2), Part("CUP"))),))

    hold, _ = reserve(world).hold("hld_kits0001", wanted, QUARTER, "", now())

    assert hold.held == {("MUG", "AUSTIN"): 4, ("CUP", "AUSTIN"): 2}


def test_a_hold_that_nobody_made_is_unknown(world: World) -> None:
    with pytest.raises(StockHoldNotFound):
        reserve(world).release("hld_nobodys1", now())


def test_a_cart_whose_order_is_alive_gives_nothing_away(world: World) -> None:
    hold = held(world, "a", ("MUG", 4))
    order = world.place(an_order(("MUG", 4), hold_id=hold.hold_id))

    with pytest.raises(SpokenFor):
        reserve(world).release(hold.hold_id, now())
    with pytest.raises(SpokenFor):
        reserve(world).change(hold.hold_id, cart(("MUG", 1)), now())
    world.cancel(order.order_id)

    assert world.level("MUG") == (5, 1, 4)
    assert reserve(world).release(hold.hold_id, now()).state is HoldState.RELEASED


def test_a_carried_hold_is_not_released(world: World) -> None:
    hold = held(world, "a", ("MUG", 4))
    order = world.place(an_order(("MUG", 4), hold_id=hold.hold_id))
    world.pay(order.order_id)
    world.route(order.order_id)

    with pytest.raises(IllegalTransition):
        reserve(world).release(hold.hold_id, now())
    assert world.level("MUG") == (5, 1, 4)


def test_a_cart_is_held_changed_and_released_once_whenever_a_worker_dies(world: World) -> None:
    moment = now()

    def hold(at: World) -> None:
        wish = cart(("MUG", 2), ("CUP", 1))
        reserve(at).hold("hld_cart0001", wish, QUARTER, "words", moment)

    def change(at: World) -> None:
        reserve(at).change("hld_cart0001", cart(("MUG", 1), ("CUP", 3)), moment)

    def release(at: World) -> None:
        reserve(at).release("hld_cart0001", moment)

    assert survives(world, hold)
    assert (world.level("MUG"), world.level("CUP", "RENO")) == ((5, 3, 2), (5, 4, 1))
    assert survives(world, change)
    assert (world.level("MUG"), world.level("CUP", "RENO")) == ((5, 4, 1), (5, 2, 3))
    assert survives(world, release)
    assert (world.level("MUG"), world.level("CUP", "RENO")) == ((5, 5, 0), (5, 5, 0))
    assert entries(world) == []
    check_stock(world, "MUG", "CUP")


def test_a_deadline_frees_the_units_once_whenever_its_worker_dies(world: World) -> None:
    hold = held(world, "a", ("MUG", 4))

    assert survives(world, lambda at: sweep(at, hold.expires_at))

    assert (world.level("MUG"), entries(world)) == ((5, 5, 0), [])
    check_stock(world, "MUG")


def test_a_place_that_a_buyer_has_chosen_is_the_only_one(world: World) -> None:
    world.receive("MUG", 1, RENO.location_id)
    wanted = replace(cart(("MUG", 1)), location="RENO")

    hold, _ = reserve(world).hold("hld_pickup01", wanted, QUARTER, "", now())

    assert hold.held == {("MUG", "RENO"): 1}
    with pytest.raises(NotEnough):
        reserve(world).hold("hld_pickup02", wanted, QUARTER, "", now())
