"""Step Functions on the embedded cloud ends, starts and waits as on AWS."""

import json
import time
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.cloud import Cloud
from tests.cloud import deploy_function, eventually

pytestmark = pytest.mark.cloud

NAMES = (f"machine-{n}" for n in count())


def machine(cloud: Cloud, *, timeout: int | None = None, **states: Any) -> str:
    definition: dict[str, Any] = {
        "QueryLanguage": "JSONata",
        "StartAt": next(iter(states)),
        "States": states,
    }
    if timeout:
        definition["TimeoutSeconds"] = timeout
    answer = cloud.client("stepfunctions").create_state_machine(
        name=next(NAMES),
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/any",
    )
    return str(answer["stateMachineArn"])


def run(cloud: Cloud, arn: str, **start: Any) -> dict[str, Any]:
    states = cloud.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=arn, **start)["executionArn"]
    return eventually(lambda: ended(cloud, execution))


def ended(cloud: Cloud, execution: str) -> dict[str, Any] | None:
    answer = cloud.client("stepfunctions").describe_execution(executionArn=execution)
    return None if answer["status"] == "RUNNING" else dict(answer)


WAIT = {"Type": "Wait", "Seconds": 5, "End": True}


def callback(function: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Arguments": {
            "FunctionName": function,
            "Payload": {"token": "{% $states.context.Task.Token %}"},
        },
        "End": True,
        **more,
    }


def test_starting_again_with_the_same_input_answers_the_running_execution(cloud: Cloud) -> None:
    arn = machine(cloud, Wait=WAIT)
    states = cloud.client("stepfunctions")

    first = states.start_execution(stateMachineArn=arn, name="ord_1", input="{}")
    second = states.start_execution(stateMachineArn=arn, name="ord_1", input="{}")

    assert second["executionArn"] == first["executionArn"]


def test_starting_again_with_another_input_is_refused(cloud: Cloud) -> None:
    arn = machine(cloud, Wait=WAIT)
    states = cloud.client("stepfunctions")
    states.start_execution(stateMachineArn=arn, name="ord_1", input="{}")

    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(stateMachineArn=arn, name="ord_1", input='{"other": 1}')


def test_the_name_of_a_closed_execution_is_taken(cloud: Cloud) -> None:
    arn = machine(cloud, Done={"Type": "Succeed"})
    states = cloud.client("stepfunctions")
    run(cloud, arn, name="ord_1", input="{}")

    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(stateMachineArn=arn, name="ord_1", input="{}")


def test_a_machine_past_its_deadline_is_timed_out(cloud: Cloud) -> None:
    assert run(cloud, machine(cloud, timeout=1, Wait=WAIT))["status"] == "TIMED_OUT"


def test_an_execution_starts_at_once(cloud: Cloud) -> None:
    arn = machine(cloud, Done={"Type": "Succeed"})
    started = time.monotonic()
    cloud.client("stepfunctions").start_sync_execution(stateMachineArn=arn)

    assert time.monotonic() - started < 0.12


def test_a_task_without_a_heartbeat_fails_before_its_deadline(cloud: Cloud) -> None:
    function = deploy_function(cloud, "def handler(event, context): return {}")
    arn = machine(cloud, Await=callback(function, HeartbeatSeconds=1, TimeoutSeconds=30))

    result = run(cloud, arn)

    assert (result["status"], result["error"]) == ("FAILED", "States.HeartbeatTimeout")


def test_a_callback_task_past_its_deadline_is_caught_as_a_timeout(cloud: Cloud) -> None:
    function = deploy_function(cloud, "def handler(event, context): return {}")
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Late", "Output": "late"}]
    late = {"Type": "Succeed"}
    arn = machine(cloud, Await=callback(function, TimeoutSeconds=1, Catch=catch), Late=late)

    result = run(cloud, arn)

    assert (result["status"], json.loads(result["output"])) == ("SUCCEEDED", "late")


def test_a_callback_task_fails_with_the_function_that_should_keep_its_token(
    cloud: Cloud,
) -> None:
    function = deploy_function(cloud, "def handler(event, context): raise KeyError('order')")
    arn = machine(cloud, Await=callback(function, TimeoutSeconds=30))

    result = run(cloud, arn)

    assert (result["status"], result["error"]) == ("FAILED", "KeyError")


def test_an_exception_is_caught_by_its_own_name(cloud: Cloud) -> None:
    function = deploy_function(
        cloud,
        "class StockGone(Exception): pass\ndef handler(event, context): raise StockGone('mug')",
    )
    catch = [{"ErrorEquals": ["StockGone"], "Next": "Backorder"}]
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Catch": catch}
    arguments = {"FunctionName": function, "Payload": {}}
    arn = machine(
        cloud, Take={**task, "Arguments": arguments, "End": True}, Backorder={"Type": "Succeed"}
    )

    assert run(cloud, arn)["status"] == "SUCCEEDED"


def test_a_token_that_is_gone_has_timed_out(cloud: Cloud) -> None:
    states = cloud.client("stepfunctions")

    with pytest.raises(ClientError) as refusal:
        states.send_task_success(taskToken="6f3e1c52-0b5d-4c7e-9d5e-aaaaaaaaaaaa", output="{}")

    assert refusal.value.response["Error"]["Code"] == "TaskTimedOut"


def test_the_deadline_of_a_task_can_be_computed(cloud: Cloud) -> None:
    function = deploy_function(cloud, "def handler(event, context): pass")
    task = callback(function, TimeoutSeconds="{% $states.input.seconds %}")

    late = run(cloud, machine(cloud, Ask=task), input=json.dumps({"seconds": 1}))
    wrong = run(cloud, machine(cloud, Ask=task), input=json.dumps({"seconds": "soon"}))

    assert (late["status"], late["error"]) == ("FAILED", "States.Timeout")
    assert wrong["error"] == "States.QueryEvaluationError"
