"""What comes back is stock again, once, whatever dies; and what waits for it is woken."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.inventory import wake_backorders
from functions.inventory.wake_backorders import wake_after
from infra.inventory import MAY_FREE_UNITS
from oms.adapters.dynamodb import DynamoDB
from oms.adapters.items_table import Wanted
from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.errors import NotFound, Refused
from oms.domain.fulfillment import Quantity
from oms.domain.locations import Location, LocationKind
from oms.domain.order import Order
from oms.domain.returns import (
    Acceptance,
    Disposition,
    Inspected,
    Received,
    Resolution,
    Return,
    ReturnLine,
    Terms,
)
from tests.functions.world import AUSTIN, RENO, World, an_order, now, survives

pytestmark = pytest.mark.cloud

BENCH = Location("BENCH", "Bench", LocationKind.WAREHOUSE, "US", active=False)
SOUND = Acceptance.ACCEPTED, Disposition.RESTOCK


@pytest.fixture
def world(dynamodb: DynamoDB) -> World:
    return World.new(dynamodb, AUSTIN, RENO, BENCH)


def delivered(world: World, *lines: tuple[str, int]) -> Order:
    for sku, quantity in lines:
        world.receive(sku, quantity)
    return shipped(world, *lines)


def shipped(world: World, *lines: tuple[str, int]) -> Order:
    order_id = world.place(an_order(*lines)).order_id
    world.pay(order_id)
    world.route(order_id)
    world.pack(order_id)
    world.ship(order_id)
    world.pay(order_id)
    return world.deliver(order_id)


def asked(order: Order, units: int = 1) -> c.RequestReturn:
    lines = tuple(ReturnLine(each.line_id, units, "other") for each in order.lines)
    return c.RequestReturn(lines, Resolution.REFUND, terms=Terms())


def came(order: Order, units: int, location: str = "AUSTIN") -> c.ReceiveReturn:
    """All lines, sound, looked at as they come."""
    received = tuple(Received(each.line_id, units) for each in order.lines)
    inspected = tuple(Inspected(each.line_id, units, *SOUND) for each in order.lines)
    return c.ReceiveReturn(order.returns[-1].return_id, location, received, (), inspected)


def test_whoever_dies_the_units_are_back_once(world: World) -> None:
    order = delivered(world, ("MUG", 3), ("CUP", 1))
    order = world.do(order.order_id, asked(order))

    def deed(here: World) -> None:
        with suppress(Refused):  # it was received before the worker died
            here.do(order.order_id, came(order, 1, "RENO"))

    assert survives(world, deed) > 3
    assert world.level("MUG", "RENO") == (1, 1, 0)
    assert world.level("CUP", "RENO") == (1, 1, 0)
    world.check(order.order_id)


def test_what_a_transaction_cannot_take_comes_in_batches(world: World) -> None:
    lines = [(f"SKU-{n}", 2) for n in range(41)]
    order = delivered(world, *lines)
    order = world.do(order.order_id, asked(order, 2))

    order = world.do(order.order_id, came(order, 2))
    assert order.owed_stock
    survives(world, lambda here: here.settle_stock(order.order_id))

    assert {world.level(sku) for sku, _ in lines} == {(2, 2, 0)}
    assert not world.check(order.order_id).owed_stock


def test_an_order_that_waits_is_woken_by_what_comes_back(world: World) -> None:
    order = delivered(world, ("MUG", 1))
    waiting = world.place(an_order(("MUG", 1))).order_id
    world.pay(waiting)
    world.route(waiting)
    assert world.orders.get(waiting).is_backordered

    order = world.do(order.order_id, asked(order))
    order = world.do(order.order_id, came(order, 1))

    (fact,) = inspections(world, order)
    detail = {"type": "ReturnInspected", "order_id": order.order_id, "seq": fact.seq}
    assert "ReturnInspected" in MAY_FREE_UNITS
    assert wake_after(world.routing, detail, now()) == 1
    assert world.route(waiting) == "routed"


def inspections(world: World, order: Order) -> list[Any]:
    history = world.orders.whole_history(order.order_id)
    return [fact for fact in history if isinstance(fact.event, e.ReturnInspected)]


def test_what_is_thrown_away_wakes_nobody(world: World) -> None:
    order = delivered(world, ("MUG", 1))
    order = world.do(order.order_id, asked(order))
    thrown = Inspected("line_1", 1, Acceptance.ACCEPTED, Disposition.WRITE_OFF)
    received = (Received("line_1", 1),)

    found = order.returns[-1].return_id
    order = world.do(order.order_id, c.ReceiveReturn(found, "AUSTIN", received, (), (thrown,)))

    (fact,) = inspections(world, order)
    assert wake_backorders._freed_by(fact.event, order) == set()


def test_a_kit_comes_back_as_what_it_is_made_of(world: World) -> None:
    world.receive("CUP", 4)
    world.receive("LID", 2)
    wanted = Wanted(components=(("CUP", 2), ("LID", 1)))
    world.items.put("SET", wanted, at=now(), identity="itm_set")
    order = shipped(world, ("SET", 2))
    order = world.do(order.order_id, asked(order, 2))

    world.do(order.order_id, came(order, 2))

    assert (world.level("CUP"), world.level("LID")) == ((4, 4, 0), (2, 2, 0))
    world.check(order.order_id)


steps = st.tuples(
    st.sampled_from(["ship", "deliver", "cancel", "ask", "receive", "inspect", "end"]),
    st.integers(0, 5),
)
BOUGHT = {"MUG": 3, "CUP": 2}
AFTERLIVES = (
    (*SOUND, ""),
    (*SOUND, "RENO"),
    (Acceptance.ACCEPTED, Disposition.QUARANTINE, "BENCH"),
    (Acceptance.ACCEPTED, Disposition.WRITE_OFF, ""),
    (Acceptance.REJECTED, Disposition.SEND_BACK, ""),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(steps, min_size=4, max_size=14))
def test_what_lies_anywhere_and_what_is_out_are_all_that_ever_came_in(
    dynamodb: DynamoDB, history: list[tuple[str, int]]
) -> None:
    world = World.new(dynamodb, AUSTIN, RENO, BENCH)
    for sku, units in BOUGHT.items():
        world.receive(sku, units)
    order_id = world.place(an_order(*BOUGHT.items())).order_id
    world.pay(order_id)
    world.route(order_id)
    for step, n in [("ship", 0), ("deliver", 0), *history]:
        try:
            STEPS[step](world, world.orders.get(order_id), n)
        except (Refused, NotFound):
            continue
    order = world.check(order_id)
    for line in order.lines:
        lying = sum(world.level(line.sku, at)[0] for at in ("AUSTIN", "RENO", "BENCH"))
        assert lying + line.dispatched - stocked(order, line.line_id) == BOUGHT[line.sku]


def stocked(order: Order, line_id: str) -> int:
    return sum(
        each.quantity
        for found in order.returns
        for line in found.lines
        for each in line.inspected
        if line.line_id == line_id and each.stocked_at
    )


def _ship(world: World, order: Order, n: int) -> None:
    world.pack(order.order_id)
    world.ship(order.order_id)


def _deliver(world: World, order: Order, n: int) -> None:
    world.deliver(order.order_id)


def _cancel(world: World, order: Order, n: int) -> None:
    line = order.lines[n % 2]
    world.do(order.order_id, c.CancelOrder("no", (Quantity(line.line_id, 1),)))


def _ask(world: World, order: Order, n: int) -> None:
    world.do(order.order_id, asked(order, 1 + n % 2))


def _found(order: Order, n: int) -> Return:
    if not order.returns:
        raise NotFound("return", "")
    return order.returns[n % len(order.returns)]


def _receive(world: World, order: Order, n: int) -> None:
    found = _found(order, n)
    lines = tuple(Received(each.line_id, 1) for each in found.lines)
    world.do(order.order_id, c.ReceiveReturn(found.return_id, "AUSTIN", lines))


def _inspect(world: World, order: Order, n: int) -> None:
    found, afterlife = _found(order, n), AFTERLIVES[n % len(AFTERLIVES)]
    lines = tuple(Inspected(each.line_id, 1, *afterlife) for each in found.lines)
    world.do(order.order_id, c.InspectReturn(found.return_id, lines))


def _end(world: World, order: Order, n: int) -> None:
    world.do(order.order_id, c.ExpireReturn(_found(order, n).return_id))


STEPS = {
    "ship": _ship,
    "deliver": _deliver,
    "cancel": _cancel,
    "ask": _ask,
    "receive": _receive,
    "inspect": _inspect,
    "end": _end,
}
