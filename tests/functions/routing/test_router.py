"""What the router writes beside the plan, and what it does when it comes too late."""

from dataclasses import replace
from typing import Any

import pytest

from oms.adapters.dynamodb import DynamoDB, transact
from oms.adapters.routing.router import MAX_KEPT, kept
from oms.contracts import codec
from oms.domain.locations import Location, LocationKind
from oms.domain.network.capacity import CapacityChange
from oms.domain.routing.kept import KeptDecision
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

    def late(change: Any) -> None:
        """Its units are taken; then others fill every day that it could ship on."""
        apply(change)
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
