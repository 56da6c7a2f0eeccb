"""Edits over real tables: races, crashes, the stock they move and the workflow they wake."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from functions.inventory.order_deadlines import Desk, decline_edit
from functions.inventory.wake_backorders import wake_after
from oms.adapters.edits_table import EditsTable, NoLongerProposed
from oms.adapters.orders_table import Beside, once_key
from oms.contracts.events import envelope
from oms.domain import commands as c
from oms.domain.books.orders import audit
from oms.domain.decide.editing import operation_of, previewed
from oms.domain.edits import Changes, EditStatus, NotEditable, Proposal
from oms.domain.errors import OmsError, QuantityExceeded
from oms.domain.fulfillment import FulfillmentStatus, Quantity
from oms.domain.lines import Line
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationKind
from oms.domain.routing import Destination
from oms.domain.waits import Wait
from tests.functions.world import World, an_order, now, survives

pytestmark = pytest.mark.cloud

PEN = Line("line_0", "PEN", 1, 1000)
SWAP = Changes(added=(PEN,), removed=(Quantity("line_1", 1),))


@pytest.fixture
def world(dynamodb: Any) -> World:
    made = World.new(dynamodb)
    made.receive("MUG", 10)
    made.receive("PEN", 10)
    return made


def placed(world: World, mugs: int = 3, *, routed: bool = True) -> str:
    order_id = world.place(an_order(("MUG", mugs))).order_id
    world.pay(order_id)
    if routed:
        assert world.route(order_id) == "routed"
    return order_id


def edits(world: World) -> EditsTable:
    return EditsTable(world.client, world.orders_name)


def proposed(world: World, order_id: str, changes: Changes, edit_id: str = "edt_1") -> c.ApplyEdit:
    order, at = world.orders.get(order_id), now()
    preview = previewed(order, changes)
    expires = at + timedelta(hours=1)
    proposal = Proposal(edit_id, changes, "asked", order.version, preview, at, "shop", expires)
    edits(world).propose(order_id, proposal, "same words")
    return c.ApplyEdit(edit_id, changes, "asked", preview.due, like="op_1")


def applied(world: World, order_id: str, command: c.ApplyEdit, **more: Any) -> Order:
    beside = Beside(writes=(edits(world).taking_up(order_id, command.edit_id),))
    return world.orders.change(order_id, command, at=now(), actor="shop", beside=beside, **more)


def edited(world: World, order_id: str, changes: Changes, edit_id: str = "edt_1") -> Order:
    applied(world, order_id, proposed(world, order_id, changes, edit_id))
    return world.pay(order_id)


def sound(world: World, order_id: str) -> Order:
    order = world.check(order_id)
    assert audit(order_id, order, world.orders.whole_history(order_id)) == []
    return order


def woken(world: World, order_id: str) -> dict[str, str]:
    """The waits that the order's last fact has ended, as the publisher is told."""
    order = world.orders.get(order_id)
    key = {"PK": {"S": f"ORDER#{order_id}"}, "SK": {"S": f"EVENT#{order.version:06d}"}}
    row = world.client.get_item(TableName=world.orders_name, Key=key)["Item"]
    told: dict[str, str] = json.loads(row["wake"]["S"]) if "wake" in row else {}
    return told


# --- stock ----------------------------------------------------------------------------------


def test_removed_units_are_back_on_the_shelf_with_the_edit_and_added_ones_are_routed(
    world: World,
) -> None:
    order_id = placed(world)

    edited(world, order_id, SWAP)

    assert world.level("MUG") == (10, 8, 2)
    assert woken(world, order_id) == {"fulfillment": "remainder"}
    assert world.route(order_id) == "routed"
    assert world.level("PEN") == (10, 9, 1)
    world.pack(order_id)
    world.ship(order_id)
    world.pay(order_id)
    world.deliver(order_id)
    order = sound(world, order_id)
    assert order.status is OrderStatus.COMPLETED
    assert order.payment.captured == order.payable == 3500


def test_an_order_that_waits_for_stock_is_woken_by_what_is_added(world: World) -> None:
    order_id = placed(world, 99, routed=False)
    assert world.route(order_id) == "backordered"
    assert [each.order_id for each in world.stock.waiting("MUG", 9)] == [order_id]

    edited(world, order_id, Changes(added=(PEN,), removed=(Quantity("line_1", 90),)))

    assert woken(world, order_id) == {"stock": "released"}
    assert world.route(order_id) == "routed"
    assert list(world.stock.waiting("MUG", 9)) == []
    sound(world, order_id)


def test_who_waits_for_stock_is_woken_when_an_edit_gives_units_back(world: World) -> None:
    order_id, other = placed(world, 10), placed(world, 2, routed=False)
    assert world.route(other) == "backordered"

    order = edited(world, order_id, Changes(removed=(Quantity("line_1", 4),)))
    (fact,) = (
        each
        for each in world.orders.whole_history(order_id)
        if type(each.event).__name__ == "OrderEdited"
    )

    assert wake_after(world.routing, envelope(order_id, fact), now()) == 1
    assert world.route(other) == "routed"
    assert order.line("line_1").cancelled == 4


def test_another_place_gives_the_units_back_and_routes_them_anew(world: World) -> None:
    order_id = placed(world)
    elsewhere = Changes(destination=Destination("US", "NV", "895"), contact="edt_1")

    order = edited(world, order_id, elsewhere)

    assert [x.status for x in order.fulfillment_orders] == [FulfillmentStatus.CANCELLED]
    assert world.level("MUG") == (10, 10, 0)
    assert woken(world, order_id) == {"fulfillment": "remainder"}
    assert world.route(order_id) == "routed"
    assert world.level("MUG") == (10, 7, 3)
    sound(world, order_id)


def test_an_edit_of_what_is_being_routed_is_routed_with_it(world: World) -> None:
    order_id = placed(world, routed=False)

    edited(world, order_id, SWAP)

    assert world.route(order_id) == "routed"
    order = sound(world, order_id)
    assert [x.allocated for x in order.lines] == [2, 1]


# --- races ------------------------------------------------------------------------------------


def test_what_ships_while_its_removal_is_applied_is_not_removed(world: World) -> None:
    order_id = placed(world)
    command = proposed(world, order_id, Changes(removed=(Quantity("line_1", 1),)))
    before = world.orders.get(order_id)
    world.pack(order_id)
    world.ship(order_id)

    with pytest.raises(QuantityExceeded):
        applied(world, order_id, command, seen=before)

    order = sound(world, world.pay(order_id).order_id)
    assert (order.line("line_1").shipped, order.edits) == (3, ())


def test_what_ships_while_its_removal_awaits_payment_is_declined_and_voided(world: World) -> None:
    order_id = placed(world)
    dear = Changes(added=(Line("line_0", "PEN", 5, 1000),), removed=(Quantity("line_1", 1),))
    applied(world, order_id, proposed(world, order_id, dear))
    world.pack(order_id)
    world.ship(order_id)

    world.pay(order_id)

    order = sound(world, world.pay(order_id).order_id)
    assert [x.status for x in order.edits] == [EditStatus.DECLINED]
    assert world.psp.moved(OperationKind.VOID) == 4000


def test_of_many_that_apply_an_edit_one_does(world: World) -> None:
    order_id = placed(world)
    command = proposed(world, order_id, SWAP)

    with ThreadPoolExecutor(10) as threads:
        orders = [*threads.map(lambda _: applied(world, order_id, command), range(20))]

    assert {x.line("line_1").cancelled for x in orders} == {1}
    assert len(sound(world, order_id).lines) == 2


def test_of_two_edits_that_cost_more_one_awaits_its_payment(world: World) -> None:
    order_id = placed(world)
    commands = [proposed(world, order_id, Changes(added=(PEN,)), f"edt_{n}") for n in range(8)]

    def tried(command: c.ApplyEdit) -> bool:
        with suppress(NotEditable):
            applied(world, order_id, command)
            return True
        return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(tried, commands)) == 1
    world.pay(order_id)
    assert len(sound(world, order_id).lines) == 2


@pytest.mark.parametrize("turn", range(4))
def test_an_edit_and_a_cancellation_at_once_leave_nothing_reserved(world: World, turn: int) -> None:
    order_id = placed(world)
    changes = SWAP if turn % 2 else Changes(added=(PEN,))
    command = proposed(world, order_id, changes)

    def edits_it() -> None:
        with suppress(OmsError):
            applied(world, order_id, command)
            world.pay(order_id)

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.submit(edits_it), threads.submit(world.cancel, order_id)
        one.result(), other.result()
    world.cancel(order_id)
    world.pay(order_id)

    order = sound(world, order_id)
    assert order.status is OrderStatus.CANCELLED
    assert order.awaited_edit is None
    assert world.level("MUG") == (10, 10, 0)
    authorized, voided = (world.psp.moved(k) for k in (OperationKind.AUTHORIZE, OperationKind.VOID))
    assert authorized == voided


def test_a_discarded_edit_is_not_applied_whoever_was_faster(world: World) -> None:
    order_id = placed(world)
    first = proposed(world, order_id, SWAP, "edt_1")
    second = proposed(world, order_id, SWAP, "edt_2")

    edits(world).discard(order_id, "edt_1")
    applied(world, order_id, second)

    with pytest.raises(NoLongerProposed):
        applied(world, order_id, first)
    with pytest.raises(NoLongerProposed):
        edits(world).discard(order_id, "edt_2")
    assert [x.edit_id for x in sound(world, order_id).edits] == ["edt_2"]


# --- crashes and deadlines --------------------------------------------------------------------


def test_a_crash_at_any_call_applies_an_edit_once(world: World) -> None:
    order_id = placed(world)
    dear = Changes(added=(Line("line_0", "PEN", 5, 1000),), removed=(Quantity("line_1", 1),))
    command = proposed(world, order_id, dear)
    once = once_key("apply", "key-1", {"due": command.due})

    def deed(mortal: World) -> None:
        applied(mortal, order_id, command, once=once)
        mortal.pay(order_id)

    assert survives(world, deed) > 4
    order = sound(world, order_id)
    assert [x.status for x in order.edits] == [EditStatus.APPLIED]
    assert world.psp.moved(OperationKind.AUTHORIZE) == 3500 + 4000
    assert world.level("MUG") == (10, 8, 2)


def test_a_crash_at_any_call_proposes_an_edit_once(world: World) -> None:
    order_id = placed(world)
    order, at = world.orders.get(order_id), now()
    proposal = Proposal(
        "edt_1", SWAP, "asked", 1, previewed(order, SWAP), at, "shop", at + timedelta(hours=1)
    )

    def deed(mortal: World) -> None:
        with suppress(Exception):
            edits(mortal).propose(order_id, proposal, "same words")

    survives(world, deed)
    (filed,), more = edits(world).page(order_id, None, 10)
    assert (filed.proposal, more) == (proposal, None)


def test_without_a_token_the_means_of_payment_of_the_order_is_asked_again(world: World) -> None:
    order_id = placed(world)

    edited(world, order_id, Changes(added=(PEN,)))

    first, second = (m for m in world.psp.movements if m.kind is OperationKind.AUTHORIZE)
    reference = world.orders.get(order_id).payment.operation("op_1").reference
    assert (first.amount, second.amount, second.reference) == (3500, 1000, reference)


def test_an_edit_that_nobody_pays_in_time_is_declined_and_costs_nothing(world: World) -> None:
    order_id = placed(world)
    applied(world, order_id, proposed(world, order_id, Changes(added=(PEN,))))
    desk = Desk(world.routing, world.items, lambda *_: None)

    for _ in range(2):
        assert decline_edit(desk, f"{order_id}/edt_1", now()) == "declined"
    order = world.pay(order_id)

    assert not order.payment.unsettled
    assert order.payment.operation(operation_of("edt_1")).reason
    assert world.psp.moved(OperationKind.AUTHORIZE) == 3500
    assert not world.orders.get(order_id).attention
    world.pack(order_id)
    world.ship(order_id)
    world.pay(order_id)
    world.deliver(order_id)
    assert sound(world, order_id).status is OrderStatus.COMPLETED


def test_a_deadline_finds_an_edit_applied_and_leaves_it(world: World) -> None:
    order_id = placed(world)
    edited(world, order_id, Changes(added=(PEN,)))
    desk = Desk(world.routing, world.items, lambda *_: None)

    assert decline_edit(desk, f"{order_id}/edt_1", now()) == "applied"
    assert Wait.FULFILLMENT.value in woken(world, order_id)
