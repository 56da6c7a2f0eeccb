"""Rerouting as AWS calls it: from the event of the bus to the worker, and by the agenda."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from functions.bulk import work_job
from functions.inventory import run_agenda
from functions.routing import reroute_work
from oms.domain.agenda import DueKind
from oms.domain.order import Order
from tests.functions.doors import forget
from tests.functions.routing.network import Network, box
from tests.functions.world import now

pytestmark = pytest.mark.cloud


@pytest.fixture
def deployed(cloud: Any, dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    network = Network.new(dynamodb)
    network.world.receive("MUG", 10)
    queue = cloud.client("sqs").create_queue(QueueName=f"jobs-{uuid4().hex[:12]}")["QueueUrl"]
    environment = {
        **cloud.environment(),
        "ORDERS_TABLE": network.world.orders_name,
        "STOCK_TABLE": network.world.stock_name,
        "JOBS_TABLE": network.jobs_name,
        "JOB_QUEUE": queue,
        "FILES_BUCKET": "none",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget()
    yield network
    forget()


def work(cloud: Any) -> None:
    """Whatever is in the queue, until it is empty."""
    client, queue = cloud.client("sqs"), os.environ["JOB_QUEUE"]
    while found := client.receive_message(QueueUrl=queue).get("Messages"):
        for message in found:
            work_job.handler({"Records": [{"body": message["Body"]}]}, None)
            client.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def status_of(network: Network, order: Order) -> str:
    return box(network.world.orders.get(order.order_id), 0).status


def test_an_event_of_the_bus_becomes_a_job_that_takes_work_back(
    cloud: Any, deployed: Network
) -> None:
    order = deployed.routed()
    deployed.change("AUSTIN", active=False)
    at = now().isoformat()
    said = {"location_id": "AUSTIN", "change": "closed"}
    told = {"id": f"AUSTIN#{at}", "at": at, "location_id": "AUSTIN", "data": said}

    outcome = reroute_work.handler(json.loads(json.dumps({"detail": told})), None)["outcome"]
    work(cloud)

    assert outcome == "asked for"
    assert status_of(deployed, order) == "rejected"


def test_the_agenda_asks_for_the_job_too(cloud: Any, deployed: Network) -> None:
    order = deployed.routed()
    deployed.change("AUSTIN", active=False)

    run_agenda.handlers()[DueKind.REROUTE_WORK]("AUSTIN", now())
    work(cloud)

    assert status_of(deployed, order) == "rejected"


def test_the_agenda_looks_at_promises(deployed: Network) -> None:
    order = deployed.routed()
    look = run_agenda.handlers()[DueKind.PROMISE_AT_RISK]

    assert look(box(order).fulfillment_order_id, now()) == "nothing to do"
