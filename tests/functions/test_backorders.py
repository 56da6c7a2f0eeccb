"""Who waits for stock is served as soon as it can be, in turn, and never woken in vain for ever."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from functions.inventory.wake_backorders import wake_after, wake_backorders
from functions.ops.reconcile_orders import GRACE, PATIENCE, Repair, reconcile
from oms.adapters.routing.router import REFUSED, ROUNDS
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import Refused
from oms.domain.fulfillment import Quantity
from oms.domain.order import MAX_QUEUES, Order
from oms.domain.routing.rules import Rule, RuleSet, Then, When
from tests.functions.world import AUSTIN, RENO, World, an_order, now

pytestmark = pytest.mark.cloud


@pytest.fixture
def world(dynamodb: Any) -> World:
    return World.new(dynamodb)


@dataclass
class Bus:
    """Tells WakeBackorders what it subscribes to, and lets those who are released route again."""

    world: World
    order_ids: list[str] = field(default_factory=list)
    told: dict[str, int] = field(default_factory=dict)
    deliveries: int = 0

    def place(self, *lines: tuple[str, int]) -> str:
        order_id = placed(self.world, *lines)
        self.order_ids.append(order_id)
        self.world.route(order_id)
        return order_id

    def settle(self, most: int = 500) -> None:
        """Deliver all that happened, and what happens of it, until nothing does any more."""
        while events := list(self._news()):
            for order_id, event in events:
                self.deliveries += 1
                assert self.deliveries < most, "it never ends"
                self._deliver(order_id, event)

    def _news(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for order_id in self.order_ids:
            history = self.world.orders.history(order_id, self.told.get(order_id, 0))
            for fact in history.facts:
                self.told[order_id] = fact.seq
                yield order_id, envelope(order_id, fact)

    def _deliver(self, order_id: str, event: dict[str, Any]) -> None:
        if event["type"] in ("BackorderReleased", "FulfillmentOrderRejected"):
            self.world.route(order_id)
        wake_after(self.world.routing, event, now())

    def receive(self, sku: str, quantity: int, location: str = "AUSTIN") -> None:
        self.world.receive(sku, quantity, location)
        wake_backorders(self.world.routing, sku, now())


@pytest.fixture
def bus(world: World) -> Bus:
    return Bus(world)


def placed(world: World, *lines: tuple[str, int]) -> str:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    return order_id


def is_routed(world: World, order_id: str) -> bool:
    return all(line.allocated == line.quantity for line in world.orders.get(order_id).lines)


def waits(world: World, order_id: str) -> bool:
    return any(line.backordered for line in world.orders.get(order_id).lines)


def lines_of(world: World, order_id: str, *skus: str) -> list[str]:
    """The SKUs for which the order stands in line."""
    return [sku for sku in skus if order_id in [w.order_id for w in world.stock.waiting(sku, 99)]]


def reject(world: World, order_id: str, reason: str = "printer broken") -> None:
    box = world.orders.get(order_id).fulfillment_orders[-1]
    world.do(order_id, c.RejectFulfillmentOrder(box.fulfillment_order_id, reason))


# --- units that go back to the shelf ------------------------------------------------------------


def test_who_waits_gets_what_a_cancelled_order_gives_back(bus: Bus) -> None:
    bus.world.receive("MUG", 5)
    first, second = bus.place(("MUG", 5)), bus.place(("MUG", 5))

    bus.world.cancel(first)
    bus.settle()

    assert is_routed(bus.world, second)
    assert bus.world.level("MUG") == (5, 0, 5)


def test_who_waits_gets_the_units_that_another_order_does_not_want_any_more(bus: Bus) -> None:
    bus.world.receive("MUG", 5)
    first, second = bus.place(("MUG", 5)), bus.place(("MUG", 2))

    bus.world.do(first, c.CancelOrder("two too many", (Quantity("line_1", 2),)))
    bus.settle()

    assert is_routed(bus.world, second)


def test_who_waits_gets_what_a_location_rejected_for_another_order(bus: Bus) -> None:
    bus.world.receive("MUG", 3)
    bus.world.receive("MUG", 3, "RENO")
    first, second = bus.place(("MUG", 3)), bus.place(("MUG", 2))
    third = bus.place(("MUG", 3))
    assert (is_routed(bus.world, second), waits(bus.world, third)) == (True, True)

    bus.world.cancel(second)
    reject(bus.world, first)
    bus.settle()

    locations = [box.location_id for box in bus.world.orders.get(first).fulfillment_orders]
    assert locations == ["AUSTIN", "RENO"]
    assert is_routed(bus.world, third)


def test_who_waits_gets_what_a_large_order_gives_back_in_batches(bus: Bus) -> None:
    lines = [(f"S{number:02}", 1) for number in range(45)]
    for sku, quantity in lines:
        bus.world.receive(sku, quantity)
    large, small = bus.place(*lines), bus.place(("S44", 1))
    assert waits(bus.world, small)

    bus.world.do(large, c.CancelOrder("changed my mind"))
    bus.settle()
    assert waits(bus.world, small)
    bus.world.settle_stock(large)
    bus.settle()

    assert is_routed(bus.world, small)


def test_who_waits_gets_what_an_abandoned_plan_gives_back(bus: Bus) -> None:
    large = planned(bus.world)
    bus.order_ids.append(large)
    small = bus.place(("S00", 4))
    bus.world.do(large, c.CancelOrder("changed my mind"))
    bus.settle()
    assert waits(bus.world, small)

    bus.world.settle_stock(large)
    bus.settle()

    assert is_routed(bus.world, small)


def test_an_order_that_was_on_hold_when_stock_came_goes_on_when_it_is_released(bus: Bus) -> None:
    order_id = bus.place(("MUG", 2))
    bus.world.do(order_id, c.PlaceHold("address", "odd"))
    bus.receive("MUG", 2)
    bus.settle()
    assert waits(bus.world, order_id)

    bus.world.do(order_id, c.ReleaseHold("hold_1", "asked her"))
    bus.settle()

    assert is_routed(bus.world, order_id)


def test_an_order_that_waits_looks_at_the_stock_when_it_is_tried_again(world: World) -> None:
    order_id = placed(world, ("MUG", 2))
    assert world.route(order_id) == "backordered"
    version = world.orders.get(order_id).version
    assert world.route(order_id) == "backordered"
    assert world.orders.get(order_id).version == version
    world.receive("MUG", 2)

    assert world.route(order_id) == "routed"
    assert world.stock.waiting("MUG", 9) == ()


def test_what_is_told_of_an_order_for_which_nobody_waits_wakes_nobody(world: World) -> None:
    world.receive("MUG", 5)
    order_id = placed(world, ("MUG", 5))
    world.route(order_id)
    world.cancel(order_id)

    for fact in world.orders.whole_history(order_id):
        event = envelope(order_id, fact)
        assert wake_after(world.routing, event, now()) == 0


# --- whose turn it is ---------------------------------------------------------------------------


def test_who_lacks_something_else_does_not_starve_those_behind(bus: Bus) -> None:
    first, second = bus.place(("X", 10), ("Y", 1)), bus.place(("X", 5))

    bus.receive("X", 10)
    bus.settle()

    assert (waits(bus.world, first), is_routed(bus.world, second)) == (True, True)
    assert lines_of(bus.world, first, "X", "Y") == ["X", "Y"]


def test_who_is_on_hold_or_in_attention_or_ignored_does_not_starve_those_behind(bus: Bus) -> None:
    held, troubled, ignored, last = (bus.place(("X", 1)) for _ in range(4))
    bus.world.do(held, c.PlaceHold("address", "odd"))
    bus.world.do(troubled, c.RaiseAttention("odd"))
    bus.world.do(ignored, c.RaiseAttention("odd"), c.ResolveAttention("ignore"))

    bus.receive("X", 1)
    bus.settle()

    assert [waits(bus.world, each) for each in (held, troubled, ignored)] == [True] * 3
    assert is_routed(bus.world, last)


def test_stock_of_a_location_that_does_not_ship_wakes_nobody(bus: Bus) -> None:
    order_id = bus.place(("X", 1))
    bus.world.stock.put_location(replace(RENO, active=False))
    version = bus.world.orders.get(order_id).version

    bus.receive("X", 1, "RENO")

    assert bus.world.orders.get(order_id).version == version


def test_two_lines_share_what_there_is_of_a_third_thing(bus: Bus) -> None:
    """Both X and Y come back at once; the one Z goes to who came first."""
    first, second = bus.place(("X", 1), ("Z", 1)), bus.place(("Y", 1), ("Z", 1))
    bus.world.receive("Z", 1)
    bus.world.receive("X", 1)
    bus.world.receive("Y", 1)
    lines = bus.world.routing.lines(now())

    assert [lines.wake(sku) for sku in ("X", "Y", "Z", "X")] == [1, 0, 0, 0]
    bus.settle()

    assert (is_routed(bus.world, first), waits(bus.world, second)) == (True, True)


def test_an_order_moves_to_the_line_of_what_it_lacks_now(bus: Bus) -> None:
    bus.world.receive("Y", 1)
    first = bus.place(("X", 1), ("Y", 1))
    assert lines_of(bus.world, first, "X", "Y") == ["X"]
    bus.place(("Y", 1))

    bus.receive("X", 1)
    bus.settle()
    assert lines_of(bus.world, first, "X", "Y") == ["Y"]
    bus.receive("Y", 1)
    bus.settle()

    assert is_routed(bus.world, first)


def test_an_order_that_lacks_more_than_it_can_stand_in_line_for_is_filled(bus: Bus) -> None:
    skus = [f"X{number:02}" for number in range(MAX_QUEUES + 3)]
    order_id = bus.place(*((sku, 1) for sku in skus))
    assert len(lines_of(bus.world, order_id, *skus)) == MAX_QUEUES

    for sku in skus:
        bus.receive(sku, 1)
        bus.settle()

    assert is_routed(bus.world, order_id)


def test_what_a_woken_order_leaves_goes_to_the_next_in_line(bus: Bus) -> None:
    """Between its waking and its routing somebody buys a part of what it was woken for."""
    first, second = bus.place(("X", 10)), bus.place(("X", 7))
    bus.world.receive("X", 10)
    wake_backorders(bus.world.routing, "X", now())
    bus.place(("X", 3))

    bus.settle()

    assert (waits(bus.world, first), is_routed(bus.world, second)) == (True, True)
    assert bus.world.level("X") == (10, 0, 10)


@pytest.mark.parametrize(
    "stopped", [c.CancelOrder("no"), c.PlaceHold("address", "odd"), c.RaiseAttention("odd")]
)
def test_what_a_woken_order_that_is_stopped_leaves_goes_to_the_next(
    bus: Bus, stopped: c.Command
) -> None:
    first, second = bus.place(("X", 2)), bus.place(("X", 2))
    bus.world.receive("X", 2)
    wake_backorders(bus.world.routing, "X", now())

    bus.world.do(first, stopped)
    bus.settle()

    assert is_routed(bus.world, second)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_it_ends_and_no_free_unit_waits_for_who_could_use_it(
    bus: Bus, seed: int
) -> None:
    chance = Random(seed)
    for _ in range(30):
        happen(bus, chance)
        if chance.random() < 0.4:
            bus.settle()
    bus.settle()

    waiting = [o for o in map(bus.world.orders.get, bus.order_ids) if in_need(o)]
    assert waiting
    assert not [order.order_id for order in waiting if could_be_routed(bus.world, order)]
    for order_id in bus.order_ids:
        bus.world.check(order_id)


SKUS = ("X", "Y", "Z")


def happen(bus: Bus, chance: Random) -> None:
    """An order, a receipt, a cancellation or a rejection."""
    what = chance.random()
    if what < 0.5 or not bus.order_ids:
        skus = chance.sample(SKUS, chance.randint(1, 3))
        bus.place(*((sku, chance.randint(1, 4)) for sku in skus))
    elif what < 0.8:
        bus.receive(chance.choice(SKUS), chance.randint(1, 5), chance.choice(["AUSTIN", "RENO"]))
    else:
        give_back(bus.world, chance.choice(bus.order_ids), cancelled=what < 0.9)


def give_back(world: World, order_id: str, *, cancelled: bool) -> None:
    boxes = [box for box in world.orders.get(order_id).fulfillment_orders if box.in_warehouse]
    if cancelled:
        world.cancel(order_id)
    elif boxes:
        world.do(order_id, c.RejectFulfillmentOrder(boxes[0].fulfillment_order_id, "damaged"))


def in_need(order: Order) -> bool:
    needs = any(line.open or line.backordered for line in order.lines)
    return needs and not order.is_final and not order.attention


def could_be_routed(world: World, order: Order) -> bool:
    return world.routing.sourcing(now()).source(order, fresh=True).is_routed


def test_a_router_that_knows_an_old_list_of_locations_does_not_play_ping_pong(world: World) -> None:
    order_id = placed(world, ("X", 1))
    world.route(order_id)
    world.receive("X", 1, "RENO")
    wake_backorders(world.routing, "X", now())

    routing = world.routing
    routing.knowledge._known = replace(routing.knowledge.now(), locations=[AUSTIN])

    assert routing.router(now()).route(order_id) == "routed"


# --- rejected by whoever has it -----------------------------------------------------------------


def test_an_order_that_only_its_refuser_could_ship_needs_attention(world: World) -> None:
    world.receive("MUG", 5)
    order_id = placed(world, ("MUG", 2))
    world.route(order_id)

    reject(world, order_id)

    assert world.route(order_id) == "attention"
    assert world.orders.get(order_id).attention == REFUSED
    assert world.stock.waiting("MUG", 9) == ()


def test_an_order_that_waits_needs_attention_when_only_its_refuser_gets_stock(bus: Bus) -> None:
    bus.world.receive("MUG", 2)
    order_id = bus.place(("MUG", 2))
    reject(bus.world, order_id)
    other = placed(bus.world, ("MUG", 2))
    assert bus.world.route(other) == "routed"
    assert bus.world.route(order_id) == "backordered"

    bus.receive("MUG", 2)
    bus.settle()

    assert bus.world.orders.get(order_id).attention == REFUSED


def test_who_decides_to_try_again_asks_those_who_had_refused_as_well(world: World) -> None:
    world.receive("MUG", 2)
    order_id = placed(world, ("MUG", 2))
    world.route(order_id)
    reject(world, order_id)
    assert world.route(order_id) == "attention"

    world.do(order_id, c.ResolveAttention("retry"))

    assert world.route(order_id) == "routed"
    assert world.orders.get(order_id).fulfillment_orders[-1].location_id == "AUSTIN"


def test_stock_at_the_refuser_goes_to_others_in_line(bus: Bus) -> None:
    bus.world.receive("MUG", 2)
    refused = bus.place(("MUG", 2))
    other = bus.place(("MUG", 2))
    reject(bus.world, refused)
    bus.settle()

    assert is_routed(bus.world, other)
    assert bus.world.orders.get(refused).attention in ("", REFUSED)


# --- a plan that the order has outgrown ---------------------------------------------------------


def planned(world: World, skus: int = 45) -> str:
    """A large order whose worker died after the batches and before it said so."""
    lines = [(f"S{number:02}", 2) for number in range(skus)]
    for sku, _ in lines:
        world.receive(sku, 5)
    order_id = placed(world, *lines)
    router = world.routing.router(now())
    change = world.orders.change

    def dies(order_id: str, command: c.Command, **how: Any) -> Order:
        if isinstance(command, c.RecordRouting):
            raise KeyboardInterrupt
        return change(order_id, command, **how)

    router._orders.change = dies  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        router.route(order_id)
    assert world.orders.get(order_id).routing_plan is not None
    assert world.level("S00") == world.level(f"S{skus - 1:02}") == (5, 3, 2)
    return order_id


def test_a_kept_plan_that_still_fits_is_finished(world: World) -> None:
    order_id = planned(world)

    assert world.route(order_id) == "routed"
    assert world.level("S00") == (5, 3, 2)


def test_a_large_order_that_shrank_while_it_was_planned_is_planned_again(world: World) -> None:
    order_id = planned(world)
    world.do(order_id, c.CancelOrder("one less", (Quantity("line_1", 1),)))

    assert world.route(order_id) == "routed"

    order = world.check(order_id)
    assert (order.line("line_1").allocated, order.line("line_2").allocated) == (1, 2)
    assert (world.level("S00"), world.level("S01")) == ((5, 4, 1), (5, 3, 2))


@pytest.mark.parametrize("stopped", [c.CancelOrder("all"), c.PlaceHold("address", "odd")])
def test_a_plan_that_the_order_has_outgrown_is_given_back_though_nothing_is_routed(
    world: World, stopped: c.Command
) -> None:
    order_id = planned(world)
    world.do(order_id, c.CancelOrder("one less", (Quantity("line_1", 1),)), stopped)

    assert world.route(order_id) in ("cancelled", "on_hold")

    assert world.check(order_id).routing_plan is None
    assert {world.level(f"S{number:02}") for number in range(45)} == {(5, 5, 0)}


def test_an_order_that_changes_while_its_plan_is_recorded_is_planned_again(world: World) -> None:
    order_id = planned(world)
    routing = world.routing
    apply = routing.stock.apply_in_batches

    def late(change: Any, floors: Any = None) -> None:
        apply(change, floors)
        routing.stock.apply_in_batches = apply  # type: ignore[method-assign]
        world.do(order_id, c.CancelOrder("one less", (Quantity("line_1", 1),)))

    routing.stock.apply_in_batches = late  # type: ignore[method-assign]

    assert routing.router(now()).route(order_id) == "routed"
    assert world.check(order_id).line("line_1").allocated == 1
    assert world.level("S00") == (5, 4, 1)


def test_a_refusal_that_will_not_pass_is_told_at_once(world: World) -> None:
    world.receive("MUG", 5)
    order_id = placed(world, ("MUG", 2))
    router = world.routing.router(now())
    tries = []

    def refuses(order_id: str, command: c.Command, **how: Any) -> Order:
        tries.append(command)
        raise Refused("never")

    router._orders.change = refuses  # type: ignore[method-assign]

    with pytest.raises(Refused, match="never"):
        router.route(order_id)
    assert len(tries) == 1 < ROUNDS


# --- the reconciler -----------------------------------------------------------------------------


class Asleep:
    """Executions that are all well."""

    def __init__(self, *order_ids: str) -> None:
        self._running = frozenset(order_ids)

    def running(self) -> frozenset[str]:
        return self._running

    def resume(self, order_id: str) -> bool:
        return False

    def wake(self, token: str, outcome: str) -> bool:
        return False


def reconciled(world: World, *order_ids: str) -> dict[str, int]:
    lines = world.routing.lines(now())
    repair = Repair(
        world.orders,
        Asleep(*order_ids),
        world.pay,
        world.settle_stock,
        lambda: False,
        Random(1),
        lines.wake,
    )
    return reconcile(repair, now() + GRACE + PATIENCE + timedelta(seconds=1))


def test_the_reconciler_serves_the_line_when_a_location_opens(world: World) -> None:
    world.stock.put_location(replace(RENO, active=False))
    world.receive("MUG", 3, "RENO")
    order_ids = [placed(world, ("MUG", 2)) for _ in range(2)]
    for order_id in order_ids:
        assert world.route(order_id) == "backordered"
    world.stock.put_location(RENO)

    counts = reconciled(world, *order_ids)

    assert (counts["released"], counts["failed"]) == (1, 0)
    assert [waits(world, order_id) for order_id in order_ids] == [False, True]


def test_the_reconciler_leaves_those_in_line_who_cannot_be_served(world: World) -> None:
    order_id = placed(world, ("MUG", 2))
    world.route(order_id)
    version = world.orders.get(order_id).version

    assert reconciled(world, order_id)["released"] == 0
    assert world.orders.get(order_id).version == version


def test_what_is_released_is_told_as_an_event(world: World) -> None:
    order_id = placed(world, ("MUG", 2))
    world.route(order_id)
    world.receive("MUG", 2)

    wake_backorders(world.routing, "MUG", now())

    assert world.orders.whole_history(order_id)[-1].event == e.BackorderReleased("MUG")


def test_who_may_ship_in_part_by_a_rule_is_woken_by_a_part(world: World, bus: Bus) -> None:
    rules = (Rule("part by part", When(channels=("web",)), Then(allow_partial=True)),)
    table = world.routing.knowledge.rule_sets
    saved = table.save(RuleSet("parts", 0, rules=rules), {}, at=now(), actor="test")
    table.activate(saved.rule_set.version, None, at=now(), actor="test")
    order_id = bus.place(("MUG", 5))

    bus.receive("MUG", 2)
    bus.settle()

    line = world.check(order_id).line("line_1")
    assert (line.allocated, line.backordered) == (2, 3)
