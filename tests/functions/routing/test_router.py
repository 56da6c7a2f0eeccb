"""What the router writes beside the plan, and what it does when it comes too late."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from oms.adapters.channels_table import ChannelsTable
from oms.adapters.dynamodb import DynamoDB, transact
from oms.adapters.items_table import Wanted
from oms.adapters.routing.router import MAX_KEPT, kept
from oms.adapters.routing.shortages import MAX_DAYS
from oms.contracts import codec
from oms.domain.agenda import DueKind
from oms.domain.availability import Channel, OnShortage
from oms.domain.events import OrderLinesCancelled
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.items import BackorderMode, Backorders, Policy
from oms.domain.locations import Location, LocationKind
from oms.domain.network.capacity import CapacityChange
from oms.domain.routing.hopeless import NOBODY, TOO_LARGE
from oms.domain.routing.kept import KeptDecision
from oms.domain.routing.rules import Rule, RuleSet, Then
from oms.domain.supply import PurchaseLine, PurchaseOrder
from tests.functions.world import World, an_order, now

pytestmark = pytest.mark.cloud
BUSY = Location("BUSY", "Busy", LocationKind.WAREHOUSE, "US", fixed_cost=1, daily_capacity=100)
CALM = Location("CALM", "Calm", LocationKind.WAREHOUSE, "US", fixed_cost=900)
SKUS = [f"S{number:02}" for number in range(45)]  # more than one transaction takes


@pytest.fixture
def world(dynamodb: DynamoDB) -> World:
    world = World.new(dynamodb, BUSY, CALM)
    for sku in SKUS:
        world.receive(sku, 5, "BUSY")
        world.receive(sku, 5, "CALM")
    return world


def paid(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    return order_id


def test_a_large_order_takes_the_day_s_capacity_like_any_other(world: World) -> None:
    order_id = paid(world, *((sku, 1) for sku in SKUS))

    assert world.route(order_id) == "routed"

    (shipment,) = world.check(order_id).fulfillment_orders
    assert shipment.location_id == "BUSY"
    assert shipment.ship_on


def test_a_large_order_whose_day_fills_up_meanwhile_goes_elsewhere_and_strands_nothing(
    world: World,
) -> None:
    order_id = paid(world, *((sku, 1) for sku in SKUS))
    routing = world.routing
    apply = routing.stock.apply_in_batches

    def late(change: Any, floors: Any = None) -> None:
        """Its units are taken; then others fill every day that it could ship on."""
        apply(change, floors)
        routing.stock.apply_in_batches = apply  # type: ignore[method-assign]
        plan = world.orders.get(order_id).routing_plan
        assert plan
        day = now().date().fromisoformat(plan.plan[0].ship_on)
        filling = CapacityChange("BUSY", day, 90)
        transact(world.client, routing.capacity.writes([filling], {"BUSY": 100}))

    routing.stock.apply_in_batches = late  # type: ignore[method-assign]

    assert routing.router(now()).route(order_id) == "routed"

    order = world.check(order_id)
    assert order.routing_plan is None
    assert sum(world.level("S00", place)[2] for place in ("BUSY", "CALM")) == 1


def test_a_large_order_leaves_the_safety_stock_that_others_have_come_to(world: World) -> None:
    ChannelsTable(world.client, world.stock_name).put(Channel("web", safety_stock=3))
    order_id = paid(world, *((sku, 1) for sku in SKUS))
    routing = world.routing
    apply = routing.stock.apply_in_batches

    def late(change: Any, floors: Any = None) -> None:
        """Just before its units are taken another channel sells some of them."""
        routing.stock.apply_in_batches = apply  # type: ignore[method-assign]
        sold = (StockItemChange("S44", "BUSY", 2, "ful_other"),)
        world.stock.apply(StockChange(MovementKind.ALLOCATED, "other", now(), sold))
        apply(change, floors)

    routing.stock.apply_in_batches = late  # type: ignore[method-assign]

    assert routing.router(now()).route(order_id) == "routed"

    assert world.level("S44", "BUSY") == (5, 3, 2)
    assert all(box.location_id == "CALM" for box in world.check(order_id).fulfillment_orders)


def test_an_order_whose_rest_is_expected_on_many_days_fits_into_its_transaction(
    world: World,
) -> None:
    ChannelsTable(world.client, world.stock_name).put(Channel("web", None, 0, OnShortage.PARTIAL))
    late = [f"T{number:02}" for number in range(20)]
    first = now().date() + timedelta(days=1)
    lines = (PurchaseLine(sku, 1, first + timedelta(days=n)) for n, sku in enumerate(late))
    ordered = PurchaseOrder("PO-1", "Potter", "BUSY", tuple(lines), now()).ordered()
    world.routing.supply.order(ordered, fingerprint="f", actor="test")
    order_id = paid(world, *((sku, 1) for sku in (*SKUS[:35], *late)))

    assert world.route(order_id) == "routed"

    order = world.check(order_id)
    days = {each.line_id: date.fromisoformat(each.expected_on) for each in order.backorders}
    assert [line.allocated for line in order.lines] == [1] * 35 + [0] * 20
    assert len(days) == 20
    assert len(set(days.values())) == MAX_DAYS
    for number, line in enumerate(order.lines[35:]):
        assert days[line.line_id] >= first + timedelta(days=number)


def test_a_channel_that_cancels_what_is_short_sells_what_is_not_released_yet(world: World) -> None:
    ChannelsTable(world.client, world.stock_name).put(Channel("web", None, 0, OnShortage.CANCEL))
    day = now().date() + timedelta(days=30)
    early = Policy(backorders=Backorders(BackorderMode.PREORDER, release_on=day))
    world.items.put("NEW", Wanted(policy=early), at=now(), identity="itm_1")
    order_id = paid(world, ("NEW", 1), ("S00", 12))

    assert world.route(order_id) == "backordered"

    order = world.check(order_id)
    assert [line.cancelled for line in order.lines] == [0, 2]
    assert order.backorders[0].expected_on == day.isoformat()


def test_nothing_is_cancelled_for_want_of_units_by_an_old_list_of_locations(world: World) -> None:
    denied = Wanted(policy=Policy(backorders=Backorders(BackorderMode.DENY)))
    world.items.put("S00", denied, at=now(), identity="itm_1")
    orders = [paid(world, ("S00", quantity)) for quantity in (5, 5)]
    routing = world.routing

    for order_id in orders:
        routing.knowledge._known = replace(routing.knowledge.now(), locations=[BUSY])
        assert routing.router(now()).route(order_id) == "routed"

    assert [world.check(each).line("line_1").allocated for each in orders] == [5, 5]


def test_a_decision_is_kept_with_all_that_was_known(world: World) -> None:
    order = world.orders.get(paid(world, ("S00", 1)))
    sourced = world.routing.sourcing(now()).source(order)

    assert codec.decode(kept(sourced), KeptDecision) == sourced.kept


def test_of_a_decision_too_large_for_its_row_only_the_named_locations_are_kept(
    world: World,
) -> None:
    order = world.orders.get(paid(world, ("S00", 1)))
    sourced = world.routing.sourcing(now()).source(order)
    (busy, calm) = sourced.snapshot.locations
    many = tuple(
        replace(busy, location_id=f"{number:0200d}", fixed_cost=number * 7919 % 10_007)
        for number in range(40_000)
    )
    crowded = replace(sourced, snapshot=replace(sourced.snapshot, locations=(busy, calm, *many)))

    octets = kept(crowded)

    assert len(octets) < MAX_KEPT
    found = codec.decode(octets, KeptDecision)
    assert {each.location_id for each in found.snapshot.locations} == {"BUSY", "CALM"}
    assert found.decision == sourced.decision


def test_an_order_too_large_for_what_today_has_left_ships_on_the_first_day_that_takes_it(
    dynamodb: DynamoDB,
) -> None:
    world = World.new(dynamodb, replace(BUSY, daily_capacity=10))
    denied = Wanted(policy=Policy(backorders=Backorders(BackorderMode.DENY)))
    world.items.put("MUG", denied, at=now(), identity="itm_1")
    world.receive("MUG", 50, "BUSY")
    orders = [paid(world, ("MUG", quantity)) for quantity in (8, 5, 2)]

    assert [world.route(order_id) for order_id in orders] == ["routed"] * 3

    first, second, third = (world.check(each).fulfillment_orders[0].ship_on for each in orders)
    assert first == third < second


def test_an_order_is_routed_however_many_days_are_full_before_its_own(dynamodb: DynamoDB) -> None:
    world = World.new(dynamodb, replace(BUSY, daily_capacity=10))
    world.receive("MUG", 50, "BUSY")
    today = now().date()
    full = [CapacityChange("BUSY", today + timedelta(days=n), 10) for n in range(-1, 40)]
    for change in full:
        transact(world.client, world.routing.capacity.writes([change], {"BUSY": 10}))
    order_id = paid(world, ("MUG", 8))

    assert world.route(order_id) == "routed"

    (shipment,) = world.check(order_id).fulfillment_orders
    assert shipment.ship_on == (today + timedelta(days=40)).isoformat()


def test_an_order_larger_than_any_day_s_capacity_is_left_to_a_person(dynamodb: DynamoDB) -> None:
    """No stock that comes in, and no day that passes, would ever let it ship."""
    world = World.new(dynamodb, replace(BUSY, daily_capacity=10))
    world.receive("MUG", 50, "BUSY")
    order_id = paid(world, ("MUG", 11))

    assert world.route(order_id) == "attention"

    assert world.check(order_id).attention == TOO_LARGE
    assert [fact.event for fact, _ in world.orders.decisions(order_id)]


def test_what_may_not_wait_is_cancelled_with_the_decision_that_says_why(world: World) -> None:
    denied = Wanted(policy=Policy(backorders=Backorders(BackorderMode.DENY)))
    world.items.put("S00", denied, at=now(), identity="itm_1")
    order_id = paid(world, ("S00", 11))

    assert world.route(order_id) == "routed"

    (fact, body), _ = world.orders.decisions(order_id)
    assert isinstance(fact.event, OrderLinesCancelled)
    assert codec.decode(body, KeptDecision).decision.backordered == (("line_1", 1),)


def test_an_order_that_the_rules_let_nobody_ship_is_left_to_a_person(world: World) -> None:
    """It would wait for stock that is there, and be cancelled for want of it."""
    rules = (
        Rule("only calm", then=Then(only=("CALM",))),
        Rule("calm", then=Then(exclude=("CALM",))),
    )
    table = world.routing.knowledge.rule_sets
    saved = table.save(RuleSet("nobody", 0, rules=rules), {}, at=now(), actor="test")
    table.activate(saved.rule_set.version, None, at=now(), actor="test")
    order_id = paid(world, ("S00", 1))

    assert world.route(order_id) == "attention"

    assert world.check(order_id).attention.startswith(NOBODY)


def test_an_order_that_a_rule_keeps_from_who_has_it_waits_for_who_may_ship_it(world: World) -> None:
    rules = (Rule("only calm", then=Then(only=("CALM",))),)
    table = world.routing.knowledge.rule_sets
    saved = table.save(RuleSet("calm", 0, rules=rules), {}, at=now(), actor="test")
    table.activate(saved.rule_set.version, None, at=now(), actor="test")

    assert world.route(paid(world, ("S00", 6))) == "backordered"


def test_of_many_days_of_release_the_agenda_is_told_the_first(dynamodb: DynamoDB) -> None:
    world, today = World.new(dynamodb), now().date()
    days = [today + timedelta(days=number) for number in range(5, 0, -1)]
    for day in days:
        early = Policy(backorders=Backorders(BackorderMode.PREORDER, release_on=day))
        world.items.put(f"P{day}", Wanted(policy=early), at=now(), identity=f"itm_{day}")
    order_id = paid(world, *((f"P{day}", 1) for day in days))

    assert world.route(order_id) == "backordered"

    due = world.agenda.due(now() + timedelta(days=9), 100)
    releases = [each for each in due if each.kind == DueKind.RELEASE_PREORDER]
    assert [(each.subject, each.at.date()) for each in releases] == [(order_id, min(days))]
