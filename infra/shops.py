"""What goes back to the shops on other platforms: queued for each, told by one worker at a time."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.consumers import (
    DeadLetters,
    Schedule,
    StreamReader,
    Subscription,
    changed_rows,
    drain,
    moved_rows,
)
from infra.data import Data
from infra.python_function import Layers, PythonFunction

TO_TELL = [
    "FulfillmentOrderCollected",
    "FulfillmentOrderShipped",
    "OrderCancelled",
    "OrderEdited",
    "OrderLinesCancelled",
    "PaymentRefunded",
]
LEVELS = [moved_rows("LEVEL#"), changed_rows("ITEM", "version")]
TOGETHER = 8  # shops that are told something at once
TOGETHER_HERE = 2
GATHER = Duration.seconds(10)  # changes of stock, before anybody looks at them
TRIES = 5


class Shops(Construct):
    """The context `tellStock=no` leaves the levels of stock untold, and their changes unread."""

    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Shops")
        self.data, self.layers = data, layers
        channels = {"CHANNELS_TABLE": data.channels.table_name}
        orders = {"ORDERS_TABLE": data.orders.table_name}
        stock = {"STOCK_TABLE": data.stock.table_name}
        secrets = {"SECRET_ID": data.secrets.arn}
        every = {**channels, **orders, **stock, **secrets}
        self.collect = self.function("QueueForShops", "queue_for_shops", {**channels, **orders}, 30)
        self.levels = self.function("QueueStock", "queue_stock", {**channels, **stock}, 60)
        self.work = self.function("SendToShops", "send_to_shops", every, 120)
        self.api = self.function("TasksApi", "tasks_api", channels, 29)
        self.permit()
        self.dead_letters = self.fed()

    def function(
        self, name: str, stem: str, environment: dict[str, str], timeout: int
    ) -> PythonFunction:
        path = f"channels/{stem}"
        return PythonFunction(self, name, path, self.layers, environment, timeout=timeout)

    def permit(self) -> None:
        channels, stock, orders = self.data.channels, self.data.stock, self.data.orders
        channels.permit(self.collect, "PutItem", "Query")
        orders.permit(self.collect, "GetItem", "Query")
        channels.permit(self.levels, "PutItem", "Query", "UpdateItem")
        stock.permit(self.levels, "BatchGetItem")
        verbs = ("BatchGetItem", "PutItem", "Query", "UpdateItem")
        channels.permit(self.work, *verbs, indexes=("GSI1",))
        orders.permit(self.work, "Query")
        stock.permit(self.work, "BatchGetItem", "GetItem", "Query")
        self.data.secrets.permit(self.work)
        seen = ("BatchGetItem", "GetItem", "PutItem", "UpdateItem")
        channels.permit(self.api, *seen, indexes=("GSI1",))

    def fed(self) -> list[DeadLetters]:
        """What calls the functions; the queues of what they could not do."""
        minutely = Schedule(self.work, Duration.minutes(1)).dead_letters
        self.work.add_environment("SHOP_FAILURES", minutely.queue_url)
        queue = self.queue_of_shops(minutely)
        for function in (self.collect, self.work, self.api):
            function.permit([queue.queue_arn], "sqs:SendMessage")
            function.add_environment("SHOP_QUEUE", queue.queue_url)
        return [
            minutely,
            Subscription(self.collect, self.data, TO_TELL).dead_letters,
            StreamReader(
                self.levels, [self.data.stock], LEVELS, gather=GATHER, enabled=tells_stock(self)
            ).dead_letters,
        ]

    def queue_of_shops(self, dead_letters: DeadLetters) -> sqs.Queue:
        """A message names a shop; that of a worker which died comes again when its lease is
        over."""
        assert self.work.timeout
        queue = sqs.Queue(
            self,
            "Nudges",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not self.work.target.is_local,
            visibility_timeout=Duration.seconds(self.work.timeout.to_seconds() + 60),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=TRIES),
        )
        together = TOGETHER_HERE if self.work.target.is_local else TOGETHER
        scaling = lambda_.CfnEventSourceMapping.ScalingConfigProperty(maximum_concurrency=together)
        drain(self, queue, self.work, batch_size=1, scaling_config=scaling)
        return queue


def tells_stock(scope: Construct) -> bool:
    return str(scope.node.try_get_context("tellStock") or "yes").lower() not in ("no", "false")
