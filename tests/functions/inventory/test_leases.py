"""Orders that are routed from leases: nobody waits in vain, nothing stays behind."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from functions.inventory import reclaim_leases
from functions.inventory.reclaim_leases import reclaim
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.leases import Leases
from oms.adapters.leases_table import LeasesTable
from oms.adapters.routing.knowledge import Knowledge
from oms.adapters.stock_table import StockTable
from oms.domain import commands as c
from oms.domain.inventory import MovementKind
from oms.domain.leases import FIRST
from tests.functions.world import World, an_order, now, routing_of, survives
from tests.sellers import Meddled

pytestmark = pytest.mark.cloud

HOT = 3  # conflicts


@dataclass
class Environment:
    """One that routes; `client` may be disturbed. What it knows of the network it may know from
    before: that is read by several threads at once."""

    world: World
    knowledge: Knowledge | None = None
    client: Meddled = field(init=False)
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        self.client = Meddled(self.world.client)
        self.leases = leases_of(self.client, self.world)

    def route(self, order_id: str, conflicts: int = 0) -> str:
        self.client.conflicts = conflicts
        found = routing_of(self.client, self.world.orders_name, self.world.stock_name)
        known = self.knowledge or found.knowledge
        routing = replace(found, leases=self.leases, knowledge=known)
        return routing.router(now()).route(order_id)


def leases_of(client: Any, world: World) -> Leases:
    stock = StockTable(client, world.stock_name)
    return Leases(LeasesTable(client, world.stock_name, stock), stock)


def table(world: World) -> LeasesTable:
    return LeasesTable(world.client, world.stock_name, world.stock)


@pytest.fixture
def world(dynamodb: DynamoDB) -> World:
    world = World.new(dynamodb)
    world.receive("MUG", 1000)
    world.receive("CUP", 10)
    return world


def paid(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    return order_id


def leasing(world: World) -> tuple[Environment, str]:
    """An environment whose first order has met others at the level of the mug."""
    environment, order_id = Environment(world), paid(world, ("MUG", 1))
    assert environment.route(order_id, HOT) == "routed"
    return environment, order_id


def kinds(world: World, sku: str) -> list[MovementKind]:
    return [movement.kind for movement in world.stock.movements(sku, 100).movements]


def test_orders_of_a_hot_item_are_carried_from_a_lease(world: World) -> None:
    environment, first = leasing(world)
    second = paid(world, ("MUG", 2))

    assert environment.route(second) == "routed"

    assert world.level("MUG") == (1000, 1000 - FIRST, FIRST)
    carried = MovementKind.CARRIED
    assert kinds(world, "MUG")[:3] == [carried, carried, MovementKind.LEASED]
    world.check(first)
    world.check(second)


def test_of_an_order_only_the_hot_item_is_taken_from_a_lease(world: World) -> None:
    environment, _ = leasing(world)
    order_id = paid(world, ("MUG", 2), ("CUP", 3))

    assert environment.route(order_id) == "routed"

    assert world.level("CUP") == (10, 7, 3)
    assert world.level("MUG") == (1000, 1000 - FIRST, FIRST)
    world.check(order_id)


def test_what_was_carried_ships_and_is_cancelled_as_ever(world: World) -> None:
    environment, shipped = leasing(world)
    cancelled = paid(world, ("MUG", 4))
    environment.route(cancelled)

    world.pack(shipped)
    world.ship(shipped)
    world.cancel(cancelled)
    environment.leases.give_back()

    assert world.level("MUG") == (999, 999, 0)
    world.check(shipped)
    world.check(cancelled)


def test_nobody_is_told_to_wait_while_another_environment_holds_units(world: World) -> None:
    environment, _ = leasing(world)
    rest = world.level("MUG")[1]
    assert Environment(world).route(paid(world, ("MUG", rest))) == "routed"
    order_id = paid(world, ("MUG", 20))

    assert Environment(world).route(order_id) == "routed"
    assert environment.route(paid(world, ("MUG", 11))) == "routed"
    assert environment.route(paid(world, ("MUG", 1))) == "backordered"
    assert world.level("MUG") == (1000, 0, 1000)
    world.check(order_id)


def test_an_order_that_is_too_large_for_all_of_them_waits(world: World) -> None:
    leasing(world)
    order_id = paid(world, ("MUG", 1000))

    assert Environment(world).route(order_id) == "backordered"
    world.check(order_id)


def test_units_at_a_place_that_has_rejected_the_order_are_not_reclaimed_for_it(
    world: World,
) -> None:
    environment, order_id = leasing(world)
    (box,) = world.orders.get(order_id).fulfillment_orders
    world.do(order_id, c.RejectFulfillmentOrder(box.fulfillment_order_id, "closed"))

    assert Environment(world).route(order_id) in ("attention", "backordered")
    assert environment.leases.own("MUG") == {"AUSTIN": FIRST - 1}


def test_a_death_at_any_call_leaves_nothing_that_the_reaper_does_not_find(world: World) -> None:
    order_id, knowledge = paid(world, ("MUG", 3)), world.routing.knowledge
    knowledge.now()

    def routes(mortal: World) -> None:
        environment = Environment(mortal, knowledge)
        environment.route(order_id, HOT)

    assert survives(world, routes) > 4
    later = now() + timedelta(minutes=1)

    reclaim(table(world), later)

    assert world.level("MUG") == (1000, 997, 3)
    assert table(world).open() == []
    world.check(order_id)


def test_the_reaper_may_die_at_any_call(world: World) -> None:
    leasing(world)
    later = now() + timedelta(minutes=1)

    assert survives(world, lambda mortal: reclaim(table(mortal), later)) >= 4
    assert world.level("MUG") == (1000, 999, 1)


def test_the_reaper_says_what_it_found(
    world: World, monkeypatch: pytest.MonkeyPatch, cloud: Any
) -> None:
    leasing(world)
    monkeypatch.setattr(reclaim_leases, "leases_table", lambda: table(world))

    assert reclaim_leases.handler({}, None) == {"abandoned": 0, "ended": 0, "units": 0}


def test_a_reaper_that_is_late_leaves_the_rest_to_the_next_run(world: World) -> None:
    leasing(world)
    later = now() + timedelta(minutes=1)

    assert reclaim(table(world), later, lambda: True) == {"abandoned": 1, "ended": 0, "units": 0}
