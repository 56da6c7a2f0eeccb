from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters.books_table import Tasks
from oms.contracts.cursors import BadCursor, encode_cursor
from oms.domain.books.tasks import Found, Proposal, TaskState
from oms.domain.errors import NotFound
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def tasks(dynamodb: Any) -> Tasks:
    return Tasks(dynamodb, create_table(dynamodb, "reports", f"reports-{uuid4().hex[:12]}"))


def found(number: int, kind: str = "stock", actual: int = 5) -> Found:
    return Found(kind, f"MUG {number:02d}", "rule", 3, actual, Proposal("Count it"))


def fill(tasks: Tasks, many: int) -> list[str]:
    known = [tasks.found(found(n), AT + timedelta(minutes=n)) for n in range(many)]
    return [task.task_id for task in known]


def everything(tasks: Tasks, limit: int, **how: str) -> list[str]:
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = tasks.page(limit, cursor, **how)
        assert len(page.tasks) <= limit
        ids += [task.task_id for task in page.tasks]
        if not (cursor := page.cursor):
            return ids


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_open_tasks_are_listed_before_closed_ones_each_oldest_first(
    tasks: Tasks, limit: int
) -> None:
    a, b, c, d, e = fill(tasks, 5)
    tasks.change(b, lambda task: task.dismissed("user:eve", "no"))
    tasks.gone(d, AT)

    assert everything(tasks, limit) == [a, c, e, b, d]
    assert everything(tasks, limit, state="open") == [a, c, e]
    assert everything(tasks, limit, state="closed") == [b, d]


def test_the_tasks_of_one_kind_are_listed_alone(tasks: Tasks) -> None:
    fill(tasks, 3)
    mine = tasks.found(found(9, "statement"), AT)

    assert everything(tasks, 2, kind="statement") == [mine.task_id]
    assert tasks.count_open() == 4
    assert tasks.count_open("statement") == 1


def test_what_does_not_change_is_not_written(tasks: Tasks) -> None:
    (task_id,) = fill(tasks, 1)
    version = tasks.get(task_id).version

    tasks.found(found(0), AT)

    assert tasks.get(task_id).version == version


def test_a_writer_who_dies_leaves_a_task_that_is_listed_where_it_belongs(
    tasks: Tasks, dynamodb: Any
) -> None:
    (task_id,) = fill(tasks, 1)
    deaths = 0
    for dies_at in range(1, 6):
        for after in (False, True):
            mortal = Tasks(Mortal(dynamodb, dies_at, after), tasks._table)
            try:
                mortal.change(task_id, lambda task: task.resolved("user:eve"))
            except Crash:
                deaths += 1
            state = tasks.get(task_id).state
            listed = everything(tasks, 5, state="open")
            assert listed == ([task_id] if state is TaskState.OPEN else [])

    assert deaths
    assert everything(tasks, 5) == [task_id]


def test_a_foreign_cursor_and_an_unknown_task_are_refused(tasks: Tasks) -> None:
    with pytest.raises(BadCursor):
        tasks.page(5, encode_cursor({"PK": "SEGMENTS", "SK": "1"}))
    with pytest.raises(NotFound):
        tasks.get("tsk_nothing")


def test_a_cursor_of_the_other_state_is_refused(tasks: Tasks) -> None:
    cursor = encode_cursor({"PK": "TASKS#closed", "SK": "1"})
    with pytest.raises(BadCursor):
        tasks.page(5, cursor, state="open")
    with pytest.raises(BadCursor):
        tasks.page(5, encode_cursor({"PK": "TASKS#open", "SK": "x" * 1_100}))
