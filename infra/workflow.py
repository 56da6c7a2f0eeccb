"""The workflows of orders and of returns: state machines as JSON files, and what they may call."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.local.install import ROOT
from infra.python_function import KEEP_LOGS, PythonFunction

DEFINITIONS = ROOT / "statemachines"
MINUTES, DAYS = 60, 24 * 60 * 60
DEADLINES = {
    "PaymentDeadline": 30 * MINUTES,
    "TransferDeadline": 14 * DAYS,
    "StockDeadline": 14 * DAYS,
    "ReleaseDeadline": 7 * DAYS,
    "FulfillmentDeadline": 10 * DAYS,
    "AttentionDeadline": 30 * DAYS,
}
DEADLINES_OF_RETURNS = {"ParcelDeadline": 30 * DAYS, "InspectionDeadline": 14 * DAYS}
SECONDS = {  # three pauses, then a person is asked
    **DEADLINES,
    **DEADLINES_OF_RETURNS,
    "RetryPause": 5 * MINUTES,
}
SECONDS_ON_THIS_MACHINE = {"RetryPause": 5}
RUN_BY = "OmsService"  # the stack of the workflows
WAITING = {"ORDER_WORKFLOW": "Order", "RETURN_WORKFLOW": "Return"}  # as functions are told of them
EXPRESS_LIMIT = Duration.minutes(5)


class Workflow(Construct):
    def __init__(self, scope: Construct, steps: Sequence[PythonFunction]) -> None:
        super().__init__(scope, "Workflow")
        self.steps = {step.node.id: step for step in steps}
        self.is_local = any(step.target.is_local for step in steps)
        self.prepare = self.express("Prepare", "prepare", ["AuthorizePayment", "RouteOrder"])
        self.cancel = self.express("Cancel", "cancel", ["ReleaseStock", "RefundPayment"])
        self.settle = self.express("Settle", "settle", ["ReleaseStock", "SettleReturn"])
        self.order = self.standard(
            "Order", "order", ["AwaitOutcome"], Prepare=self.prepare, Cancel=self.cancel
        )
        self.returns = self.standard(
            "Return", "return", ["AwaitReturn", "LookAtReturn"], Settle=self.settle
        )
        self.acknowledge()

    def acknowledge(self) -> None:
        reasons = {
            "IAM5[Resource::*]": "The delivery of logs can only be permitted for all resources",
            "SF1": "A waiting workflow's history is its log; of steps, errors are",
            "SF2": "Traces cost more than the steps; executions show the same path",
        }
        for rule, reason in reasons.items():
            acknowledge(self, rule, reason)

    def express(self, name: str, file: str, steps: Sequence[str]) -> sfn.StateMachine:
        """What happens between two waits: errors are logged, and never what an order contains."""
        log = logs.LogGroup(
            self,
            f"{name}Log",
            log_group_name=f"/aws/vendedlogs/states/{machine_name(name)}",
            retention=KEEP_LOGS,
            removal_policy=RemovalPolicy.DESTROY,
        )
        machine = sfn.StateMachine(
            self,
            name,
            state_machine_name=machine_name(name),
            state_machine_type=sfn.StateMachineType.EXPRESS,
            definition_body=sfn.DefinitionBody.from_string(definition(file)),
            definition_substitutions=self.arns(steps),
            timeout=EXPRESS_LIMIT,
            logs=sfn.LogOptions(
                destination=log, level=sfn.LogLevel.ERROR, include_execution_data=False
            ),
        )
        self.let_call(machine, steps)
        return machine

    def standard(
        self, name: str, file: str, steps: Sequence[str], **calls: sfn.StateMachine
    ) -> sfn.StateMachine:
        """It waits, for days if need be; its own history is its log."""
        children = {f"{child}Machine": it.state_machine_arn for child, it in calls.items()}
        machine = sfn.StateMachine(
            self,
            name,
            state_machine_name=machine_name(name),
            definition_body=sfn.DefinitionBody.from_string(definition(file, self.seconds)),
            definition_substitutions={**self.arns(steps), **children},
        )
        self.let_call(machine, steps)
        permit(machine, "states:StartSyncExecution", list(children.values()))
        return machine

    def arns(self, steps: Sequence[str]) -> dict[str, str]:
        return {name: self.steps[name].function_arn for name in steps}

    def let_call(self, machine: sfn.StateMachine, steps: Sequence[str]) -> None:
        permit(machine, "lambda:InvokeFunction", list(self.arns(steps).values()))

    def seconds(self, name: str) -> int:
        here = SECONDS_ON_THIS_MACHINE if self.is_local else {}
        return int(self.node.try_get_context(name) or here.get(name) or SECONDS[name])


def definition(file: str, seconds: Callable[[str], int] = SECONDS.__getitem__) -> str:
    """The file with its deadlines and pauses in seconds: a substitution could only be text."""
    text = (DEFINITIONS / f"{file}.asl.json").read_text()
    for name in SECONDS:
        text = text.replace(f'"${{{name}}}"', str(seconds(name)))
    return compact(json.loads(text))


def compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def permit(machine: sfn.StateMachine, action: str, resources: list[str]) -> None:
    machine.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=resources))


def machine_name(name: str) -> str:
    """The same for functions of every stack."""
    return f"{RUN_BY}-{name}"


def machine_arn(name: str) -> str:
    """Known before the machine is there: functions that it calls may call it back."""
    return arn_of("stateMachine", machine_name(name))


def workflow_arns() -> dict[str, str]:
    return {setting: machine_arn(name) for setting, name in WAITING.items()}


def execution_arns(name: str) -> str:
    return arn_of("execution", f"{machine_name(name)}:*")


def arn_of(kind: str, name: str) -> str:
    return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}:{name}"
