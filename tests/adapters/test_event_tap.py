"""Events flow to the subscribers only while there are any."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest

from infra.local.cloud import Cloud
from oms.adapters.event_tap import EventTap
from tests.cloud import deploy_function

pytestmark = pytest.mark.cloud

SOURCE = "def handler(event, context):\n    return {}\n"


def queue_of(cloud: Cloud, name: str) -> tuple[str, str]:
    """Its address and its ARN."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, names["Attributes"]["QueueArn"]


def waiting(cloud: Cloud, url: str) -> int:
    answer = cloud.client("sqs").get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def happen(cloud: Cloud, bus: str) -> None:
    entry = {"EventBusName": bus, "Source": "oms.capture", "DetailType": "X"}
    cloud.client("events").put_events(Entries=[{**entry, "Detail": json.dumps({"id": "e"})}])


def test_what_is_turned_on_flows_and_what_is_turned_off_does_not(cloud: Cloud) -> None:
    name = f"tap-{uuid4().hex[:12]}"
    events: Any = cloud.client("events")
    functions: Any = cloud.client("lambda")
    url, arn = queue_of(cloud, name)
    _, other_arn = queue_of(cloud, f"{name}-mapped")
    events.create_event_bus(Name=name)
    pattern = json.dumps({"source": [{"prefix": "oms."}]})
    events.put_rule(Name=name, EventBusName=name, EventPattern=pattern)
    events.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "q", "Arn": arn}])
    function = deploy_function(cloud, SOURCE)
    mapping = functions.create_event_source_mapping(
        EventSourceArn=other_arn, FunctionName=function, Enabled=False
    )["UUID"]
    tap = EventTap(events, functions, name, name, mapping)

    assert tap.turn(on=True)  # the mapping; the rule is on from the start
    assert not tap.turn(on=True)
    happen(cloud, name)
    assert waiting(cloud, url) == 1
    assert functions.get_event_source_mapping(UUID=mapping)["State"] == "Enabled"

    assert tap.turn(on=False)
    assert not tap.turn(on=False)
    happen(cloud, name)
    assert waiting(cloud, url) == 1
    assert functions.get_event_source_mapping(UUID=mapping)["State"] == "Disabled"
