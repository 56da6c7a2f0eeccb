"""Everything is checked in bounded steps; each thing that somebody has broken is found, has a task
that says what would mend it, and balances when that is done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from functions.books import checking, keep_books
from functions.books.books import in_all
from functions.books.mending import OnlyByHand, _release
from oms.adapters import checks_table, item_books
from oms.adapters import dynamodb as db
from oms.adapters.checks_table import Overtaken
from oms.domain import commands as c
from oms.domain.books.tasks import TaskState
from oms.domain.inventory import MovementKind, OutOfStock, StockChange, StockItemChange
from oms.domain.returns import Resolution, ReturnLine, Terms
from tests.functions.books.room import Room
from tests.functions.world import Crash, an_order, now, survives

pytestmark = pytest.mark.cloud


@pytest.fixture
def room(dynamodb: Any) -> Room:
    room = Room.new(dynamodb)
    for sku in ("MUG", "CUP"):
        room.world.receive(sku, 50)
    return room


def balances(room: Room) -> bool:
    check = room.check()
    return check.is_done and not check.found and not room.open_tasks()


def test_a_shop_at_work_balances_and_its_figures_are_told_side_by_side(room: Room) -> None:
    room.sold(("MUG", 2), ("CUP", 1))
    room.routed(("MUG", 3))
    order_id = room.routed(("CUP", 4))
    room.world.cancel(order_id)
    room.steps.status[order_id] = "SUCCEEDED"

    check = room.check()

    assert (check.found, room.open_tasks()) == (0, [])
    counted = check.counted
    assert (counted["orders"], counted["open_orders"]) == (3, 1)
    assert (counted["units_in"], counted["units_out"], counted["units_on_hand"]) == (100, 3, 97)
    assert (counted["units_in_received"], counted["units_out_shipped"]) == (100, 3)
    assert (counted["captured_USD"], counted["kept_USD"], counted["slices_USD"]) == (3500,) * 3
    assert [(each.expected, each.actual) for each in in_all(counted)] == [
        (100, 100),
        (3500, 3500),
        (3500, 3500),
    ]


def test_a_counter_that_somebody_cooked_is_set_to_what_its_movements_say(room: Room) -> None:
    room.routed(("MUG", 3))
    room.cook_level(on_hand=7, available=7)

    assert room.check().found == 2

    task = room.open_tasks()[0]
    assert (task.kind, task.subject, task.actual - task.expected) == ("stock", "MUG AUSTIN", 7)
    assert task.proposal.command == "set_level"
    assert room.mender.apply(task.task_id, "user:eve").by == "user:eve"
    assert room.world.level("MUG") == (50, 47, 3)
    newest = room.world.stock.movements("MUG", 1).movements[0]
    assert (newest.kind, newest.quantity, newest.reason, newest.actor) == (
        MovementKind.COUNTED,
        0,
        "correction",
        "user:eve",
    )
    assert newest.note == "on_hand 57 to 50; available 54 to 47"
    room.keep()
    assert balances(room)


def test_a_level_that_is_gone_is_made_again_from_its_movements(room: Room) -> None:
    room.routed(("MUG", 3))
    room.client.delete_item(TableName=room.world.stock_name, Key=db.key("SKU#MUG", "LEVEL#AUSTIN"))

    room.check()
    room.mender.apply(room.open_tasks()[0].task_id, "user:eve")

    assert room.world.level("MUG") == (50, 47, 3)
    room.keep()
    assert balances(room)


def test_units_that_are_reserved_for_nobody_are_given_back(room: Room) -> None:
    order_id = room.routed(("MUG", 3))
    reservation = room.world.orders.get(order_id).fulfillment_orders[0].fulfillment_order_id
    extra = StockItemChange("MUG", "AUSTIN", 2, reservation)
    room.world.stock.apply(StockChange(MovementKind.ALLOCATED, "thief", now(), (extra,)))

    room.check()

    task = room.problem()
    assert (task.kind, task.expected, task.actual) == ("reservation", 3, 5)
    assert task.proposal.command == "release_stock"
    assert task.proposal.fields == {
        "sku": "MUG",
        "location": "AUSTIN",
        "reservation": reservation,
        "units": 2,
    }
    assert room.mender.apply(task.task_id, "user:eve").state is TaskState.RESOLVED
    assert room.world.level("MUG") == (50, 47, 3)
    assert balances(room)


def test_units_that_an_order_lost_are_reserved_again_or_it_is_said_that_they_are_not_there(
    room: Room,
) -> None:
    order_id = room.routed(("MUG", 3))
    reservation = room.world.orders.get(order_id).fulfillment_orders[0].fulfillment_order_id
    gone = StockItemChange("MUG", "AUSTIN", 3, reservation)
    room.world.stock.apply(StockChange(MovementKind.RELEASED, "thief", now(), (gone,)))
    rest = StockItemChange("MUG", "AUSTIN", 50, "hld_cart")
    room.world.stock.apply(StockChange(MovementKind.HELD, "cart", now(), (rest,)))

    room.check()

    task = room.problem()
    assert (task.proposal.command, task.expected, task.actual) == ("allocate_stock", 3, 0)
    with pytest.raises(OutOfStock):
        room.mender.apply(task.task_id, "user:eve")
    room.world.receive("MUG", 3)
    assert room.mender.apply(task.task_id, "user:eve").state is TaskState.RESOLVED
    assert balances(room)


def test_an_order_that_holds_what_never_was_stock_is_found(room: Room) -> None:
    room.routed(("MUG", 3))
    for row in list(room.world.client.scan(TableName=room.world.stock_name)["Items"]):
        if row["PK"]["S"] == "SKU#MUG":
            key = {"PK": row["PK"], "SK": row["SK"]}
            room.client.delete_item(TableName=room.world.stock_name, Key=key)

    room.check()

    assert (room.problem().proposal.command, room.problem().actual) == ("allocate_stock", 0)


def test_money_that_somebody_edited_is_told_and_the_snapshot_is_made_again(room: Room) -> None:
    order = room.world.orders.get(room.sold(("MUG", 2)))
    kept = replace(order, payment=replace(order.payment, operations=order.payment.operations[:1]))
    room.cook_order(kept)

    room.check()

    tasks = room.open_tasks()
    assert {task.proposal.command for task in tasks} == {"rebuild_order"}
    rules = {(task.rule, task.expected, task.actual) for task in tasks}
    assert ("money kept is what the goods cost", 2500, 0) in rules
    assert room.mender.apply(tasks[0].task_id, "user:eve").state is TaskState.RESOLVED
    assert room.world.orders.get(order.order_id) == order
    room.keep()
    assert balances(room)


def test_an_order_that_has_lost_an_event_is_left_to_a_person(room: Room) -> None:
    order_id = room.sold(("MUG", 2))
    key = db.key(f"ORDER#{order_id}", "EVENT#000003")
    room.client.delete_item(TableName=room.world.orders_name, Key=key)

    room.check()

    task = next(t for t in room.open_tasks() if t.rule == "events are numbered without a gap")
    assert (task.proposal.command, "backup" in task.proposal.words) == ("", True)
    with pytest.raises(OnlyByHand):
        room.mender.apply(task.task_id, "user:eve")
    assert room.tasks.get(task.task_id).is_open


def test_an_open_order_without_an_execution_has_its_workflow_started(room: Room) -> None:
    order_id = room.routed(("MUG", 3))
    del room.steps.status[order_id]

    room.check()

    task = room.problem()
    assert (task.kind, task.subject, task.proposal.command) == (
        "workflow",
        order_id,
        "start_workflow",
    )
    assert room.mender.apply(task.task_id, "user:eve").state is TaskState.RESOLVED
    assert room.steps.status == {order_id: "RUNNING"}
    assert balances(room)


def test_an_execution_that_failed_is_followed_by_another(room: Room) -> None:
    order_id = room.routed(("MUG", 3))
    room.steps.status[order_id] = "FAILED"

    room.check()
    room.mender.apply(room.problem().task_id, "user:eve")

    assert room.steps.status == {order_id: "FAILED", f"{order_id}-1": "RUNNING"}
    assert balances(room)


@pytest.mark.parametrize("name", ["ord_nobody", "ord_nobody-3", "nonsense"])
def test_an_execution_of_no_order_is_stopped(room: Room, name: str) -> None:
    room.routed(("MUG", 3))
    room.steps.status[name] = "RUNNING"

    room.check()

    task = room.problem()
    assert (task.subject, task.proposal.command) == (name, "stop_workflow")
    assert room.mender.apply(task.task_id, "user:eve").state is TaskState.RESOLVED
    assert room.steps.status[name] == "ABORTED"
    assert balances(room)


def test_an_execution_of_an_order_that_is_over_is_stopped(room: Room) -> None:
    order_id = room.sold(("MUG", 3))
    room.steps.status[order_id] = "RUNNING"

    room.check()
    room.mender.apply(room.problem().task_id, "user:eve")

    assert balances(room)


def test_a_new_order_is_not_expected_to_run_yet(room: Room) -> None:
    room.world.place(an_order(("MUG", 1)))
    room.later = timedelta()

    assert balances(room)


def test_an_event_that_the_bus_has_lost_is_told_again(room: Room) -> None:
    room.later = timedelta(hours=-1)
    room.publish(room.sold(("CUP", 1)))  # the archive has begun before
    order_id = room.sold(("MUG", 2))
    room.publish(order_id, but=3)
    room.later = timedelta(hours=1)
    room.keep()

    task = room.problem()
    assert (task.kind, task.subject) == ("outbox", f"{order_id} event 3")
    assert task.proposal.fields == {"order_id": order_id, "seq": 3}
    applied = room.mender.apply(task.task_id, "user:eve")
    assert (applied.state, applied.by) == (TaskState.ACCEPTED, "user:eve")
    (entry,) = room.bridge.told
    assert f'"id":"{order_id}#000003"' in entry["Detail"]
    room.publish(order_id)
    room.keep()
    assert room.tasks.get(task.task_id).state is TaskState.RESOLVED
    assert balances(room)


def test_an_event_that_never_was_committed_is_told(room: Room) -> None:
    order_id = room.sold(("MUG", 2))
    room.publish(order_id)
    room.log.append([{"id": f"{order_id}#000099", "order_id": order_id, "seq": 99}])
    room.keep()

    task = room.problem()
    assert (task.kind, task.subject, task.proposal.command) == (
        "outbox",
        f"{order_id} event 99",
        "",
    )


def test_a_difference_found_again_is_the_same_task_and_gone_it_closes_itself(room: Room) -> None:
    room.cook_level(available=-1, on_hand=-1)
    first = room.check(), {task.task_id for task in room.open_tasks()}
    room.cook_level(available=-1, on_hand=-1)
    second = room.check(), {task.task_id for task in room.open_tasks()}

    assert first[1] == second[1]
    assert {task.difference for task in room.open_tasks()} == {-2}
    assert set(room.checks.noted(second[0].check_id, 10).task_ids) == second[1]
    room.cook_level(available=2, on_hand=2)
    room.keep()
    assert room.open_tasks() == []
    assert {room.tasks.get(task_id).by for task_id in first[1]} == {"books"}


def test_what_was_dismissed_stays_so_until_its_figures_change(room: Room) -> None:
    room.cook_level("CUP", reserved=1)
    room.check()
    for task in room.open_tasks():
        room.tasks.change(task.task_id, lambda now: now.dismissed("user:eve", "known"))

    room.check()
    assert room.open_tasks() == []
    room.cook_level("CUP", reserved=1)
    room.check()
    assert {task.actual for task in room.open_tasks()} == {2, 50}


def test_a_check_goes_on_behind_its_last_step_whoever_dies(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "ORDERS", 1)
    monkeypatch.setattr(checking, "ITEMS", 1)
    for _ in range(2):
        room.routed(("MUG", 1), ("CUP", 1))
    room.cook_level(available=1, on_hand=1)
    check = room.asked(parts=1)
    deaths = 0
    while not check.is_done:
        try:
            mortal = room.mortal(1 + deaths % 7, after=deaths % 2 == 0)
            mortal.checking.work(room.checks.get(check.check_id), lambda: False)
        except Crash:
            deaths += 1
        else:
            break
        if deaths % 3 == 0:
            check = one_step(room, check.check_id)
    done = room.checks.get(check.check_id)

    assert deaths > 5
    assert (done.counted["orders"], done.counted["stock_items"]) == (2, 2)
    assert len(room.open_tasks()) == 2


def one_step(room: Room, check_id: str) -> Any:
    late = iter([False, True])
    return room.checking.work(room.checks.get(check_id), lambda: next(late))


def test_of_two_who_work_on_a_check_one_lets_go(room: Room) -> None:
    check = room.asked()
    one_step(room, check.check_id)

    with pytest.raises(Overtaken):
        room.checking.work(check, lambda: False)


def test_an_item_with_many_reservations_is_read_in_parts(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(item_books, "MOST", 3)
    monkeypatch.setattr(checks_table, "ENTRIES", 2)
    orders = [room.routed(("MUG", 1)) for _ in range(12)]
    assert room.items.read("MUG").parts == 5
    assert len(room.items.read("MUG").reserved) < 12
    assert balances(room)

    held = room.world.orders.get(orders[7]).fulfillment_orders[0].fulfillment_order_id
    gone = StockItemChange("MUG", "AUSTIN", 1, held)
    room.world.stock.apply(StockChange(MovementKind.RELEASED, "thief", now(), (gone,)))
    room.check()

    assert room.problem().proposal.fields["reservation"] == held


def test_orders_that_move_while_they_are_checked_are_no_difference(room: Room) -> None:
    """What is on the piles is older than what it is compared with."""
    orders = [room.routed(("MUG", 2)) for _ in range(3)]
    check = room.asked()
    while check.phase is not None:
        check = one_step(room, check.check_id)
        if orders and check.steps % 2:
            room.world.cancel(orders[-1])
            room.steps.status[orders.pop()] = "SUCCEEDED"
        elif check.steps % 2 == 0:
            room.routed(("CUP", 1))

    assert (check.found, room.open_tasks()) == (0, [])


def test_the_stock_has_its_turn_without_anybody_asking(room: Room) -> None:
    room.cook_level("CUP", reserved=1, on_hand=1)

    assert room.keep()["items"] == 2
    assert {task.subject for task in room.open_tasks()} == {"CUP AUSTIN"}
    assert room.keep()["items"] == 0
    room.later += timedelta(hours=21)
    assert room.keep()["items"] == 2


def test_a_return_in_the_making_is_in_the_hands_of_its_own_workflow(room: Room) -> None:
    order_id = room.sold(("MUG", 2))
    asked = c.RequestReturn((ReturnLine("line_1", 1),), Resolution.REFUND, terms=Terms())
    room.world.do(order_id, asked)
    (found,) = room.world.orders.get(order_id).returns

    room.check()

    task = room.problem()
    assert (task.subject, task.proposal.command) == (found.return_id, "start_workflow")
    room.mender.apply(task.task_id, "user:eve")
    assert room.return_steps.status == {found.return_id: "RUNNING"}
    assert balances(room)


def spoiled(room: Room) -> str:
    """A shop with one reservation too many."""
    order_id = room.routed(("MUG", 3))
    reservation = room.world.orders.get(order_id).fulfillment_orders[0].fulfillment_order_id
    extra = StockItemChange("MUG", "AUSTIN", 2, reservation)
    room.world.stock.apply(StockChange(MovementKind.ALLOCATED, "thief", now(), (extra,)))
    room.check()
    return room.problem().task_id


def as_room(anybody: Any) -> Room:
    assert isinstance(anybody, Room)
    return anybody


def test_whoever_dies_while_a_correction_is_applied_it_is_done_once(room: Room) -> None:
    task_id = spoiled(room)

    anybody: Any = room
    deaths = survives(anybody, lambda mortal: as_room(mortal).mender.apply(task_id, "user:eve"))

    assert deaths > 10
    assert room.world.level("MUG") == (50, 47, 3)
    assert room.tasks.get(task_id).state is TaskState.RESOLVED
    assert balances(room)


def test_of_two_who_apply_the_same_correction_one_moves_units(room: Room) -> None:
    task_id = spoiled(room)
    first, second = room.mender, room.mender
    task = room.tasks.get(task_id)
    _release(first, task, "user:eve")
    _release(second, task, "user:bob")

    assert room.world.level("MUG") == (50, 47, 3)


def test_a_correction_of_what_is_gone_does_nothing(room: Room) -> None:
    task_id = spoiled(room)
    order_id = room.world.orders.get("ord_" + room.problem().subject.split("ful_")[1][:26]).order_id
    reservation = room.world.orders.get(order_id).fulfillment_orders[0].fulfillment_order_id
    back = StockItemChange("MUG", "AUSTIN", 2, reservation)
    room.world.stock.apply(StockChange(MovementKind.RELEASED, "thief's", now(), (back,)))

    assert room.mender.apply(task_id, "user:eve").by == "books"
    assert room.world.level("MUG") == (50, 47, 3)


def test_a_large_segment_is_audited_in_several_runs(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keep_books, "AT_ONCE", 1)
    room.log.append([{"id": f"{n}#1", "order_id": f"ord_{n}", "seq": 1} for n in range(5)])
    keep_books.note(room.keeper())
    runs = 0
    while not keep_books.follow(room.keeper(is_late=patient(2))):
        runs += 1

    assert runs > 1
    assert len(room.open_tasks()) == 5


def patient(looks: int) -> Any:
    left = iter([False] * (looks + 1))
    return lambda: next(left, True)
