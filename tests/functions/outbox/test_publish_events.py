"""The publisher over real rows, with the stream's records as it would show them."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from functions.outbox import publish_events
from functions.outbox.publish_events import Workflows, publish, record_of
from infra.local.client import Json
from oms.adapters.network_table import NetworkTable
from oms.adapters.workflow import return_workflow, workflow
from oms.contracts.events import CATALOGUE
from oms.domain import commands as c
from oms.domain.locations import Location, LocationKind
from oms.domain.payment import OperationStatus
from oms.domain.returns.waits import ReturnWait
from oms.domain.waits import Wait
from tests.cloud import eventually
from tests.functions.doors import House, house
from tests.functions.returns.shelf import approved, asked, receipt
from tests.functions.world import World, an_order, now

__all__ = ["house"]
pytestmark = pytest.mark.cloud


def world_of(house: House) -> World:
    house.stocked("MUG", 10)
    return World(
        house.cloud.client("dynamodb"),
        house.environment["ORDERS_TABLE"],
        house.environment["STOCK_TABLE"],
    )


def records(house: House, kind: str = "orders") -> list[Json]:
    """The outbox rows as the table's stream shows them: JSON, with bytes in base64."""
    rows = [row for row in house.rows(kind) if row["SK"]["S"].startswith("EVENT#")]
    rows.sort(key=lambda row: (row["PK"]["S"], row["SK"]["S"]))
    return [
        {"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": told(row)}}
        for number, row in enumerate(rows, 1)
    ]


def told(row: Json) -> Json:
    return {
        name: {"B": base64.b64encode(value["B"]).decode()} if "B" in value else value
        for name, value in row.items()
    }


@dataclass
class BusFake:
    refuses: set[str] = field(default_factory=set)
    told: list[Json] = field(default_factory=list)

    def publish(self, envelopes: Sequence[Json]) -> list[int]:
        failed = [n for n, each in enumerate(envelopes) if each["type"] in self.refuses]
        self.told += [each for n, each in enumerate(envelopes) if n not in failed]
        return failed


@dataclass
class WorkflowFake:
    fails_on: str = ""
    started: list[str] = field(default_factory=list)
    woken: list[tuple[str, str]] = field(default_factory=list)

    def start(self, order_id: str, attempt: int = 0) -> bool:
        if order_id == self.fails_on:
            raise ConnectionError
        self.started.append(order_id)
        return True

    def wake(self, token: str, outcome: str) -> bool:
        self.woken.append((token, outcome))
        return True


def moved_by(orders: WorkflowFake, returns: WorkflowFake | None = None) -> Workflows:
    return Workflows(orders, returns or WorkflowFake())  # type: ignore[arg-type]


def heard(house: House) -> Any:
    """A queue that hears all that is said on the bus; call it for what came so far."""
    queues, events = house.cloud.client("sqs"), house.cloud.client("events")
    bus = house.environment["EVENT_BUS"]
    url = queues.create_queue(QueueName=bus)["QueueUrl"]
    arn = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": [{"prefix": "oms."}]})
    events.put_rule(Name=bus, EventBusName=bus, EventPattern=pattern)
    target = {"Id": "1", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule=bus, EventBusName=bus, Targets=[target])
    found: list[Json] = []

    def listen() -> list[Json]:
        answer = queues.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            queues.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(json.loads(message["Body"]))
        return found

    return listen


def test_what_was_committed_starts_the_workflow_and_is_told_once_each(house: House) -> None:
    listen, world = heard(house), world_of(house)
    order_id = world.place(an_order(("MUG", 2))).order_id
    world.pay(order_id)

    answer = publish_events.handler({"Records": records(house)}, None)

    assert answer == {"batchItemFailures": []}
    assert list(workflow().running()) == [order_id]
    first, second = eventually(lambda: listen() if len(listen()) > 1 else None)
    assert [first["detail-type"], second["detail-type"]] == ["OrderPlaced", "PaymentAuthorized"]
    assert first["source"] == CATALOGUE["OrderPlaced"].source
    assert second["detail"].keys() == {
        *("id", "type", "version", "at", "order_id", "seq", "actor", "data")
    }
    assert second["detail"]["id"] == f"{order_id}#000002"
    assert "ada@example.com" not in str(first)


def test_arrived_stock_is_told(house: House) -> None:
    listen = heard(house)
    house.stocked("MUG", 5)

    publish_events.handler({"Records": records(house, "stock")}, None)

    (event,) = eventually(listen)
    assert (event["detail-type"], event["detail"]["sku"]) == ("StockReceived", "MUG")
    assert "order_id" not in event["detail"]


def test_a_location_that_closes_is_told(house: House) -> None:
    listen = heard(house)
    table = NetworkTable(house.cloud.client("dynamodb"), house.environment["STOCK_TABLE"])
    open_ = Location("AUSTIN", "Austin", LocationKind.WAREHOUSE, "US")
    table.put_location(open_)
    closed = replace(open_, active=False)
    table.change_location("AUSTIN", lambda _: closed, at=now(), actor="client:wms")

    publish_events.handler({"Records": records(house, "stock")}, None)

    (event,) = eventually(listen)
    assert (event["detail-type"], event["source"]) == ("LocationChanged", "oms.network")
    assert event["detail"]["location_id"] == "AUSTIN"
    assert event["detail"]["data"] == {"location_id": "AUSTIN", "change": "closed"}
    assert "order_id" not in event["detail"]


def test_a_large_event_travels_whole(house: House) -> None:
    world = world_of(house)
    skus = [f"SKU-{n}" for n in range(600)]
    world.place(an_order(*((sku, 1) for sku in skus)))
    bus = BusFake()
    found = records(house)
    assert "B" in found[0]["dynamodb"]["NewImage"]["body"]

    told = [record_of(each) for each in found]
    failed = publish(told, bus, moved_by(WorkflowFake()), world.orders)  # type: ignore[arg-type]

    assert failed is None
    assert [line["sku"] for line in bus.told[0]["data"]["lines"]] == skus


def test_telling_again_starts_nothing_again(house: House) -> None:
    world = world_of(house)
    order_id = world.place(an_order(("MUG", 2))).order_id
    client = house.cloud.client("stepfunctions")

    for _ in range(3):
        publish_events.handler({"Records": records(house)}, None)

    arn = house.environment["ORDER_WORKFLOW"]
    names = [each["name"] for each in client.list_executions(stateMachineArn=arn)["executions"]]
    assert names == [order_id]


def test_the_end_of_a_wait_wakes_who_waits_and_a_token_that_is_gone_is_ignored(
    house: House,
) -> None:
    world = world_of(house)
    order_id = world.place(an_order(("MUG", 2))).order_id
    (asked,) = world.orders.get(order_id).payment.operations
    pending = c.RecordPaymentResult(asked.operation_id, asked.attempt, OperationStatus.PENDING)
    world.do(order_id, pending)
    world.orders.keep_token(order_id, Wait.PAYMENT, "token-1")
    world.do(order_id, c.CancelOrder("requested"))
    waking = WorkflowFake()

    publish([record_of(each) for each in records(house)], BusFake(), moved_by(waking), world.orders)  # type: ignore[arg-type]

    assert waking.woken == [("token-1", "cancelled")]
    answer = publish_events.handler({"Records": records(house)}, None)
    assert answer == {"batchItemFailures": []}


def test_what_follows_an_order_that_could_not_be_started_is_kept_for_the_next_time(
    house: House,
) -> None:
    world = world_of(house)
    for _ in range(3):
        world.place(an_order(("MUG", 1)))
    batch = [record_of(each) for each in records(house)]
    bus, moving = BusFake(), WorkflowFake(fails_on=batch[1].order_id)

    failed = publish(batch, bus, moved_by(moving), world.orders)  # type: ignore[arg-type]

    assert failed == batch[1]
    assert moving.started == [batch[0].order_id]
    assert [each["order_id"] for each in bus.told] == [batch[0].order_id]


def test_what_the_bus_did_not_take_is_told_again_with_all_after_it(house: House) -> None:
    world = world_of(house)
    order_id = world.place(an_order(("MUG", 1))).order_id
    world.pay(order_id)
    world.do(order_id, c.PlaceHold("manual", "wait"))
    batch = [record_of(each) for each in records(house)]
    bus = BusFake(refuses={"PaymentAuthorized"})

    failed = publish(batch, bus, moved_by(WorkflowFake()), world.orders)  # type: ignore[arg-type]

    assert failed == batch[1]


def test_the_time_of_an_event_is_the_time_of_its_row(house: House) -> None:
    world = world_of(house)
    before = now()
    world.place(an_order(("MUG", 1)))

    (record,) = map(record_of, records(house))

    assert before.isoformat() <= record.envelope["at"] <= now().isoformat()


def test_a_return_that_is_approved_starts_its_own_workflow_once(house: House) -> None:
    world = world_of(house)
    found = approved(world)
    asked(world)  # nobody has approved it
    client = house.cloud.client("stepfunctions")

    for _ in range(3):
        assert publish_events.handler({"Records": records(house)}, None) == {
            "batchItemFailures": []
        }

    assert list(return_workflow().running()) == [found.return_id]
    arn = house.environment["RETURN_WORKFLOW"]
    (execution,) = client.list_executions(stateMachineArn=arn)["executions"]
    described = client.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {
        "order_id": f"ord_{found.return_id[4:-2]}",
        "return_id": found.return_id,
    }


def test_what_ends_the_wait_of_a_return_wakes_it(house: House) -> None:
    world = world_of(house)
    found = approved(world)
    world.orders.keep_return_token(found.return_id, ReturnWait.GOODS, "token-7")
    world.do(f"ord_{found.return_id[4:-2]}", receipt(found))
    waking = WorkflowFake()

    publish([record_of(each) for each in records(house)], BusFake(), moved_by(waking), world.orders)  # type: ignore[arg-type]

    assert ("token-7", "received") in waking.woken


def test_what_follows_a_return_that_could_not_be_started_is_kept_for_the_next_time(
    house: House,
) -> None:
    world = world_of(house)
    found = approved(world)
    batch = [record_of(each) for each in records(house)]
    bus, moving = BusFake(), WorkflowFake(fails_on=found.return_id)

    failed = publish(batch, bus, moved_by(WorkflowFake(), moving), world.orders)  # type: ignore[arg-type]

    assert failed is not None
    assert failed.envelope["type"] == "ReturnApproved"
    assert bus.told[-1]["type"] == "ReturnRequested"
