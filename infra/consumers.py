"""How functions are fed without anybody waiting for them; each has a queue for what it fails on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.data import Data, Store
from infra.python_function import PythonFunction

OUR_EVENTS = "oms."
KEEP_FAILURES = Duration.days(14)
TRY_FOR = Duration.hours(6)


class DeadLetters(sqs.Queue):
    """What a function could not do, kept until somebody has looked; an alarm watches it."""

    def __init__(self, function: PythonFunction) -> None:
        super().__init__(
            function,
            "DeadLetters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not function.target.is_local,
            retention_period=KEEP_FAILURES,
        )
        self.function = function
        acknowledge(self, "SQS3", "It is itself where failures end up")

    def take_failed_invocations(self, function: PythonFunction | None = None) -> None:
        """Of the function that it is named for, or of another one of its room."""
        (function or self.function).configure_async_invoke(
            on_failure=destinations.SqsDestination(self),
            max_event_age=TRY_FOR,
            retry_attempts=2,
        )


class Subscription(events.Rule):
    """A function that reacts to events of the bus."""

    def __init__(
        self,
        function: PythonFunction,
        data: Data,
        detail_types: Sequence[str] = (),
        detail: Mapping[str, Any] | None = None,
        shared: DeadLetters | None = None,
    ) -> None:
        """To events of these types, or of any type with these details. `shared`: the queue of its
        room, instead of one of its own."""
        super().__init__(
            function,
            "Subscription",
            event_bus=data.bus,
            event_pattern=pattern(detail_types, detail),
            description=f"{' '.join([*detail_types, *(detail or ())])} → {function.node.id}",
        )
        self.dead_letters = shared or DeadLetters(function)
        self.dead_letters.take_failed_invocations(function)
        self.add_target(
            targets.LambdaFunction(
                function,
                dead_letter_queue=self.dead_letters,
                max_event_age=TRY_FOR,
                retry_attempts=20,
            )
        )


class Schedule(events.Rule):
    """A function that runs every so often."""

    def __init__(
        self, function: PythonFunction, every: Duration, shared: DeadLetters | None = None
    ) -> None:
        super().__init__(function, "Schedule", schedule=events.Schedule.rate(every))
        self.dead_letters = shared or DeadLetters(function)
        self.dead_letters.take_failed_invocations(function)
        self.add_target(
            targets.LambdaFunction(
                function, dead_letter_queue=self.dead_letters, max_event_age=every, retry_attempts=2
            )
        )


class StreamReader(Construct):
    """A function that reads the rows of tables that fit one of the patterns, as they change.

    `gather`: for so long changes are collected, to be read together; `enabled`: at all."""

    def __init__(
        self,
        function: PythonFunction,
        stores: Sequence[Store],
        patterns: Sequence[str],
        *,
        gather: Duration | None = None,
        enabled: bool = True,
    ) -> None:
        super().__init__(function, "Streams")
        self.gather, self.enabled = gather, enabled
        self.dead_letters = DeadLetters(function)
        self.dead_letters.grant_send_messages(function)
        for store in stores:
            store.permit_stream(function)
            mapping = self.mapping(function, store, patterns)
            mapping.node.add_dependency(function.role)

    def mapping(
        self, function: PythonFunction, store: Store, patterns: Sequence[str]
    ) -> lambda_.CfnEventSourceMapping:
        source = lambda_.CfnEventSourceMapping
        return source(
            self,
            store.node.id,
            function_name=function.function_name,
            event_source_arn=store.table_stream_arn,
            starting_position="TRIM_HORIZON",
            batch_size=100,
            enabled=None if self.enabled else False,
            maximum_batching_window_in_seconds=self.gather.to_seconds() if self.gather else None,
            parallelization_factor=10,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_retry_attempts=10,
            maximum_record_age_in_seconds=TRY_FOR.to_seconds(),
            filter_criteria=source.FilterCriteriaProperty(
                filters=[source.FilterProperty(pattern=each) for each in patterns]
            ),
            destination_config=source.DestinationConfigProperty(
                on_failure=source.OnFailureProperty(destination=self.dead_letters.queue_arn)
            ),
        )


class Inbox(Construct):
    """A queue between the bus and a function that works through many events at once."""

    def __init__(
        self,
        function: PythonFunction,
        data: Data,
        detail_types: Sequence[str],
        detail: Mapping[str, Any] | None = None,
        shared: DeadLetters | None = None,
    ) -> None:
        """Of events of these types; with `detail`, of those that have these details."""
        super().__init__(function, "Inbox")
        self.dead_letters = shared or DeadLetters(function)
        self.queue = self.queue_before(function)
        rule = events.Rule(
            self,
            "Rule",
            event_bus=data.bus,
            event_pattern=pattern(detail_types, detail),
            description=f"{' '.join(detail_types)} → {function.node.id}",
        )
        rule.add_target(
            targets.SqsQueue(
                self.queue,
                dead_letter_queue=self.dead_letters,
                max_event_age=TRY_FOR,
                retry_attempts=20,
            )
        )
        self.drained_by(function)

    def queue_before(self, function: PythonFunction) -> sqs.Queue:
        assert function.timeout
        return sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not function.target.is_local,
            visibility_timeout=Duration.seconds(6 * function.timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=5),
        )

    def drained_by(self, function: PythonFunction) -> None:
        drain(
            self,
            self.queue,
            function,
            batch_size=50,
            maximum_batching_window_in_seconds=5,
            function_response_types=["ReportBatchItemFailures"],
        )


def drain(scope: Construct, queue: sqs.Queue, function: PythonFunction, **how: Any) -> None:
    """Let the function work off the queue."""
    function.permit(
        [queue.queue_arn], "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"
    )
    mapping = lambda_.CfnEventSourceMapping(
        scope,
        "Drain",
        function_name=function.function_name,
        event_source_arn=queue.queue_arn,
        **how,
    )
    mapping.node.add_dependency(function.role)


def pattern(
    detail_types: Sequence[str], detail: Mapping[str, Any] | None = None
) -> events.EventPattern:
    return events.EventPattern(
        source=events.Match.prefix(OUR_EVENTS),
        detail_type=list(detail_types) or None,
        detail=dict(detail) if detail else None,
    )


def added_rows(prefix: str) -> str:
    """New rows of the kind that say they are for others."""
    rows = {"Keys": {"SK": {"S": [{"prefix": prefix}]}}, "NewImage": {"publish": {"BOOL": [True]}}}
    return json.dumps({"eventName": ["INSERT"], "dynamodb": rows})


def changed_rows(sort_key: str | Mapping[str, str], number: str) -> str:
    """Rows, new or changed, that have this number."""
    rows = {"Keys": {"SK": {"S": [sort_key]}}, "NewImage": {number: {"N": [{"exists": True}]}}}
    return json.dumps({"eventName": ["INSERT", "MODIFY"], "dynamodb": rows})


def moved_rows(prefix: str) -> str:
    """Rows of the kind, new or changed."""
    rows = {"Keys": {"SK": {"S": [{"prefix": prefix}]}}}
    return json.dumps({"eventName": ["INSERT", "MODIFY"], "dynamodb": rows})


def new_rows(prefix: str) -> str:
    rows = {"Keys": {"SK": {"S": [{"prefix": prefix}]}}}
    return json.dumps({"eventName": ["INSERT"], "dynamodb": rows})
