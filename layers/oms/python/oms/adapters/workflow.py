"""The workflows of orders and of returns: one Standard execution at a time for each, under its id.

Every step begins from the order's state, so starting one again is always safe.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from oms.adapters import aws
from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB
from oms.domain.ids import order_of_return
from oms.settings import setting

RUNNING = "RUNNING"
# A wait that has ended: by its own deadline, by another answer, or with its execution.
GONE = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})


class Workflow:
    def __init__(self, client: Any, machine_arn: str) -> None:
        self._client = client
        self._machine_arn = machine_arn

    def start(self, order_id: str, attempt: int = 0) -> bool:
        """True when the execution runs; False when it has run and ended."""
        try:
            self._client.start_execution(
                stateMachineArn=self._machine_arn,
                name=name_of(order_id, attempt),
                input=json.dumps(self.given(order_id)),
            )
        except ClientError as error:
            if _code(error) != "ExecutionAlreadyExists":
                raise
            return False
        return True

    def wake(self, token: str, outcome: str) -> bool:
        return _wake(self._client, token, outcome)

    def status(self, order_id: str, attempt: int = 0) -> str | None:
        """As Step Functions calls it; None when there is no such execution."""
        arn = _execution_arn(self._machine_arn, name_of(order_id, attempt))
        try:
            answer = self._client.describe_execution(executionArn=arn)
        except ClientError as error:
            if _code(error) != "ExecutionDoesNotExist":
                raise
            return None
        return str(answer["status"])

    def is_running(self, order_id: str, attempt: int = 0) -> bool:
        return self.status(order_id, attempt) == RUNNING

    def running(self) -> Iterator[str]:
        """Ids of the orders whose execution runs, a thousand per request; a moment late."""
        pages = self._client.get_paginator("list_executions").paginate(
            stateMachineArn=self._machine_arn, statusFilter=RUNNING
        )
        for page in pages:
            yield from (self.whose(each["name"]) for each in page["executions"])

    def running_page(self, start: str | None = None) -> tuple[list[str], str | None]:
        """Names of a thousand that run, and where the next begin; a start serves for a day."""
        more = {"nextToken": start} if start else {}
        answer = self._client.list_executions(
            stateMachineArn=self._machine_arn, statusFilter=RUNNING, maxResults=1000, **more
        )
        return [each["name"] for each in answer["executions"]], answer.get("nextToken")

    def runs(self, name: str) -> bool:
        """Whether the execution of this name does: `is_running` for who knows no attempt."""
        return self.status(name) == RUNNING

    def stop(self, name: str, cause: str) -> bool:
        """True when it ran; one that has ended stays as it is."""
        if not self.runs(name):
            return False
        arn = _execution_arn(self._machine_arn, name)
        self._client.stop_execution(executionArn=arn, error="Stopped", cause=cause)
        return True

    def given(self, order_id: str) -> dict[str, str]:
        """The input of its execution."""
        return {"order_id": order_id}

    def whose(self, name: str) -> str:
        return order_id_of(name)

    def attempts_key(self, order_id: str) -> db.Item:
        return db.key(f"ORDER#{order_id}", "EXECUTION")


class ReturnWorkflow(Workflow):
    """Likewise, by the ids of returns."""

    def given(self, return_id: str) -> dict[str, str]:
        return {"order_id": order_of_return(return_id), "return_id": return_id}

    def whose(self, name: str) -> str:
        return "-".join(name.split("-")[:2])

    def attempts_key(self, return_id: str) -> db.Item:
        return db.key(f"ORDER#{order_of_return(return_id)}", f"EXECUTION#{return_id}")


class Executions:
    """Which attempt of an order's workflow, or of a return's, is the newest, kept beside the order.

    ORDER#<id> / EXECUTION[#<return id>]     attempt; no row while the first is the only one
    """

    def __init__(self, workflow: Workflow, client: DynamoDB, table: str) -> None:
        self._workflow = workflow
        self._client = client
        self._table = table

    def running(self) -> frozenset[str]:
        return frozenset(self._workflow.running())

    def wake(self, token: str, outcome: str) -> bool:
        return self._workflow.wake(token, outcome)

    @property
    def workflow(self) -> Workflow:
        return self._workflow

    def name(self, order_id: str) -> str:
        """Of its newest execution, whether it runs or not."""
        return name_of(order_id, self.attempt(order_id))

    def resume(self, order_id: str) -> bool:
        """Start the order's workflow unless it runs; of two who try, one does."""
        attempt = self.attempt(order_id)
        status = self._workflow.status(order_id, attempt)
        if status is None:  # never started, or counted by one who stopped before the start
            return self._workflow.start(order_id, attempt)
        if status == RUNNING or not self._count(order_id, attempt):
            return False
        return self._workflow.start(order_id, attempt + 1)

    def attempt(self, order_id: str) -> int:
        answer = self._client.get_item(
            TableName=self._table, Key=self._workflow.attempts_key(order_id), ConsistentRead=True
        )
        return db.number(answer["Item"], "attempt") if "Item" in answer else 0

    def _count(self, order_id: str, attempt: int) -> bool:
        """Move on to the next attempt; False when somebody else has."""
        first = "attribute_not_exists(attempt) OR " if attempt == 0 else ""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=self._workflow.attempts_key(order_id),
                UpdateExpression="SET attempt = :next",
                ConditionExpression=f"{first}attempt = :read",
                ExpressionAttributeValues={":read": db.n(attempt), ":next": db.n(attempt + 1)},
            )
        except ClientError as error:
            if _code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def name_of(order_id: str, attempt: int) -> str:
    return f"{order_id}-{attempt}" if attempt else order_id


def order_id_of(name: str) -> str:
    return name.partition("-")[0]


def wake(token: str, outcome: str) -> bool:
    """Answer a wait whose token is at hand; False when nobody waits any more."""
    return _wake(client(), token, outcome)


@cache
def workflow() -> Workflow:
    return Workflow(client(), setting("ORDER_WORKFLOW"))


@cache
def executions() -> Executions:
    return Executions(workflow(), db.client(), setting("ORDERS_TABLE"))


@cache
def return_workflow() -> ReturnWorkflow:
    return ReturnWorkflow(client(), setting("RETURN_WORKFLOW"))


@cache
def return_executions() -> Executions:
    return Executions(return_workflow(), db.client(), setting("ORDERS_TABLE"))


@cache
def client() -> Any:
    return aws.client("stepfunctions")


def _wake(client: Any, token: str, outcome: str) -> bool:
    try:
        client.send_task_success(taskToken=token, output=json.dumps({"outcome": outcome}))
    except ClientError as error:
        if _code(error) not in GONE:
            raise
        return False
    return True


def _execution_arn(machine_arn: str, name: str) -> str:
    return f"{machine_arn.replace(':stateMachine:', ':execution:', 1)}:{name}"


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
