"""What shops are told, in the table: every change is under a condition, and is listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.shop_leases import ShopLeases
from oms.adapters.shop_tasks import ShopTasks
from oms.contracts.cursors import BadCursor, encode_cursor
from oms.domain.errors import NotFound
from oms.domain.shop_tasks import Task, TaskKind, TaskState
from tests.tables import create_table

pytestmark = pytest.mark.cloud

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SHOP, OTHER = "fake:mugs.example", "fake:cups.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def tasks(dynamodb: Any) -> ShopTasks:
    return ShopTasks(dynamodb, create_table(dynamodb, "channels", f"channels-{uuid4().hex}"))


def refund(number: int, shop: str = SHOP) -> Task:
    return Task(shop, TaskKind.REFUND, NOW, NOW + number * MINUTE, "ord_x", number, 1)


def level(at: datetime = NOW) -> Task:
    return Task(SHOP, TaskKind.STOCK, at, at + MINUTE, sku="MUG/blue ~ 1")


def test_a_task_is_read_as_it_was_written(tasks: ShopTasks) -> None:
    every = [refund(1), refund(2), replace(refund(3), error="no", tries=3, alarmed=True)]
    assert tasks.put(every) == 3

    assert [tasks.get(task.task_id) for task in every] == every
    assert tasks.of_order(SHOP, "ord_x") == tuple(every)


def test_a_task_that_is_there_stays_as_it_is(tasks: ShopTasks) -> None:
    tasks.put([refund(1)])
    tasks.done(refund(1), "ref", NOW)

    assert tasks.put([refund(1)]) == 0
    assert tasks.get(refund(1).task_id).state is TaskState.DONE


def test_what_is_due_comes_the_longest_due_first_and_of_its_shop_only(tasks: ShopTasks) -> None:
    tasks.put([refund(3), refund(1), refund(2), refund(1, OTHER)])

    assert list(tasks.due(SHOP, NOW + 2 * MINUTE)) == [refund(1), refund(2)]
    assert not tasks.has_due(SHOP, NOW)
    assert tasks.has_due(SHOP, NOW + MINUTE)


def test_of_two_who_did_the_same_one_marks_it(tasks: ShopTasks) -> None:
    tasks.put([refund(1)])

    assert tasks.done(refund(1), "ref", NOW)
    assert not tasks.later(refund(1), NOW + MINUTE, "busy")
    assert not tasks.failed(refund(1), "no", NOW)
    assert tasks.get(refund(1).task_id).reference == "ref"


def test_a_worker_that_read_it_before_another_try_marks_nothing(tasks: ShopTasks) -> None:
    tasks.put([refund(1)])
    tasks.later(refund(1), NOW + MINUTE, "busy")

    assert not tasks.failed(refund(1), "no", NOW)
    assert tasks.get(refund(1).task_id).tries == 1


def test_only_what_has_failed_is_driven_again_and_counts_from_the_start(tasks: ShopTasks) -> None:
    tasks.put([refund(1)])
    assert not tasks.redrive(refund(1), NOW)
    tasks.later(refund(1), NOW, "busy")
    tasks.failed(tasks.get(refund(1).task_id), "no", NOW)
    failed = tasks.get(refund(1).task_id)

    assert tasks.redrive(failed, NOW + MINUTE)
    assert not tasks.redrive(failed, NOW + MINUTE)
    again = tasks.get(refund(1).task_id)
    assert (again.state, again.tries, again.since) == (TaskState.WAITING, 0, NOW + MINUTE)


def test_a_level_waits_once_until_its_window_is_over(tasks: ShopTasks) -> None:
    later = NOW + timedelta(seconds=20)

    assert tasks.touch(level()) == NOW + MINUTE
    assert tasks.touch(level(later)) in (NOW + MINUTE, later)
    assert tasks.get(level().task_id).due_at == NOW + MINUTE


def test_a_level_that_is_being_read_is_a_task_again_when_it_changes(tasks: ShopTasks) -> None:
    tasks.touch(level())
    assert tasks.claim(level())
    claimed = tasks.get(level().task_id)

    tasks.touch(level())

    assert not tasks.done(claimed, "ref", NOW)
    assert tasks.get(level().task_id) == level()


@pytest.mark.parametrize(
    ("days", "state"),
    [(0, TaskState.FAILED), (1, TaskState.WAITING)],
)
def test_a_level_that_was_refused_is_a_task_again_after_a_day(
    tasks: ShopTasks, days: int, state: TaskState
) -> None:
    tasks.touch(level())
    tasks.failed(level(), "not sold there", NOW)

    tasks.touch(level(NOW + timedelta(days=days)))

    assert tasks.get(level().task_id).state is state


def test_a_level_that_was_told_is_a_task_again_when_it_changes(tasks: ShopTasks) -> None:
    tasks.touch(level())
    tasks.done(level(), "ref", NOW)

    tasks.touch(level(NOW + MINUTE))

    now = tasks.get(level().task_id)
    assert (now.state, now.due_at) == (TaskState.WAITING, NOW + 2 * MINUTE)


def test_listings_go_on_where_they_stopped_and_only_there(tasks: ShopTasks) -> None:
    every = [refund(number) for number in range(1, 6)]
    tasks.put(every)
    first = tasks.page(SHOP, TaskState.WAITING, 3)
    rest = tasks.page(SHOP, TaskState.WAITING, 3, first.cursor)

    assert [*first.tasks, *rest.tasks] == every
    for strange in ({"a": "b"}, {"PK": "SHOPS", "SK": "x", "at": "y"}):
        with pytest.raises(BadCursor):
            tasks.page(SHOP, TaskState.WAITING, 3, encode_cursor(strange))


def test_what_is_done_is_listed_the_latest_first(tasks: ShopTasks) -> None:
    tasks.put([refund(1), refund(2)])
    for number in (1, 2):
        tasks.done(refund(number), "ref", NOW + number * MINUTE)

    assert [task.seq for task in tasks.page(SHOP, TaskState.DONE, 9).tasks] == [2, 1]


def test_of_another_shop_nothing_that_failed_is_shown(tasks: ShopTasks) -> None:
    for task in (refund(1), refund(2, OTHER)):
        tasks.put([task])
        tasks.failed(task, "no", NOW)

    assert [task.shop for task in tasks.page(SHOP, TaskState.FAILED, 9).tasks] == [SHOP]
    assert len(tasks.failed_tasks(9).tasks) == 2


@pytest.mark.parametrize("task_id", ["", "~", f"{SHOP}~", f"{SHOP}~nothing", SHOP])
def test_what_names_no_task_is_not_found(tasks: ShopTasks, task_id: str) -> None:
    with pytest.raises(NotFound):
        tasks.get(task_id)


def test_a_lease_is_one_workers_until_it_ends_and_a_pause_keeps_all_out(dynamodb: Any) -> None:
    table = create_table(dynamodb, "channels", f"channels-{uuid4().hex}")
    leases = ShopLeases(dynamodb, table)

    assert leases.take(SHOP, "a", NOW, NOW + MINUTE)
    assert not leases.take(SHOP, "b", NOW, NOW + MINUTE)
    assert leases.take(OTHER, "b", NOW, NOW + MINUTE)
    assert leases.take(SHOP, "b", NOW + MINUTE, NOW + 2 * MINUTE)
    assert not leases.give_back(SHOP, "a")
    assert leases.give_back(SHOP, "b", NOW + 5 * MINUTE)
    assert not leases.take(SHOP, "a", NOW + 4 * MINUTE, NOW + 9 * MINUTE)
    assert leases.take(SHOP, "a", NOW + 5 * MINUTE, NOW + 9 * MINUTE)
