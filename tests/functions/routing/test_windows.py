"""Scarce stock is shared out among the orders of a short window, together."""

from datetime import timedelta

import pytest

from oms.adapters.dynamodb import DynamoDB
from oms.adapters.routing.window_rows import window_end
from oms.domain import commands as c
from oms.domain.agenda import DueKind
from oms.domain.locations import Location, LocationKind
from oms.domain.routing.rules import Objective, RuleSet
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud
NEAR = Location("NEAR", "Near", LocationKind.WAREHOUSE, "US", fixed_cost=100)
FAR = Location("FAR", "Far", LocationKind.WAREHOUSE, "US", fixed_cost=900)
WINDOWED = RuleSet("windows", 0, Objective.CHEAPEST, window_seconds=60, scarce_below=10)


@pytest.fixture
def world(dynamodb: DynamoDB) -> World:
    world = World.new(dynamodb, NEAR, FAR)
    rule_sets = world.routing.knowledge.rule_sets
    version = rule_sets.save(WINDOWED, {"name": "windows"}, at=now(), actor="test")
    rule_sets.activate(version.rule_set.version, None, at=now(), actor="test")
    return world


def waiting(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    assert world.route(order_id) == "backordered"
    return order_id


def end_window(world: World) -> int:
    """As the agenda does it: whatever has come by then."""
    later = now() + timedelta(seconds=60)
    due = [each for each in world.agenda.due(later, 99) if each.kind == DueKind.ROUTING_WINDOW]
    return sum(world.routing.window_desk(later).route(each.subject) for each in due)


def ships_from(world: World, order_id: str) -> list[str]:
    return [each.location_id for each in world.orders.get(order_id).fulfillment_orders]


def test_what_is_plenty_is_routed_at_once(world: World) -> None:
    world.receive("MUG", 50, "NEAR")
    order_id = world.place(an_order(("MUG", 1))).order_id
    world.pay(order_id)

    assert world.route(order_id) == "routed"


def test_orders_of_a_window_are_routed_together_better_than_one_by_one(world: World) -> None:
    """One by one, the first takes the only mug nearby, and the second must ship two boxes."""
    world.receive("MUG", 1, "NEAR")
    world.receive("MUG", 1, "FAR")
    world.receive("LID", 1, "NEAR")
    one, both = waiting(world, ("MUG", 1)), waiting(world, ("MUG", 1), ("LID", 1))

    assert end_window(world) == 2

    assert ships_from(world, both) == ["NEAR"]
    assert ships_from(world, one) == ["FAR"]
    world.check(one)
    world.check(both)


def test_who_gets_nothing_in_its_window_waits_for_stock_like_anybody(world: World) -> None:
    world.receive("MUG", 1, "NEAR")
    orders = [waiting(world, ("MUG", 1)) for _ in range(3)]

    end_window(world)

    states = [world.orders.get(each) for each in orders]
    assert sorted(bool(each.fulfillment_orders) for each in states) == [False, False, True]
    assert sum(each.is_backordered for each in states) == 2
    assert len(world.stock.waiting("MUG", 9)) == 2


def test_an_order_that_was_cancelled_in_its_window_is_left_alone(world: World) -> None:
    world.receive("MUG", 1, "NEAR")
    order_id = waiting(world, ("MUG", 1))
    world.do(order_id, c.CancelOrder("changed my mind"))

    assert end_window(world) == 0
    assert world.level("MUG", "NEAR") == (1, 1, 0)


def test_a_window_is_on_the_agenda_once_however_many_wait_in_it(world: World) -> None:
    world.receive("MUG", 3, "NEAR")
    for _ in range(3):
        waiting(world, ("MUG", 1))

    due = world.agenda.due(now() + timedelta(hours=1), 99)

    windows = {(each.kind, each.subject, each.at) for each in due}
    assert len(windows) == len(due) <= 2  # of two windows, if one ended between two orders
    assert {kind for kind, *_ in windows} == {DueKind.ROUTING_WINDOW}


def test_a_death_at_any_call_leaves_no_order_in_its_window(world: World) -> None:
    world.receive("MUG", 1, "NEAR")
    world.receive("MUG", 1, "FAR")
    orders = [waiting(world, ("MUG", 1)) for _ in range(2)]

    assert survives(world, lambda mortal: end_window(mortal)) > 4

    assert sorted(place for each in orders for place in ships_from(world, each)) == ["FAR", "NEAR"]
    assert end_window(world) == 0


def test_windows_follow_each_other_without_a_gap() -> None:
    at = now()

    end = window_end(at, 30)

    assert at < end <= at + timedelta(seconds=30)
    assert window_end(end, 30) == end + timedelta(seconds=30)
