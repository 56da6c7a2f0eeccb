"""The routes of the books, as the gateway calls them."""

from __future__ import annotations

import pytest

from functions.books import api, keep_books
from oms.adapters import dynamodb as db
from tests.functions.doors import House, ask, house

__all__ = ["house"]

pytestmark = pytest.mark.cloud


def cook(house: House, **counters: int) -> None:
    house.cloud.client("dynamodb").update_item(
        TableName=house.environment["STOCK_TABLE"],
        Key=db.key("SKU#MUG", "LEVEL#AUSTIN"),
        UpdateExpression="ADD " + ", ".join(f"{name} :{name}" for name in counters),
        ExpressionAttributeValues={f":{name}": db.n(by) for name, by in counters.items()},
    )


def test_a_small_shop_is_read_at_once_with_its_sums(house: House) -> None:
    house.stocked("MUG", 5)

    status, books = ask(api, "GET /books")

    assert (status, books["balanced"], books["checked_at"]) == (200, True, None)
    assert books["in_all"] == [
        {
            "subject": "all items",
            "rule": "what came in is on hand or went out",
            "expected": 5,
            "actual": 5,
        }
    ]


def test_a_check_finds_a_task_and_applying_it_mends_what_it_found(house: House) -> None:
    house.stocked("MUG", 5)
    cook(house, on_hand=2, available=2)

    status, check = ask(api, "POST /books/checks")
    assert (status, check["state"], check["found"]) == (202, "done", 2)
    _, seen = ask(api, "GET /books/checks/{id}", id=check["check_id"], query="limit=1")
    assert (len(seen["tasks"]), bool(seen["cursor"])) == (1, True)
    _, page = ask(api, "GET /books/tasks", query="state=open&kind=stock")
    assert {task["proposal"]["command"] for task in page["items"]} == {"set_level"}
    _, kept = ask(api, "GET /books", query="full=false")
    assert (kept["balanced"], kept["open_tasks"], kept["check_id"]) == (False, 2, check["check_id"])

    task_id = page["items"][0]["task_id"]
    status, applied = ask(api, "POST /books/tasks/{id}/apply", id=task_id)
    assert (status, applied["state"], applied["by"]) == (200, "resolved", "client:shop")
    again, _ = ask(api, "POST /books/tasks/{id}/apply", id=task_id)
    assert again == 200
    keep_books.handler({}, None)
    _, kept = ask(api, "GET /books", query="full=false")
    assert (kept["balanced"], kept["open_tasks"]) == (True, 0)
    assert ask(api, "GET /books", query="full=true")[1]["balanced"]


def test_a_task_is_taken_in_hand_and_dismissed_for_a_reason(house: House) -> None:
    house.stocked("MUG", 5)
    cook(house, reserved=1)
    ask(api, "POST /books/checks")
    _, page = ask(api, "GET /books/tasks", query="limit=1")
    task_id = page["items"][0]["task_id"]

    assert ask(api, "POST /books/tasks/{id}/accept", id=task_id)[1]["state"] == "accepted"
    assert ask(api, "POST /books/tasks/{id}/dismiss", {}, id=task_id)[0] == 422
    status, task = ask(api, "POST /books/tasks/{id}/dismiss", {"reason": "known"}, id=task_id)
    assert (status, task["state"], task["why"]) == (200, "dismissed", "known")
    assert ask(api, "POST /books/tasks/{id}/accept", id=task_id)[0] == 409
    assert ask(api, "GET /books/tasks/{id}", id="tsk_none")[0] == 404


def test_what_only_a_person_can_mend_is_refused_with_the_words(house: House) -> None:
    house.stocked("MUG", 5)
    key = db.key("SKU#MUG", "MOVE#x")
    move = {"kind": "consumed", "location": "AUSTIN", "cause": "x", "at": "x"}
    numbers = {"quantity": 9, "on_hand": -9, "available": -9, "reserved": 0}
    row = {name: db.s(v) for name, v in move.items()} | {n: db.n(v) for n, v in numbers.items()}
    client = house.cloud.client("dynamodb")
    client.put_item(TableName=house.environment["STOCK_TABLE"], Item={**key, **row})
    ask(api, "POST /books/checks")
    _, page = ask(api, "GET /books/tasks")

    status, problem = ask(api, "POST /books/tasks/{id}/apply", id=page["items"][0]["task_id"])

    assert (status, "Count the place" in problem["detail"]) == (409, True)


def test_one_check_at_a_time_and_the_clock_goes_on_with_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stocked("MUG", 5)
    monkeypatch.setattr(api, "SECONDS_AT_ONCE", -1.0)
    _, first = ask(api, "POST /books/checks")
    _, second = ask(api, "POST /books/checks")
    assert (first["state"], second["check_id"]) == ("running", first["check_id"])

    assert keep_books.handler({}, None)["checks"] == 1

    _, done = ask(api, "GET /books/checks/{id}", id=first["check_id"])
    assert (done["state"], done["phase"], done["counted"]["stock_items"]) == ("done", None, 1)


def test_a_shop_that_is_too_large_to_be_read_at_once_answers_from_its_last_check(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.stocked("MUG", 5)
    ask(api, "POST /books/checks")
    monkeypatch.setattr(api, "SMALL", -1)

    _, kept = ask(api, "GET /books")
    assert kept["checked_at"]
    assert ask(api, "GET /books", query="full=true")[1]["checked_at"] is None


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("GET /books", "full=maybe"),
        ("GET /books/tasks", "kind=X"),
        ("GET /books/tasks", "state=late"),
        ("GET /books/tasks", "limit=0"),
    ],
)
def test_a_question_that_nobody_understands_is_refused(
    house: House,
    route: str,
    query: str,
) -> None:
    assert ask(api, route, query=query)[0] == 422
