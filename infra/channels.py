"""What shops on other platforms say: taken, asked for, caught up with, seen."""

from aws_cdk import CfnOutput, Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.consumers import TRY_FOR, DeadLetters, Schedule, drain
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction
from oms.adapters.channel_inbox import PURPOSE

PARTNER = "aws.partner/sellingpartnerapi.amazon.com"  # what Amazon's events say they are from
EVERY = Duration.minutes(5)
TOGETHER = 5  # messages that one invocation works through
AT_ONCE = 4  # of them: shops have limits, and orders are placed beside it
TRIES = 5


class Channels(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Channels")
        self.data, self.layers = data, layers
        self.webhooks = self.function("ReceiveChannelOrder", "receive_channel_order", timeout=29)
        self.work = self.function("WorkInbox", "work_inbox", timeout=100)
        self.take = self.function("TakeNotifications", "take_notifications", timeout=60)
        self.poll = self.function("PollShops", "poll_shops", timeout=300)
        self.api = self.function("ChannelsApi", "channels_api", timeout=29)
        self.failures = {each: DeadLetters(each) for each in (self.work, self.take)}
        self.errands = self.queue("Errands", self.work)
        self.notifications = self.queue("Notifications", self.take)
        for function in (self.webhooks, self.work, self.take, self.poll, self.api):
            self.permit(function)
        self.permit_reading()
        self.let_amazon_send()
        self.dead_letters = [*self.failures.values(), Schedule(self.poll, EVERY).dead_letters]
        output = CfnOutput(self, "Url", value=self.notifications.queue_url)
        output.override_logical_id("ChannelNotifications")

    def function(self, name: str, stem: str, *, timeout: int) -> PythonFunction:
        environment = {
            "ORDERS_TABLE": self.data.orders.table_name,
            "STOCK_TABLE": self.data.stock.table_name,
            "CUSTOMERS_TABLE": self.data.customers.table_name,
            "CHANNELS_TABLE": self.data.channels.table_name,
            "VAULT_KEY_ID": self.data.key.key_id,
            "SECRET_ID": self.data.secrets.arn,
        }
        path = f"capture/{stem}"
        return PythonFunction(self, name, path, self.layers, environment, timeout=timeout)

    def permit(self, function: PythonFunction) -> None:
        """To place orders and to change them, and to keep what cannot be done."""
        data = self.data
        data.orders.permit(function, *CHANGE, indexes=("GSI1",))
        data.stock.permit(function, *WRITE, "BatchGetItem", "GetItem", "Query")
        data.customers.permit(function, "GetItem", "PutItem")
        data.channels.permit(function, *CHANGE, "BatchGetItem", "Query")
        data.secrets.permit(function)
        data.permit_vault(function, "kms:GenerateDataKey")
        data.permit_vault(function, "kms:GenerateDataKey", PURPOSE)
        function.permit([self.errands.queue_arn], "sqs:SendMessage")
        function.add_environment("FETCH_QUEUE", self.errands.queue_url)

    def permit_reading(self) -> None:
        """Nobody else opens what was kept."""
        self.data.channels.permit(self.api, indexes=("GSI1",))
        self.data.permit_vault(self.api, "kms:Decrypt", PURPOSE)

    def queue(self, name: str, function: PythonFunction) -> sqs.Queue:
        assert function.timeout
        scaling = lambda_.CfnEventSourceMapping.ScalingConfigProperty
        queue = sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not function.target.is_local,
            visibility_timeout=Duration.seconds(6 * function.timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.failures[function], max_receive_count=TRIES
            ),
        )
        drain(
            function,
            queue,
            function,
            batch_size=TOGETHER,
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=scaling(maximum_concurrency=AT_ONCE),
        )
        return queue

    def let_amazon_send(self) -> None:
        """Through EventBridge, or whoever of our account hands its messages over."""
        self.notifications.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                principals=[iam.AccountRootPrincipal()],
                resources=[self.notifications.queue_arn],
            )
        )
        rule = events.Rule(
            self,
            "AmazonEvents",
            event_pattern=events.EventPattern(source=events.Match.prefix(PARTNER)),
            description=f"{PARTNER} → {self.take.node.id}",
        )
        rule.add_target(
            targets.SqsQueue(
                self.notifications,
                dead_letter_queue=self.failures[self.take],
                max_event_age=TRY_FOR,
                retry_attempts=20,
            )
        )
