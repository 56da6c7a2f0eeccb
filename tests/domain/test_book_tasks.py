from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oms.contracts import codec
from oms.domain.books.checks import PHASES, Check, Step, parts_for
from oms.domain.books.tasks import Found, Proposal, Task, TaskState
from oms.domain.errors import IllegalTransition

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
FOUND = Found("stock", "MUG AUSTIN", "rule", 3, 5, Proposal("Count it", "count", {"units": 2}))


def test_the_same_subject_and_rule_are_the_same_task_whatever_the_figures() -> None:
    assert replace(FOUND, actual=9).task_id == FOUND.task_id
    assert replace(FOUND, subject="CUP AUSTIN").task_id != FOUND.task_id
    assert replace(FOUND, rule="other").task_id != FOUND.task_id


def test_found_again_it_is_updated_and_whoever_has_it_in_hand_keeps_it() -> None:
    task = Task.of(FOUND, AT).accepted("user:eve", "mine")

    again = task.seen(replace(FOUND, actual=6), LATER)

    assert (again.state, again.by, again.actual) == (TaskState.ACCEPTED, "user:eve", 6)
    assert (again.found_at, again.seen_at) == (AT, LATER)


def test_what_was_resolved_and_is_found_again_is_open_again_as_if_it_were_new() -> None:
    again = Task.of(FOUND, AT).resolved("user:eve").seen(FOUND, LATER)

    assert (again.state, again.by, again.found_at) == (TaskState.OPEN, "", LATER)


def test_what_was_dismissed_stays_so_while_its_figures_do() -> None:
    task = Task.of(FOUND, AT).dismissed("user:eve", "known")

    assert task.seen(FOUND, LATER).state is TaskState.DISMISSED
    assert task.seen(replace(FOUND, actual=6), LATER).state is TaskState.OPEN


def test_what_is_gone_closes_itself_and_what_was_decided_stays_decided() -> None:
    assert Task.of(FOUND, AT).gone(LATER).state is TaskState.RESOLVED
    dismissed = Task.of(FOUND, AT).dismissed("user:eve", "known")
    assert dismissed.gone(LATER) == dismissed


def test_a_closed_task_is_not_taken_in_hand() -> None:
    with pytest.raises(IllegalTransition):
        Task.of(FOUND, AT).resolved("user:eve").accepted("user:bob")
    with pytest.raises(IllegalTransition):
        Task.of(FOUND, AT).resolved("user:eve").dismissed("user:bob", "no")


def test_a_task_is_read_as_it_was_written() -> None:
    task = Task.of(FOUND, AT).accepted("user:eve")

    assert codec.decode(codec.encode(task), Task) == task


@given(st.lists(st.integers(1, 4), min_size=len(PHASES), max_size=len(PHASES)))
def test_a_check_goes_through_all_phases_and_counts_every_step_once(steps: list[int]) -> None:
    check, seen = Check("chk_1", "test", AT, AT), []
    for many in steps:
        for left in range(many - 1, -1, -1):
            seen.append(check.phase)
            check = check.after(Step(str(left) if left else None, {"steps": 1}, 2), LATER)

    assert check.is_done
    assert list(dict.fromkeys(seen)) == list(PHASES)
    assert (check.counted["steps"], check.steps, check.found) == (len(seen),) * 2 + (2 * len(seen),)
    assert codec.decode(codec.encode(check), Check) == check


def test_a_part_has_about_a_thousand_ids_however_many_there_are() -> None:
    assert parts_for(0) == 4
    assert parts_for(10_000_000) == 10_001
