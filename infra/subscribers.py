"""Other systems that are told of events: queued for each, sent by one worker at a time.

While nobody subscribes nothing runs for an order: the mapping that drains the queue is deployed
disabled, and `SendDeliveries`, each minute, disables the rule as well. A deployment that sets them
back loses nothing: the rule puts events into the queue until both are looked at again.
"""

from typing import cast

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.consumers import TRY_FOR, Schedule, drain, pattern
from infra.data import Data
from infra.python_function import Layers, PythonFunction
from oms.adapters.event_log import FOLDER
from oms.adapters.subscriber_secrets import PURPOSE

TOGETHER = 8  # subscribers that are sent something at once
TOGETHER_HERE = 2
TRIES = 5


class Subscribers(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Subscribers")
        self.data, self.layers = data, layers
        self.collect = self.function("QueueDeliveries", "queue_deliveries", 60)
        self.work = self.function("SendDeliveries", "send_deliveries", 120)
        self.api = self.function("SubscribersApi", "api", 29)
        for function in (self.work, self.api):
            function.add_layers(layers.packages("webhooks"))
        self.permit()
        self.permit_secrets()
        self.failures = Schedule(self.work, Duration.minutes(1)).dead_letters
        self.failures.grant_send_messages(self.work)
        self.work.add_environment("SUBSCRIBER_FAILURES", self.failures.queue_url)
        self.nudges()
        self.tap()
        self.dead_letters = [self.failures]

    def function(self, name: str, stem: str, timeout: int) -> PythonFunction:
        environment = {"CHANNELS_TABLE": self.data.channels.table_name}
        path = f"subscribers/{stem}"
        return PythonFunction(self, name, path, self.layers, environment, timeout=timeout)

    def permit(self) -> None:
        data = self.data
        for function in (self.collect, self.work):
            data.orders.permit(function, "GetItem")
            function.add_environment("ORDERS_TABLE", data.orders.table_name)
        data.channels.permit(self.collect, "GetItem", "PutItem", "Query")
        verbs = ("BatchGetItem", "GetItem", "PutItem", "Query", "UpdateItem")
        data.channels.permit(self.work, *verbs, indexes=("GSI1",))
        data.channels.permit(self.api, *verbs, "DeleteItem", indexes=("GSI1",))
        data.reports.permit(self.work, "Query")
        self.work.add_environment("REPORTS_TABLE", data.reports.table_name)
        data.files.permit(self.work, "GetObject", folders=[FOLDER])
        self.work.add_environment("FILES_BUCKET", data.files.bucket_name)

    def permit_secrets(self) -> None:
        """Both sign; only the API makes secrets."""
        for function in (self.work, self.api):
            self.data.permit_vault(function, "kms:Decrypt", PURPOSE)
            function.add_environment("VAULT_KEY_ID", self.data.key.key_id)
        self.data.permit_vault(self.api, "kms:GenerateDataKey", PURPOSE)

    def nudges(self) -> None:
        """A message names a subscriber; that of a worker which died comes again when its lease is
        over."""
        assert self.work.timeout
        queue = self.queue("Nudges", Duration.seconds(self.work.timeout.to_seconds() + 60))
        together = TOGETHER_HERE if self.work.target.is_local else TOGETHER
        scaling = lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=together)
        drain(self.work, queue, self.work, batch_size=1, scaling_config=scaling)
        for function in (self.collect, self.work, self.api):
            function.permit([queue.queue_arn], "sqs:SendMessage")
            function.add_environment("DELIVERY_QUEUE", queue.queue_url)

    def tap(self) -> None:
        """All events that are published, many at once, to whoever queues them."""
        assert self.collect.timeout
        queue = self.queue("Events", Duration.seconds(6 * self.collect.timeout.to_seconds()))
        name = f"{Stack.of(self).stack_name}-SubscriberEvents"
        rule = events.Rule(
            self,
            "Rule",
            rule_name=name,
            event_bus=self.data.bus,
            event_pattern=pattern([]),
            description=f"every event → {self.collect.node.id}",
        )
        rule.add_target(
            targets.SqsQueue(
                queue, dead_letter_queue=self.failures, max_event_age=TRY_FOR, retry_attempts=20
            )
        )
        drain(
            self.collect,
            queue,
            self.collect,
            enabled=False,
            batch_size=50,
            maximum_batching_window_in_seconds=5,
            function_response_types=["ReportBatchItemFailures"],
        )
        self.permit_turning(name)

    def permit_turning(self, name: str) -> None:
        drained = self.collect.node.find_child("Drain")
        mapping = cast(lambda_.CfnEventSourceMapping, drained).ref
        stack, bus = Stack.of(self), self.data.bus.event_bus_name
        rule = stack.format_arn(service="events", resource="rule", resource_name=f"{bus}/{name}")
        source = stack.format_arn(
            service="lambda",
            resource="event-source-mapping",
            resource_name=mapping,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        for function in (self.work, self.api):
            function.permit(
                [rule], "events:DescribeRule", "events:DisableRule", "events:EnableRule"
            )
            function.permit(
                [source], "lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"
            )
            function.add_environment("EVENT_BUS", bus)
            function.add_environment("SUBSCRIBER_RULE", name)
            function.add_environment("SUBSCRIBER_MAPPING", mapping)

    def queue(self, name: str, visibility: Duration) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not self.work.target.is_local,
            visibility_timeout=visibility,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.failures, max_receive_count=TRIES),
        )
