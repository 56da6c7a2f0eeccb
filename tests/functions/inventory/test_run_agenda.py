"""Deadlines are acted on once they have come, whatever goes wrong with some of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.inventory import run_agenda
from functions.inventory.run_agenda import BATCH, LATE, Run, work_through
from oms.adapters.agenda import Agenda
from oms.adapters.dynamodb import transact
from oms.domain.agenda import TRIES, Due
from oms.domain.stock_holds import HoldChanged
from tests.functions.doors import House, forget, house
from tests.tables import create_table

pytestmark = pytest.mark.cloud

__all__ = ["house"]
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def agenda(dynamodb: Any) -> Agenda:
    return Agenda(dynamodb, create_table(dynamodb, "stock", f"stock-{uuid4().hex[:12]}"))


def put(agenda: Agenda, *subjects: str, kind: str = "note", at: datetime = AT) -> None:
    for subject in subjects:
        transact(agenda._client, agenda.writes(kind, subject, at))


def work(
    agenda: Agenda, act: Callable[[str], object], now: datetime = AT, told: list[Due] | None = None
) -> dict[str, int]:
    tell = (told if told is not None else []).append
    run = Run(agenda, {"note": lambda subject, when: act(subject)}, tell, lambda: False)
    return work_through(run, lambda: now)


def test_what_is_due_is_done_once_and_what_is_not_is_left(agenda: Agenda) -> None:
    done: list[str] = []
    put(agenda, "a", "b")
    put(agenda, "later", at=AT + timedelta(seconds=1))

    for _ in range(2):
        counts = work(agenda, done.append)

    assert sorted(done) == ["a", "b"]
    assert counts == {"done": 0, "failed": 0, "overdue": 0}


def test_one_that_fails_does_not_stop_the_others_and_comes_again(agenda: Agenda) -> None:
    done: list[str] = []

    def act(subject: str) -> None:
        if subject == "bad":
            raise RuntimeError(subject)
        done.append(subject)

    put(agenda, "bad", *(f"good-{number}" for number in range(9)))

    counts = work(agenda, act)

    assert (counts["done"], counts["failed"], len(done)) == (9, 1, 9)
    (left,) = agenda.due(AT + timedelta(days=1), 10)
    assert (left.subject, left.tries, left.at > AT) == ("bad", 1, True)


def test_what_fails_for_an_hour_is_told_and_still_tried(agenda: Agenda) -> None:
    told: list[Due] = []
    put(agenda, "bad")

    def fail(subject: str) -> None:
        raise RuntimeError

    moment = AT
    for _ in range(TRIES + 2):
        work(agenda, fail, moment, told)
        (entry,) = agenda.due(moment + timedelta(days=1), 10)
        moment = entry.at

    assert [entry.tries for entry in told] == [TRIES, TRIES + 1, TRIES + 2]
    assert work(agenda, lambda subject: None, moment)["done"] == 1


def test_a_kind_that_nobody_handles_waits_for_somebody_who_does(agenda: Agenda) -> None:
    put(agenda, "a", kind="of_tomorrow")

    assert work(agenda, lambda subject: None)["failed"] == 1
    assert len(agenda.due(AT + timedelta(days=1), 10)) == 1


def test_more_than_a_batch_is_done_in_one_run(agenda: Agenda) -> None:
    put(agenda, *(f"{number}" for number in range(BATCH + 50)))

    assert work(agenda, lambda subject: None)["done"] == BATCH + 50


def test_who_is_overtaken_looks_again_in_the_next_run(agenda: Agenda) -> None:
    put(agenda, "a")
    tried: list[str] = []

    def overtaken(subject: str) -> None:
        tried.append(subject)
        raise HoldChanged(subject)

    work(agenda, overtaken)

    assert tried == ["a"]
    assert [entry.tries for entry in agenda.due(AT, 10)] == [0]


def test_a_run_that_is_late_leaves_the_rest_and_says_how_much_is_overdue(agenda: Agenda) -> None:
    put(agenda, "a", "b", at=AT - LATE)
    put(agenda, "c")
    run = Run(agenda, {}, lambda entry: None, lambda: True)

    assert work_through(run, lambda: AT) == {"done": 0, "failed": 0, "overdue": 2}


def test_the_function_works_with_its_own_environment_and_tells_its_queue(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = house.cloud.client("sqs").create_queue(QueueName=f"q-{uuid4().hex[:12]}")["QueueUrl"]
    monkeypatch.setenv("AGENDA_FAILURES", queue)
    forget()
    table = Agenda(house.cloud.client("dynamodb"), house.environment["STOCK_TABLE"])
    transact(table._client, table.writes("expire_hold", "hld_gone0001", AT - timedelta(days=300)))
    transact(table._client, table.writes("of_tomorrow", "x", AT - timedelta(days=300), tries=TRIES))

    answer = run_agenda.handler({}, None)

    assert (answer["done"], answer["failed"]) == (1, 1)
    (told,) = house.cloud.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(told["Body"]) == {"kind": "of_tomorrow", "subject": "x", "tries": TRIES + 1}
