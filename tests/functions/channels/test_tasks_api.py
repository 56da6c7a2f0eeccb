from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from functions.channels import tasks_api
from oms.adapters.shop_tasks import ShopTasks, failed_tasks
from oms.adapters.shops_table import ShopsTable
from oms.contracts.cursors import encode_cursor
from oms.domain.shop_tasks import Task, TaskKind
from tests.functions.channels.trade import NAME, SHOP
from tests.functions.doors import House, ask, house
from tests.functions.world import now

pytestmark = pytest.mark.cloud

__all__ = ["house"]

STAMP = "2026-01-01T00:00:00.000000Z"


@pytest.fixture
def failed(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of three tasks that a shop has refused; a queue that takes nudges."""
    client = house.cloud.client("dynamodb")
    queue = house.cloud.client("sqs").create_queue(QueueName=house.environment["EVENT_BUS"])
    monkeypatch.setenv("SHOP_QUEUE", queue["QueueUrl"])
    ShopsTable(client, house.environment["CHANNELS_TABLE"]).put(SHOP)
    tasks = ShopTasks(client, house.environment["CHANNELS_TABLE"])
    at = now()
    refused = [Task(NAME, TaskKind.REFUND, at, at, "ord_x", number, 1) for number in (1, 2, 3)]
    tasks.put(refused)
    for number, task in enumerate(refused):
        tasks.failed(task, "already closed", at + timedelta(seconds=number))
    return [task.task_id for task in refused]


def listed(status: str = "", **more: Any) -> list[str]:
    query = "&".join(
        [*([f"status={status}"] if status else []), *(f"{k}={v}" for k, v in more.items())]
    )
    code, page = ask(tasks_api, "GET /shops/{shop}/tasks", query=query, shop=quote(NAME))
    assert code == 200
    return [each["task_id"] for each in page["items"]]


def test_what_failed_is_listed_the_oldest_first_with_its_reason(failed: list[str]) -> None:
    code, page = ask(tasks_api, "GET /shops/{shop}/tasks", query="limit=2", shop=NAME)

    assert code == 200
    assert [each["task_id"] for each in page["items"]] == failed[:2]
    first = page["items"][0]
    assert (first["status"], first["error"], first["order_id"], first["event_seq"]) == (
        "failed",
        "already closed",
        "ord_x",
        1,
    )
    assert listed(cursor=page["cursor"]) == failed[2:]


def test_one_click_tells_the_shop_again(failed: list[str]) -> None:
    for _ in range(2):
        code, task = ask(tasks_api, "POST /tasks/{task_id}/redrive", task_id=quote(failed[1]))
        assert (code, task["status"]) == (200, "waiting")

    assert listed() == [failed[0], failed[2]]
    assert listed("waiting") == [failed[1]]


def test_all_that_a_shop_refused_is_told_again_once(failed: list[str]) -> None:
    answers = [ask(tasks_api, "POST /shops/{shop}/redrive", shop=NAME) for _ in range(2)]

    assert answers == [
        (200, {"redriven": 3, "more": False}),
        (200, {"redriven": 0, "more": False}),
    ]
    assert len(listed("waiting")) == 3


def test_levels_are_told_anew_on_request_each_once(failed: list[str]) -> None:
    for _ in range(2):
        said = {"skus": ["MUG", "CUP", "MUG"]}
        answer = ask(tasks_api, "POST /shops/{shop}/stock", said, shop=NAME)
        assert answer == (200, {"queued": 2})

    assert sorted(listed("waiting")) == [f"{NAME}~stock.{sku}" for sku in ("CUP", "MUG")]


def test_a_shop_that_is_not_told_of_stock_is_told_no_levels(
    failed: list[str], house: House
) -> None:
    shops = ShopsTable(house.cloud.client("dynamodb"), house.environment["CHANNELS_TABLE"])
    shops.put(replace(SHOP, told=()))

    answer = ask(tasks_api, "POST /shops/{shop}/stock", {"skus": ["MUG"]}, shop=NAME)

    assert answer[0] == 409
    assert ask(tasks_api, "POST /shops/{shop}/stock", {"skus": []}, shop=NAME)[0] == 422
    assert listed("waiting") == []


def test_what_failed_of_all_shops_is_found_for_whoever_looks_at_it(failed: list[str]) -> None:
    page = failed_tasks(2)

    assert [task.task_id for task in page.tasks] == failed[:2]
    assert [task.task_id for task in failed_tasks(2, page.cursor).tasks] == failed[2:]


@pytest.mark.parametrize(
    ("route", "named"),
    [
        ("POST /tasks/{task_id}/redrive", {"task_id": "fake:mugs.example~nothing"}),
        ("POST /tasks/{task_id}/redrive", {"task_id": "nothing"}),
        ("POST /shops/{shop}/redrive", {"shop": "fake:other.example"}),
        ("GET /shops/{shop}/tasks", {"shop": "fake:other.example"}),
    ],
)
def test_what_is_not_there_is_not_found(failed: list[str], route: str, named: Any) -> None:
    assert ask(tasks_api, route, **named)[0] == 404


@pytest.mark.parametrize("query", ["status=lost", "cursor=abc", "limit=0", "what=1"])
def test_a_question_that_means_nothing_is_refused(failed: list[str], query: str) -> None:
    assert ask(tasks_api, "GET /shops/{shop}/tasks", query=query, shop=NAME)[0] in (400, 422)


@pytest.mark.parametrize(
    ("at", "sk"), [("zzz", "x"), ("2026-01-01", "x"), ("\x00", "x"), (STAMP, "s" * 1025)]
)
@pytest.mark.parametrize("status", ["waiting", "failed", "done"])
def test_a_cursor_that_no_list_gave_is_refused(
    failed: list[str], status: str, at: str, sk: str
) -> None:
    cursor = encode_cursor({"PK": f"TASKS#{NAME}", "SK": sk, "at": at})
    query = f"status={status}&cursor={cursor}"

    assert ask(tasks_api, "GET /shops/{shop}/tasks", query=query, shop=NAME)[0] == 400
