"""Whole lives of an order on the embedded cloud, with steps that do as they are told."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from infra.local.cloud import Cloud
from infra.workflow import SECONDS, definition
from tests.cloud import deploy_function

pytestmark = pytest.mark.cloud

# A step does what its script, a row of a table, says for the call; the last line stays.
# It comes without layers, hence without boto3.
STEP = """
import json, os, urllib.request

def call(service, target, **request):
    credential = f"Credential=test/20260101/us-east-1/{service}/aws4_request"
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none"}
    url, body = os.environ["AWS_ENDPOINT_URL"], json.dumps(request).encode()
    asked = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(asked, timeout=5) as answer:
        return json.loads(answer.read() or b"{}")

def handler(event, context):
    name = os.environ["STEP"] + (":" + event["wait"] if "wait" in event else "")
    order_id = {"S": event["order_id"]}
    row = call("dynamodb", "DynamoDB_20120810.UpdateItem", TableName="scripts",
        Key={"PK": order_id, "SK": {"S": name}}, UpdateExpression="ADD calls :one",
        ExpressionAttributeValues={":one": {"N": "1"}}, ReturnValues="ALL_NEW")["Attributes"]
    calls = int(row["calls"]["N"])
    asked = {"PK": order_id, "SK": {"S": f"{name}#{calls:03}"}, "event": {"S": json.dumps(event)}}
    call("dynamodb", "DynamoDB_20120810.PutItem", TableName="scripts", Item=asked)
    script = json.loads(row.get("script", {"S": "[null]"})["S"])
    line = script[min(calls, len(script)) - 1]
    print(name, calls, line)
    if line == "raise":
        raise ValueError("ada@example.com")
    if "token" in event and line:
        call("states", "AWSStepFunctions.SendTaskSuccess",
            taskToken=event["token"], output=json.dumps({"outcome": line}))
    outcome, _, seconds = (line or "").partition(" for ")
    said = {"outcome": outcome or None, "seconds": int(seconds or 600)}
    return {**said, "order_id": event["order_id"]}
"""
STEPS = (
    *("AuthorizePayment", "RouteOrder", "ReleaseStock", "RefundPayment", "AwaitOutcome"),
    *("LookAtReturn", "SettleReturn", "AwaitReturn"),
)
GOES_WELL = {
    "AuthorizePayment": ["authorized"],
    "RouteOrder": ["routed"],
    "ReleaseStock": ["released"],
    "RefundPayment": ["cancelled"],
    "AwaitOutcome:fulfillment": ["done"],
    "LookAtReturn": ["goods"],
    "SettleReturn": ["completed"],
    "AwaitReturn:goods": ["received"],
    "AwaitReturn:inspection": ["inspected"],
}


@dataclass(frozen=True)
class Life:
    status: str
    path: list[str]


@dataclass(frozen=True)
class Workflow:
    cloud: Cloud
    functions: dict[str, str]

    def run(
        self,
        script: dict[str, list[str | None]] | None = None,
        deadline: Callable[[str], int] = SECONDS.__getitem__,
    ) -> "Run":
        order_id = f"ord_{uuid4().hex}"
        for step, lines in {**GOES_WELL, **(script or {})}.items():
            item = {"PK": {"S": order_id}, "SK": {"S": step}, "script": {"S": json.dumps(lines)}}
            self.cloud.client("dynamodb").put_item(TableName="scripts", Item=item)
        machine = self.machine(order_id, deadline)
        given = {"order_id": order_id, "return_id": order_id.replace("ord_", "ret_") + "-1"}
        started = self.cloud.client("stepfunctions").start_execution(
            stateMachineArn=machine, name=order_id, input=json.dumps(given)
        )
        return Run(self.cloud, order_id, started["executionArn"])

    def machine(self, name: str, deadline: Callable[[str], int]) -> str:
        children = {
            "PrepareMachine": self.create(f"p-{name}", definition("prepare"), "EXPRESS"),
            "CancelMachine": self.create(f"c-{name}", definition("cancel"), "EXPRESS"),
        }
        return self.create(f"o-{name}", definition("order", deadline), "STANDARD", children)

    def create(
        self, name: str, text: str, kind: str, children: dict[str, str] | None = None
    ) -> str:
        for placeholder, arn in {**self.functions, **(children or {})}.items():
            text = text.replace("${" + placeholder + "}", arn)
        text = text.replace('"BackoffRate":2', '"BackoffRate":1')  # as often, but in a hurry
        created = self.cloud.client("stepfunctions").create_state_machine(
            name=name, definition=text, type=kind, roleArn="arn:aws:iam::000000000000:role/any"
        )
        return str(created["stateMachineArn"])


@dataclass(frozen=True)
class Run:
    cloud: Cloud
    order_id: str
    arn: str

    def life(self, patience: float = 20) -> Life:
        """The path to the end, or to the wait in which it stays."""
        deadline = time.monotonic() + patience
        while self.status == "RUNNING" and time.monotonic() < deadline:
            time.sleep(0.1)
        return Life(self.status, self.path)

    def waiting(self, state: str, patience: float = 20) -> Life:
        deadline = time.monotonic() + patience
        while (not self.path or self.path[-1] != state) and time.monotonic() < deadline:
            time.sleep(0.1)
        return Life(self.status, self.path)

    @property
    def status(self) -> str:
        machine = self.cloud.client("stepfunctions")
        return str(machine.describe_execution(executionArn=self.arn)["status"])

    @property
    def path(self) -> list[str]:
        machine = self.cloud.client("stepfunctions")
        history = machine.get_execution_history(executionArn=self.arn, maxResults=1000)["events"]
        entered = [event.get("stateEnteredEventDetails") for event in history]
        return [each["name"] for each in entered if each]

    def told(self, step: str, patience: float = 10) -> list[dict[str, Any]]:
        """What the step was asked, call by call; waits until it was asked at all."""
        deadline = time.monotonic() + patience
        while not (found := self.asked(step)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def asked(self, step: str) -> list[dict[str, Any]]:
        rows = self.cloud.client("dynamodb").query(
            TableName="scripts",
            KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
            ExpressionAttributeValues={":pk": {"S": self.order_id}, ":sk": {"S": f"{step}#"}},
        )["Items"]
        return [json.loads(row["event"]["S"]) for row in rows]


@pytest.fixture(scope="module")
def workflow(cloud: Cloud) -> Workflow:
    keys = [{"AttributeName": "PK", "KeyType": "HASH"}, {"AttributeName": "SK", "KeyType": "RANGE"}]
    with suppress(cloud.client("dynamodb").exceptions.ResourceInUseException):
        cloud.client("dynamodb").create_table(
            TableName="scripts",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=keys,
            AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in ("PK", "SK")],
        )
    return Workflow(cloud, {step: deployed(cloud, step) for step in STEPS})


def deployed(cloud: Cloud, step: str) -> str:
    name = deploy_function(cloud, STEP, Environment={"Variables": {"STEP": step}})
    return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"


def test_an_order_that_goes_well_enters_five_states(workflow: Workflow) -> None:
    assert workflow.run().life() == Life(
        "SUCCEEDED",
        ["Prepare order", "Prepared?", "Fulfil order", "Fulfilled?", "Order completed"],
    )


@pytest.mark.parametrize(
    ("step", "outcome", "wait"),
    [
        ("AuthorizePayment", "payment_pending", "Await payment"),
        ("AuthorizePayment", "transfer_pending", "Await transfer"),
        ("RouteOrder", "on_hold", "Await release"),
        ("RouteOrder", "backordered", "Await stock"),
    ],
)
def test_an_order_that_has_waited_is_prepared_again(
    workflow: Workflow, step: str, outcome: str, wait: str
) -> None:
    kind = wait.removeprefix("Await ")
    run = workflow.run({step: [outcome, GOES_WELL[step][0]], f"AwaitOutcome:{kind}": ["over"]})

    assert run.life().path == [
        "Prepare order",
        "Prepared?",
        wait,
        "Prepare order",
        "Prepared?",
        "Fulfil order",
        "Fulfilled?",
        "Order completed",
    ]


@pytest.mark.parametrize("outcome", ["declined", "expired", "cancelled"])
def test_an_order_that_cannot_go_on_gives_back_its_stock_and_then_its_money(
    workflow: Workflow, outcome: str
) -> None:
    run = workflow.run({"AuthorizePayment": [outcome]})

    assert run.life().path[2:] == ["Cancel order", "Cancelled?", "Order cancelled"]
    assert run.told("ReleaseStock") == [{"order_id": run.order_id, "reason": outcome}]
    assert run.told("RefundPayment") == [{"order_id": run.order_id}]


@pytest.mark.parametrize(
    ("step", "outcome", "wait", "reason"),
    [
        ("AuthorizePayment", "payment_pending", "Await payment", "expired"),
        ("AuthorizePayment", "transfer_pending", "Await transfer", "expired"),
        ("RouteOrder", "backordered", "Await stock", "out_of_stock"),
    ],
)
def test_a_buyer_or_a_supplier_who_never_comes_ends_in_a_cancellation(
    workflow: Workflow, step: str, outcome: str, wait: str, reason: str
) -> None:
    run = workflow.run({step: [outcome]}, deadline=lambda name: 2)

    assert run.life().path[2:] == [wait, "Cancel order", "Cancelled?", "Order cancelled"]
    assert run.told("ReleaseStock")[0]["reason"] == reason


@pytest.mark.parametrize(
    ("script", "wait", "reason"),
    [
        ({"RouteOrder": ["on_hold"]}, "Await release", "A hold was not released in time"),
        ({"AwaitOutcome:fulfillment": [None]}, "Fulfil order", "Not delivered in time"),
    ],
)
def test_a_wait_that_people_forgot_needs_attention(
    workflow: Workflow, script: dict[str, list[str | None]], wait: str, reason: str
) -> None:
    run = workflow.run(script, deadline=only_attention_lasts)

    assert run.waiting("Needs attention").path[2:] == [wait, "Needs attention"]
    assert run.told("AwaitOutcome:attention")[0]["reason"] == reason


def only_attention_lasts(name: str) -> int:
    return 600 if name == "AttentionDeadline" else 2


def test_a_remainder_is_routed_again(workflow: Workflow) -> None:
    run = workflow.run({"AwaitOutcome:fulfillment": ["remainder", "done"]})

    assert run.life().path.count("Prepare order") == 2
    assert run.life().path[-1] == "Order completed"


@pytest.mark.parametrize(
    ("decision", "path"),
    [
        ("retry", ["Prepare order", "Prepared?", "Fulfil order", "Fulfilled?", "Order completed"]),
        ("cancel", ["Cancel order", "Cancelled?", "Order cancelled"]),
        ("ignore", ["Attention closed"]),
    ],
)
def test_a_person_decides_what_nobody_foresaw(
    workflow: Workflow, decision: str, path: list[str]
) -> None:
    run = workflow.run({"RouteOrder": ["what?", "routed"], "AwaitOutcome:attention": [decision]})

    assert run.life().path[2:] == ["Needs attention", "Decided?", *path]
    assert run.told("AwaitOutcome:attention")[0]["reason"] == "what?"


def test_nobody_deciding_is_asked_again(workflow: Workflow) -> None:
    run = workflow.run(
        {"RouteOrder": ["what?"], "AwaitOutcome:attention": [None, "ignore"]},
        deadline=lambda name: 2,
    )

    assert run.life().path[2:] == [
        "Needs attention",
        "Needs attention",
        "Decided?",
        "Attention closed",
    ]
    assert [asked["reason"] for asked in run.told("AwaitOutcome:attention")] == ["what?", ""]


def test_what_the_order_says_itself_is_brought_to_a_person_without_another_reason(
    workflow: Workflow,
) -> None:
    script: dict[str, list[str | None]] = {
        "AwaitOutcome:fulfillment": ["attention"],
        "AwaitOutcome:attention": ["ignore"],
    }
    run = workflow.run(script)

    assert run.life().path[-3:] == ["Needs attention", "Decided?", "Attention closed"]
    assert run.told("AwaitOutcome:attention")[0]["reason"] == ""


@pytest.mark.parametrize(
    ("step", "outcomes", "wait"),
    [
        ("AuthorizePayment", ["payment_pending", "authorized"], "Await payment"),
        ("RouteOrder", ["backordered", "routed"], "Await stock"),
    ],
)
def test_what_came_just_before_the_deadline_lets_the_order_go_on(
    workflow: Workflow, step: str, outcomes: list[str | None], wait: str
) -> None:
    script: dict[str, list[str | None]] = {step: outcomes, "ReleaseStock": ["prepared"]}
    run = workflow.run(script, deadline=lambda name: 2)

    path = [wait, "Cancel order", "Cancelled?", "Prepare order", "Prepared?", "Fulfil order"]
    assert run.life().path[2:] == [*path, "Fulfilled?", "Order completed"]
    assert run.asked("RefundPayment") == []


def test_an_order_of_which_a_part_is_under_way_is_waited_for_and_not_called_cancelled(
    workflow: Workflow,
) -> None:
    script: dict[str, list[str | None]] = {
        "RouteOrder": ["backordered", "routed"],
        "RefundPayment": ["remainder"],
    }
    run = workflow.run(script, deadline=lambda name: 2)

    path = ["Await stock", "Cancel order", "Cancelled?", "Prepare order", "Prepared?"]
    assert run.life().path[2:] == [*path, "Fulfil order", "Fulfilled?", "Order completed"]


@pytest.mark.parametrize("failures", [1, 3])
def test_what_fails_for_a_while_is_tried_again_later_without_a_person(
    workflow: Workflow, failures: int
) -> None:
    run = workflow.run({"RouteOrder": [*["failed"] * failures, "routed"]}, deadline=soon)

    again = ["Prepare order", "Prepared?"]
    assert run.life().path == [
        *[*again, "Prepare again later"] * failures,
        *[*again, "Fulfil order", "Fulfilled?", "Order completed"],
    ]


def test_what_fails_four_times_is_a_persons_business_and_begins_anew_with_his_answer(
    workflow: Workflow,
) -> None:
    script: dict[str, list[str | None]] = {
        "RouteOrder": [*["failed"] * 5, "routed"],
        "AwaitOutcome:attention": ["retry"],
    }
    path = workflow.run(script, deadline=soon).life().path

    assert path.count("Prepare again later") == 4
    assert path.count("Needs attention") == 1
    assert path[-1] == "Order completed"


def test_a_cancellation_that_fails_for_a_while_is_tried_again_for_the_same_reason(
    workflow: Workflow,
) -> None:
    script: dict[str, list[str | None]] = {
        "AuthorizePayment": ["declined"],
        "RefundPayment": ["failed", "cancelled"],
    }
    run = workflow.run(script, deadline=soon)

    again = ["Cancel order", "Cancelled?"]
    assert run.life().path[2:] == [*again, "Cancel again later", *again, "Order cancelled"]
    assert [asked["reason"] for asked in run.told("ReleaseStock")] == ["declined", "declined"]


def soon(name: str) -> int:
    return 1 if name == "RetryPause" else SECONDS[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ({"AuthorizePayment": ["raise"]}, "Authorize payment: ValueError"),
        ({"RouteOrder": ["raise"]}, "Route order: ValueError"),
        (
            {"AuthorizePayment": ["declined"], "ReleaseStock": ["raise"]},
            "Release stock: ValueError",
        ),
        (
            {"AuthorizePayment": ["declined"], "RefundPayment": ["raise"]},
            "Return money: ValueError",
        ),
    ],
)
def test_a_step_that_keeps_failing_needs_attention_and_tells_no_more_than_its_error(
    workflow: Workflow, script: dict[str, list[str | None]], reason: str
) -> None:
    run = workflow.run(script, deadline=soon)

    assert run.waiting("Needs attention", patience=90).status == "RUNNING"
    assert run.told("AwaitOutcome:attention")[0]["reason"] == reason


@pytest.mark.slow
def test_a_step_that_fails_now_and_then_is_tried_again(workflow: Workflow) -> None:
    run = workflow.run({"RouteOrder": ["raise", "raise", "routed"]})

    assert run.life().path[-1] == "Order completed"


@pytest.mark.slow
def test_an_order_whose_wait_cannot_be_recorded_fails_where_the_reconciler_finds_it(
    workflow: Workflow,
) -> None:
    run = workflow.run({"RouteOrder": ["what?"], "AwaitOutcome:attention": ["raise"]})

    assert run.life(patience=90) == Life(
        "FAILED", ["Prepare order", "Prepared?", "Needs attention", "Order stuck"]
    )
