"""The handlers as Lambda calls them, with real clients and a receiver on this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from functions.subscribers import api, queue_deliveries, send_deliveries
from functions.subscribers.send_deliveries import turn_tap
from oms.adapters import event_log
from oms.domain.subscribers import TEST
from tests.fake_receiver import verifies
from tests.functions.doors import House, ask, house
from tests.functions.subscribers.house import FakeTap, an_event
from tests.functions.subscribers.house import House as Small
from tests.functions.world import now

pytestmark = pytest.mark.cloud

__all__ = ["house"]


@dataclass
class Receiver:
    url: str
    got: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.got]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.got.append((body, dict(self.headers.items())))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    found = Receiver(f"http://127.0.0.1:{server.server_address[1]}/in")
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def queue(house: House, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of the queue of those to be sent something; events flow by hand."""
    name = f"{house.environment['EVENT_BUS']}-nudges"
    url = str(house.cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"])
    monkeypatch.setenv("DELIVERY_QUEUE", url)
    monkeypatch.setenv("SUBSCRIBER_FAILURES", url)
    for module in (api, send_deliveries):
        monkeypatch.setattr(module, "event_tap", FakeTap)
    return url


def nudged(house: House, url: str) -> list[dict[str, str]]:
    """What the function that sends is given; each message once."""
    sqs = house.cloud.client("sqs")
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for each in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return [{"messageId": each["MessageId"], "body": each["Body"]} for each in found]


def queued(*envelopes: dict[str, Any]) -> dict[str, Any]:
    bodies = (json.dumps({"detail": each}) for each in envelopes)
    records = [{"messageId": f"m{place}", "body": body} for place, body in enumerate(bodies)]
    return dict(queue_deliveries.handler({"Records": records}, None))


def test_from_the_bus_to_who_subscribed(house: House, queue: str, receiver: Receiver) -> None:
    code, made = ask(api, "POST /subscribers", {"url": receiver.url, "types": ["OrderPlaced"]})
    assert code == 200, made
    happened = an_event(1, at=now())

    assert queued(happened, an_event(2, "OrderCancelled", now())) == {"batchItemFailures": []}
    outcome = send_deliveries.handler({"Records": nudged(house, queue)}, None)

    assert outcome == {"outcome": "1 sent, 0 failed"}
    ((body, headers),) = receiver.got
    assert json.loads(body)["order_id"] == "ord_1"
    assert verifies(made["secret"], body, headers, now())


def test_each_minute_all_are_looked_after_and_replays_go_on(
    house: House, queue: str, receiver: Receiver
) -> None:
    _, made = ask(api, "POST /subscribers", {"url": receiver.url})
    identity = made["subscriber_id"]
    event_log.event_log().append([an_event(7, at=now())])
    period = {"from": (now() - timedelta(days=1)).isoformat(), "to": now().isoformat()}
    code, _ = ask(api, "POST /subscribers/{subscriber_id}/replays", period, subscriber_id=identity)
    assert code == 200
    nudged(house, queue)  # they are lost

    assert send_deliveries.handler({}, None) == {"outcome": "1 nudged, events flow or flow no more"}
    for _ in range(2):
        send_deliveries.handler({"Records": nudged(house, queue)}, None)

    assert [json.loads(body)["order_id"] for body, _ in receiver.got] == ["ord_7"]


def test_a_test_message_comes_at_once(house: House, queue: str, receiver: Receiver) -> None:
    _, made = ask(api, "POST /subscribers", {"url": receiver.url})

    route = "POST /subscribers/{subscriber_id}/test"
    code, sent = ask(api, route, subscriber_id=made["subscriber_id"])

    assert (code, sent["status"]) == (200, "delivered")
    assert receiver.types() == [TEST]


def test_who_subscribes_while_the_tap_is_turned_off_finds_it_on(dynamodb: Any) -> None:
    small = Small.new(dynamodb)

    class Slow(FakeTap):
        def turn(self, *, on: bool) -> bool:
            if not on:
                small.subscribe()
            return super().turn(on=on)

    small.tap = Slow(is_on=True)

    turn_tap(small.crew, on=False)

    assert small.tap.is_on
