"""Asynchronous calls on the embedded cloud are as durable as on AWS."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.local.cloud import Cloud, free_port
from tests.cloud import deploy_function, eventually

pytestmark = pytest.mark.cloud

FUNCTION = """
import os, time
def handler(event, context):
    with open(os.environ["SEEN"], "a") as seen:
        seen.write(event["detail"]["order"] + " ")
    if event["detail"]["order"] == "bad":
        raise ValueError("cannot")
    time.sleep(float(os.environ["SECONDS"]))
"""


class Subscriber:
    """A rule of its own bus that calls a function, which notes each call."""

    def __init__(self, cloud: Cloud, name: str, *, retries: int = 1, seconds: float = 0) -> None:
        self.cloud, self.name, self.notes = cloud, name, cloud.home / f"{name}.seen"
        variables = {"SEEN": str(self.notes), "SECONDS": str(seconds)}
        function = deploy_function(cloud, FUNCTION, Environment={"Variables": variables})
        self.queue = cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"]
        cloud.client("lambda").put_function_event_invoke_config(
            FunctionName=function,
            MaximumRetryAttempts=retries,
            DestinationConfig={
                "OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{name}"}
            },
        )
        self.subscribe(f"arn:aws:lambda:us-east-1:000000000000:function:{function}")

    def subscribe(self, function_arn: str) -> None:
        events = self.cloud.client("events")
        events.create_event_bus(Name=self.name)
        pattern = json.dumps({"detail-type": ["OrderPlaced"]})
        events.put_rule(Name=self.name, EventBusName=self.name, EventPattern=pattern)
        events.put_targets(
            Rule=self.name, EventBusName=self.name, Targets=[{"Id": "1", "Arn": function_arn}]
        )

    def publish(self, *orders: str) -> None:
        entry = {"EventBusName": self.name, "Source": "oms.capture", "DetailType": "OrderPlaced"}
        for order in orders:
            detail = json.dumps({"order": order})
            self.cloud.client("events").put_events(Entries=[{**entry, "Detail": detail}])

    def seen(self) -> list[str]:
        return self.notes.read_text().split() if self.notes.exists() else []

    def given_up(self) -> list[dict[str, Any]]:
        answer = self.cloud.client("sqs").receive_message(QueueUrl=self.queue)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_failed_call_of_a_rule_is_tried_again_then_given_to_the_destination(
    cloud: Cloud,
) -> None:
    subscriber = Subscriber(cloud, "fails", retries=1)
    subscriber.publish("bad")

    (description,) = eventually(subscriber.given_up)

    assert subscriber.seen() == ["bad", "bad"]
    assert description["requestPayload"]["detail"] == {"order": "bad"}
    assert description["responsePayload"]["errorType"] == "ValueError"


def test_a_burst_of_calls_is_worked_off_and_none_is_refused(cloud: Cloud) -> None:
    subscriber = Subscriber(cloud, "burst", retries=0, seconds=0.1)
    orders = [str(n) for n in range(40)]
    subscriber.publish(*orders)

    eventually(lambda: len(subscriber.seen()) >= 40, seconds=20)

    assert sorted(subscriber.seen()) == sorted(orders)
    assert subscriber.given_up() == []


def test_more_callers_than_slots_wait_for_their_turn(cloud: Cloud) -> None:
    function = deploy_function(
        cloud, "import time\ndef handler(event, context): time.sleep(0.1); return 'served'"
    )
    client = cloud.client("lambda")

    def call(_: int) -> Any:
        return json.loads(client.invoke(FunctionName=function)["Payload"].read())

    with ThreadPoolExecutor(30) as callers:
        assert set(callers.map(call, range(60))) == {"served"}


@pytest.mark.slow
def test_a_call_under_way_is_made_again_after_a_kill(tmp_path: Path) -> None:
    settings = {"LOCAL_SNAPSHOT_SECONDS": "0.3", "LOCAL_PARENT": str(os.getpid())}
    cloud = Cloud(tmp_path, free_port(), auth=False, settings=settings)
    cloud.start()
    try:
        subscriber = Subscriber(cloud, "killed", seconds=3)
        subscriber.publish("1")
        state = cloud.home / "state" / "async_calls.json"
        eventually(lambda: state.exists() and "oms.capture" in state.read_text())
        cloud.kill()
        cloud.start()

        eventually(lambda: subscriber.seen() == ["1", "1"])
    finally:
        cloud.kill()
