"""Executions of the order's workflow, on the embedded cloud's Step Functions."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from oms.adapters import dynamodb as db
from oms.adapters.workflow import Executions, ReturnWorkflow, Workflow, name_of, order_id_of
from tests.cloud import eventually
from tests.functions.world import Crash, Mortal
from tests.tables import create_table

pytestmark = pytest.mark.cloud

ROLE = "arn:aws:iam::000000000000:role/any"
SUCCEEDS = {"Type": "Succeed"}
FAILS = {"Type": "Fail"}
WAITS = {"Type": "Wait", "Seconds": 600, "Next": "End"}


@pytest.fixture
def stepfunctions(cloud: Any) -> Any:
    return cloud.client("stepfunctions")


@pytest.fixture
def table(dynamodb: Any) -> str:
    return create_table(dynamodb, "orders", f"orders-{uuid4().hex[:12]}")


def machine(client: Any, first: dict[str, Any]) -> str:
    states = {"First": first, "End": {"Type": "Succeed"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "First", "States": states}
    answer = client.create_state_machine(
        name=f"m-{uuid4().hex[:12]}", definition=json.dumps(definition), roleArn=ROLE
    )
    return str(answer["stateMachineArn"])


def become(client: Any, arn: str, first: dict[str, Any]) -> None:
    states = {"First": first, "End": {"Type": "Succeed"}}
    definition = {"QueryLanguage": "JSONata", "StartAt": "First", "States": states}
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(definition))


def ended(workflow: Workflow, order_id: str, attempt: int = 0) -> str:
    def status() -> str | None:
        found = workflow.status(order_id, attempt)
        return None if found == "RUNNING" else found

    return eventually(status)


def test_an_order_runs_under_its_own_id_with_its_id_for_input(stepfunctions: Any) -> None:
    arn = machine(stepfunctions, WAITS)

    assert Workflow(stepfunctions, arn).start("ord_a")

    (execution,) = stepfunctions.list_executions(stateMachineArn=arn)["executions"]
    described = stepfunctions.describe_execution(executionArn=execution["executionArn"])
    assert execution["name"] == "ord_a"
    assert json.loads(described["input"]) == {"order_id": "ord_a"}


def test_starting_again_changes_nothing(stepfunctions: Any) -> None:
    workflow = Workflow(stepfunctions, machine(stepfunctions, WAITS))

    assert [workflow.start("ord_a"), workflow.start("ord_a")] == [True, True]
    assert list(workflow.running()) == ["ord_a"]


def test_an_execution_that_ended_is_not_started_again(stepfunctions: Any) -> None:
    workflow = Workflow(stepfunctions, machine(stepfunctions, SUCCEEDS))
    workflow.start("ord_a")

    assert ended(workflow, "ord_a") == "SUCCEEDED"
    assert not workflow.start("ord_a")
    assert workflow.start("ord_a", attempt=1)


def test_what_runs_is_told_by_name_and_by_list(stepfunctions: Any) -> None:
    workflow = Workflow(stepfunctions, machine(stepfunctions, WAITS))
    workflow.start("ord_a")
    workflow.start("ord_b", attempt=3)

    assert workflow.is_running("ord_a")
    assert not workflow.is_running("ord_b")
    assert workflow.is_running("ord_b", attempt=3)
    assert workflow.status("ord_c") is None
    assert sorted(workflow.running()) == ["ord_a", "ord_b"]


def test_a_token_that_nobody_waits_for_is_ignored(stepfunctions: Any) -> None:
    workflow = Workflow(stepfunctions, machine(stepfunctions, WAITS))

    assert not workflow.wake("gone", "authorized")


def test_a_wait_is_answered_once(stepfunctions: Any, cloud: Any) -> None:
    sqs = cloud.client("sqs")
    queue = sqs.create_queue(QueueName=f"q-{uuid4().hex[:12]}")["QueueUrl"]
    token = "{% $states.context.Task.Token %}"
    waits = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Arguments": {"QueueUrl": queue, "MessageBody": token},
        "Output": "{% $states.result %}",
        "End": True,
    }
    arn = machine(stepfunctions, waits)
    workflow = Workflow(stepfunctions, arn)
    workflow.start("ord_a")
    messages = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))

    assert workflow.wake(messages[0]["Body"], "done")
    assert ended(workflow, "ord_a") == "SUCCEEDED"
    assert not workflow.wake(messages[0]["Body"], "cancelled")
    execution = arn.replace("stateMachine", "execution") + ":ord_a"
    output = stepfunctions.describe_execution(executionArn=execution)["output"]
    assert json.loads(output) == {"outcome": "done"}


def test_an_order_that_never_started_is_started_as_the_first(
    stepfunctions: Any, dynamodb: Any, table: str
) -> None:
    workflow = Workflow(stepfunctions, machine(stepfunctions, WAITS))
    executions = Executions(workflow, dynamodb, table)

    assert executions.resume("ord_a")
    assert not executions.resume("ord_a")
    assert executions.attempt("ord_a") == 0
    assert workflow.is_running("ord_a")


def test_an_execution_that_failed_is_followed_by_the_next(
    stepfunctions: Any, dynamodb: Any, table: str
) -> None:
    arn = machine(stepfunctions, FAILS)
    workflow = Workflow(stepfunctions, arn)
    executions = Executions(workflow, dynamodb, table)
    for attempt in range(3):
        assert executions.resume("ord_a")
        assert ended(workflow, "ord_a", attempt) == "FAILED"
    become(stepfunctions, arn, WAITS)

    assert executions.resume("ord_a")
    assert not executions.resume("ord_a")
    assert executions.attempt("ord_a") == 3
    assert workflow.is_running("ord_a", 3)


def test_of_many_who_resume_an_order_one_does(
    stepfunctions: Any, dynamodb: Any, table: str
) -> None:
    arn = machine(stepfunctions, FAILS)
    workflow = Workflow(stepfunctions, arn)
    executions = Executions(workflow, dynamodb, table)
    executions.resume("ord_a")
    ended(workflow, "ord_a")
    become(stepfunctions, arn, WAITS)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: executions.resume("ord_a"), range(8)))

    assert executions.attempt("ord_a") == 1
    assert list(workflow.running()) == ["ord_a"]


def test_a_worker_that_dies_after_counting_leaves_the_start_to_the_next(
    stepfunctions: Any, dynamodb: Any, table: str
) -> None:
    arn = machine(stepfunctions, FAILS)
    workflow = Workflow(stepfunctions, arn)
    workflow.start("ord_a")
    ended(workflow, "ord_a")
    become(stepfunctions, arn, WAITS)
    with pytest.raises(Crash):  # it has read the attempt, and counted the next one
        Executions(workflow, Mortal(dynamodb, 2, after=True), table).resume("ord_a")

    assert Executions(workflow, dynamodb, table).resume("ord_a")
    assert list(workflow.running()) == ["ord_a"]
    assert Executions(workflow, dynamodb, table).attempt("ord_a") == 1


def test_names_lead_back_to_orders() -> None:
    assert [order_id_of(name_of("ord_a", attempt)) for attempt in (0, 1, 12)] == ["ord_a"] * 3


def test_the_attempt_is_kept_beside_the_order(dynamodb: Any, table: str) -> None:
    class Ended(Workflow):
        def __init__(self) -> None:
            self.started: list[int] = []

        def status(self, order_id: str, attempt: int = 0) -> str | None:
            return "FAILED"

        def start(self, order_id: str, attempt: int = 0) -> bool:
            self.started.append(attempt)
            return True

    workflow = Ended()
    executions = Executions(workflow, dynamodb, table)
    executions.resume("ord_a")
    executions.resume("ord_a")

    row = dynamodb.get_item(TableName=table, Key=db.key("ORDER#ord_a", "EXECUTION"))["Item"]
    assert workflow.started == [1, 2]
    assert db.number(row, "attempt") == 2


def test_a_return_runs_under_its_own_id_and_knows_its_order(stepfunctions: Any) -> None:
    arn = machine(stepfunctions, WAITS)
    workflow = ReturnWorkflow(stepfunctions, arn)

    assert workflow.start("ret_a-1")
    assert workflow.start("ret_a-12", attempt=3)

    assert sorted(workflow.running()) == ["ret_a-1", "ret_a-12"]
    running = stepfunctions.list_executions(stateMachineArn=arn)["executions"]
    assert sorted(each["name"] for each in running) == ["ret_a-1", "ret_a-12-3"]
    described = stepfunctions.describe_execution(executionArn=running[0]["executionArn"])
    assert json.loads(described["input"])["order_id"] == "ord_a"


def test_the_attempts_of_an_order_and_of_its_returns_are_counted_apart(
    stepfunctions: Any, dynamodb: Any, table: str
) -> None:
    arn = machine(stepfunctions, SUCCEEDS)
    orders = Executions(Workflow(stepfunctions, arn), dynamodb, table)
    workflow = ReturnWorkflow(stepfunctions, arn)
    returns = Executions(workflow, dynamodb, table)
    for number in (1, 2):
        workflow.start(f"ret_a-{number}")
        assert ended(workflow, f"ret_a-{number}") == "SUCCEEDED"

    assert returns.resume("ret_a-2")

    assert (returns.attempt("ret_a-1"), returns.attempt("ret_a-2")) == (0, 1)
    assert orders.attempt("ord_a") == 0
