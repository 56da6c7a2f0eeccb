"""Subscribers as those who answer for them see them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.subscribers import api
from oms.adapters.web import Answer
from oms.contracts.webhook_schemas import subscribable
from tests.fake_receiver import verifies
from tests.functions.doors import ask
from tests.functions.subscribers.house import START, URL, House, an_event

pytestmark = pytest.mark.cloud

ONE = "GET /subscribers/{subscriber_id}"


@pytest.fixture
def house(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> House:
    house = House.new(dynamodb)
    monkeypatch.setattr(api, "desk", lambda: house.api)
    return house


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.__dict__)

    found: list[dict[str, Any]] = []
    collect = Collect()
    logging.getLogger("oms").addHandler(collect)
    yield found
    logging.getLogger("oms").removeHandler(collect)


def made(house: House, **said: Any) -> dict[str, Any]:
    code, answer = ask(api, "POST /subscribers", {"url": URL, **said})
    assert code == 200, answer
    house.receiver.secrets.append(answer["secret"])
    return dict(answer)


def asked(route: str, subscriber_id: str, body: Any = None, **more: Any) -> tuple[int, Any]:
    method, _, path = route.partition(" ")
    whole = f"{method} /subscribers/{{subscriber_id}}{path}"
    return ask(api, whole, body, subscriber_id=subscriber_id, **more)


def test_a_secret_is_told_once_and_is_in_no_row_and_no_line(
    house: House, lines: list[dict[str, Any]]
) -> None:
    found = made(house, types=["OrderPlaced"])
    code, again = asked("GET ", found["subscriber_id"])
    asked("POST /test", found["subscriber_id"])

    secret = found["secret"]
    assert secret.startswith("whsec_")
    assert (code, "secret" in again, len(again["secrets"])) == (200, False, 1)
    rows = house.client.scan(TableName=house.table)["Items"]
    assert secret not in str(rows)
    assert secret[6:].encode() not in b"".join(
        v.get("B", b"") for row in rows for v in row.values()
    )
    assert secret not in json.dumps(lines, default=str)


def test_asked_for_twice_under_one_key_it_is_one_subscriber(house: House) -> None:
    headers = {"Idempotency-Key": "k1"}
    code, first = ask(api, "POST /subscribers", {"url": URL}, headers=headers)
    _, second = ask(api, "POST /subscribers", {"url": URL}, headers=headers)

    assert code == 200
    assert first["subscriber_id"] == second["subscriber_id"]
    assert "secret" not in second
    _, page = ask(api, "GET /subscribers")
    assert len(page["items"]) == 1


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"url": "http://hooks.example/in"}, "url"),
        ({"url": "https://127.0.0.1/in"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://u:p@hooks.example/"}, "url"),
        ({"url": URL, "types": ["OrderPlaced", "Nonsense"]}, "types[1]"),
        ({"url": URL, "types": ["FulfillmentOrderPicked"]}, "types[0]"),
        ({"url": URL, "types": ["OrderPlaced", "OrderPlaced"]}, "types[1]"),
        ({"url": URL, "channels": ["web", "web"]}, "channels[1]"),
        ({"url": URL, "secret": "whsec_mine"}, "secret"),
        ({}, "url"),
    ],
)
def test_a_bad_request_names_the_field_and_changes_nothing(
    house: House, said: dict[str, Any], field: str
) -> None:
    code, problem = ask(api, "POST /subscribers", said)

    assert code == 422
    assert [each["field"] for each in problem["errors"]] == [field]
    assert house.client.scan(TableName=house.table)["Items"] == []


def test_the_last_one_that_there_is_room_for_can_be_asked_for_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_SUBSCRIBERS", 1)
    first = ask(api, "POST /subscribers", {"url": URL}, headers={"Idempotency-Key": "k"})
    again = ask(api, "POST /subscribers", {"url": URL}, headers={"Idempotency-Key": "k"})
    other = ask(api, "POST /subscribers", {"url": URL}, headers={"Idempotency-Key": "o"})

    assert [status for status, _ in (first, again, other)] == [200, 200, 409]
    assert again[1]["subscriber_id"] == first[1]["subscriber_id"]


def test_events_flow_as_soon_as_somebody_subscribes(house: House) -> None:
    made(house, enabled=False)
    assert not house.tap.is_on
    made(house)
    assert house.tap.is_on


def test_all_that_is_said_of_a_subscriber_can_be_changed(house: House) -> None:
    identity = made(house)["subscriber_id"]
    said = {"url": "https://other.example/x", "types": ["OrderPlaced"], "description": "ERP"}

    code, changed = asked("PUT ", identity, said)

    assert code == 200
    assert (changed["url"], changed["types"]) == (said["url"], said["types"])
    assert asked("GET ", identity)[1] == changed
    assert asked("PUT ", identity, {"url": "https://10.0.0.1/"})[0] == 422
    assert asked("PUT ", "sub_nobody", said)[0] == 404


def test_who_is_forgotten_is_told_nothing_and_has_no_secret(house: House) -> None:
    identity = made(house)["subscriber_id"]
    house.happen(an_event(1))

    assert asked("DELETE ", identity)[0] == 200
    house.minute()

    assert asked("GET ", identity)[0] == 404
    assert house.receiver.asked == []
    assert house.secrets.infos(identity, house.now()) == []
    assert asked("DELETE ", identity)[0] == 404
    assert not house.tap.is_on


def test_a_new_secret_ends_the_others_after_the_overlap(house: House) -> None:
    identity = made(house)["subscriber_id"]
    house.wait(hours=1)

    code, new = asked("POST /secrets", identity, {"overlap_hours": 2})

    assert code == 200
    assert new["secret"] not in house.receiver.secrets
    ends = [each.get("ends_at") for each in new["secrets"]]
    assert ends == ["2026-03-02T12:30:00Z", None]
    house.wait(hours=2)
    assert len(asked("GET ", identity)[1]["secrets"]) == 1
    assert house.secrets.valid(identity, house.now()) == (new["secret"],)


def test_of_secrets_few_are_valid_at_once_and_one_that_is_known_to_others_ends_now(
    house: House,
) -> None:
    identity = made(house)["subscriber_id"]
    for _ in range(3):
        house.wait(minutes=1)
        assert asked("POST /secrets", identity)[0] == 200
    house.wait(minutes=1)

    assert asked("POST /secrets", identity)[0] == 409
    code, new = asked("POST /secrets", identity, {"overlap_hours": 0})
    assert code == 200
    assert house.secrets.valid(identity, house.now()) == (new["secret"],)


def test_a_test_is_sent_now_and_is_in_the_log(house: House) -> None:
    identity = made(house, enabled=False)["subscriber_id"]
    house.receiver.answers = [Answer(500, {}, b"ada@example.com is unknown")]

    _, failed = asked("POST /test", identity)
    house.wait(seconds=1)
    code, sent = asked("POST /test", identity)

    assert (code, sent["status"], failed["status"]) == (200, "delivered", "dead")
    assert failed["attempts"][0]["excerpt"] == "(e-mail) is unknown"
    (said,) = house.receiver.said
    assert (said["type"], said["data"]) == ("SubscriberTest", {})
    _, page = asked("GET /deliveries", identity)
    assert [each["delivery_id"] for each in page["items"]] == [
        sent["delivery_id"],
        failed["delivery_id"],
    ]
    again = asked(
        "POST /deliveries/{delivery_id}/retry", identity, delivery_id=failed["delivery_id"]
    )
    assert again[0] == 409


def test_the_log_is_read_page_by_page_the_latest_first(house: House) -> None:
    identity = made(house)["subscriber_id"]
    house.wait(hours=1)
    house.happen(*(an_event(n, at=START + timedelta(minutes=n)) for n in range(5)))
    house.minute()

    seen, cursor = list[str](), ""
    while cursor is not None:
        query = f"limit=2&cursor={cursor}" if cursor else "limit=2"
        code, page = asked("GET /deliveries", identity, query=query)
        assert code == 200
        seen += [each["order_id"] for each in page["items"]]
        cursor = page["cursor"]

    assert seen == [f"ord_{n}" for n in (4, 3, 2, 1, 0)]
    first = asked("GET /deliveries", identity, query="limit=1")[1]
    other = made(house)["subscriber_id"]
    stolen = asked("GET /deliveries", other, query=f"cursor={first['cursor']}")
    assert stolen[0] == 400
    assert "whsec_" not in json.dumps(first)


def test_what_is_dead_is_listed_and_sent_again_on_request(house: House) -> None:
    identity = made(house)["subscriber_id"]
    house.happen(an_event(1))
    house.wait(days=4)
    house.receiver.answers = [Answer(500)]
    house.minute()
    _, page = asked("GET /deliveries", identity, query="status=dead")
    (dead,) = page["items"]
    assert dead["attempts"][-1]["status_code"] == 500

    code, waiting = asked(
        "POST /deliveries/{delivery_id}/retry", identity, delivery_id=dead["delivery_id"]
    )
    assert (code, waiting["status"], "tries" in waiting) == (200, "waiting", False)
    house.minute()

    assert house.receiver.heard == [dead["webhook_id"]]
    assert asked("GET /deliveries", identity, query="status=dead")[1]["items"] == []
    missing = asked("POST /deliveries/{delivery_id}/retry", identity, delivery_id="x")
    assert missing[0] == 404


def test_a_period_is_replayed_and_followed(house: House) -> None:
    identity = made(house)["subscriber_id"]
    house.archive.add(START + timedelta(minutes=1), an_event(1))
    house.wait(hours=1)
    said = {"from": START.isoformat(), "to": (START + timedelta(minutes=5)).isoformat()}

    code, started = asked("POST /replays", identity, said)
    assert (code, started["status"]) == (200, "running")
    house.minute()
    house.minute()

    _, found = asked("GET /replays/{replay_id}", identity, replay_id=started["replay_id"])
    assert (found["status"], found["queued"], found["from"]) == ("done", 1, "2026-03-02T09:30:00Z")
    assert len(house.receiver.heard) == 1
    backwards = {"from": said["to"], "to": said["from"]}
    assert asked("POST /replays", identity, backwards)[0] == 422


def test_each_type_of_event_has_a_schema(house: House) -> None:
    code, page = ask(api, "GET /events/catalogue")
    assert code == 200
    assert {each["type"] for each in page["items"]} == set(subscribable())

    for each in page["items"]:
        code, found = ask(api, "GET /events/catalogue/{type}", type=each["type"])
        assert code == 200
        assert found["schema"]["properties"]["type"] == {"const": each["type"]}
    assert ask(api, "GET /events/catalogue/{type}", type="FulfillmentOrderPicked")[0] == 404


def test_a_message_that_was_signed_here_is_believed(house: House) -> None:
    made(house)
    house.happen(an_event(1))
    house.minute()

    (headers,) = house.receiver.headers
    body = json.dumps(house.receiver.said[0], separators=(",", ":")).encode()
    assert verifies(house.receiver.secrets[0], body, headers, house.now())
    assert headers["webhook-timestamp"] == str(int(START.timestamp()))
