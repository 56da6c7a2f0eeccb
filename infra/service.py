"""Everything that a deployment may replace: functions, workflow, alarms. The API is beside it.

Stacks of their own, as CloudFormation takes 500 resources in one: what an order needs, what speaks
with shops and carriers outside, what customers are told, what is counted. They share nothing but
the data and the topic of alarms.
"""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.alarms import Alarms
from infra.archive import Archive
from infra.books import Books
from infra.bulk import Bulk
from infra.bundling import Target
from infra.capture import Capture
from infra.channels import Channels
from infra.consumers import DeadLetters
from infra.credit import Credit
from infra.customers import Customers
from infra.data import Data
from infra.edits import Edits
from infra.fulfillment import Fulfillment
from infra.holds import Holds
from infra.inquiries import Inquiries
from infra.inventory import Inventory
from infra.invoices import Invoices
from infra.labels import Labels
from infra.lake import Lake
from infra.network import Network
from infra.notifications import Notifications
from infra.operations import Operations
from infra.ops import Ops
from infra.outbox import Outbox
from infra.payments import Payments
from infra.policies import Policies
from infra.privacy import Privacy
from infra.promises import Promises
from infra.python_function import Layers, PythonFunction
from infra.reconciliation import Reconciliation
from infra.refunds import Refunds
from infra.reports import Reports
from infra.returns import Returns
from infra.routing import Routing
from infra.segments import Segments
from infra.shops import Shops
from infra.subscribers import Subscribers
from infra.supply import Supply
from infra.tracking import Tracking
from infra.workflow import Workflow

RUNTIME_IS_TESTED = "The newest runtime that every dependency publishes binaries for and we test on"


class Service(Stack):
    def __init__(self, scope: Construct, name: str, data: Data, target: Target) -> None:
        super().__init__(scope, name, description="Baton: what runs")
        acknowledge(self, "L1", RUNTIME_IS_TESTED)
        rooms = Rooms(self, data, Layers(self, target))
        workflow = Workflow(self, rooms.steps)
        self.served = rooms.served
        self.jobs = rooms.bulk.queue
        self.alarms = alarms = Alarms(self)
        for dead_letters in rooms.dead_letters:
            alarms.watch_dead_letters(dead_letters)
        alarms.watch_workflow(workflow.order)
        alarms.watch_workflow(workflow.returns, "Return")
        alarms.watch_steps(rooms.steps)
        alarms.watch_outbox(rooms.outbox.publish)
        self.publish(workflow)

    def publish(self, workflow: Workflow) -> None:
        outputs = {
            "OrderWorkflow": workflow.order.state_machine_arn,
            "ReturnWorkflow": workflow.returns.state_machine_arn,
            "AlarmTopic": self.alarms.topic.topic_arn,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


class Outside(Stack):
    """What speaks with others' systems."""

    def __init__(
        self, scope: Construct, name: str, data: Data, target: Target, topic: sns.Topic
    ) -> None:
        super().__init__(scope, name, description="Baton: what speaks with others")
        acknowledge(self, "L1", RUNTIME_IS_TESTED)
        layers = Layers(self, target)
        self.channels = Channels(self, data, layers)
        self.shops = Shops(self, data, layers)
        self.tracking = Tracking(self, data, layers)
        self.labels = Labels(self, data, layers)
        self.promises = Promises(self, data, layers)
        alarms = Alarms(self, topic)
        for room in (self.channels, self.shops, self.tracking, self.labels, self.promises):
            alarms.watch_dead_letters(room.dead_letters)

    @property
    def served(self) -> list[PythonFunction]:
        """What answers HTTP."""
        return [
            self.channels.webhooks,
            self.channels.api,
            self.shops.api,
            self.tracking.webhooks,
            self.labels.api,
            self.promises.api,
        ]


class People(Stack):
    """Who buys: their profiles, what they ask, and what they, and other systems, are told."""

    def __init__(
        self, scope: Construct, name: str, data: Data, target: Target, topic: sns.Topic
    ) -> None:
        super().__init__(scope, name, description="Baton: customers and what they are told")
        acknowledge(self, "L1", RUNTIME_IS_TESTED)
        layers = Layers(self, target)
        self.customers = Customers(self, data, layers)
        self.inquiries = Inquiries(self, data, layers)
        self.notifications = Notifications(self, data, layers)
        self.privacy = Privacy(self, data, layers)
        self.subscribers = Subscribers(self, data, layers)
        alarms = Alarms(self, topic)
        told = (self.notifications, self.subscribers)
        for room in (self.customers, self.inquiries, self.privacy, *told):
            alarms.watch_dead_letters(room.dead_letters)

    @property
    def served(self) -> list[PythonFunction]:
        """What answers HTTP."""
        return [
            self.customers.api,
            self.inquiries.api,
            self.notifications.api,
            self.notifications.page,
            self.privacy.api,
            self.subscribers.api,
        ]


class Insight(Stack):
    """What all of it comes to: the archive of events, reports, books. `jobs`: the queue of long
    jobs, of which reconciliations are some."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        data: Data,
        target: Target,
        topic: sns.Topic,
        jobs: sqs.Queue,
    ) -> None:
        super().__init__(scope, name, description="Baton: reports and books")
        acknowledge(self, "L1", RUNTIME_IS_TESTED)
        layers = Layers(self, target)
        alarms = Alarms(self, topic)
        self.archive = Archive(self, data, layers)
        self.reports = Reports(self, data, layers, self.archive.dead_letters[0])
        self.lake = Lake(self, data, layers, self.archive.dead_letters[0])
        self.segments = Segments(self, data, layers, jobs, self.archive.dead_letters[0])
        self.books = Books(self, data, layers)
        self.reconciliation = Reconciliation(self, data, layers, jobs)
        self.operations = Operations(self, data, layers, alarms)
        for room in (self.archive, self.books, self.operations):
            alarms.watch_dead_letters(room.dead_letters)

    @property
    def served(self) -> list[PythonFunction]:
        """What answers HTTP."""
        return [self.reports.api, self.segments.api, self.books.api, self.reconciliation.api]


class Rooms:
    """One construct for each capability."""

    def __init__(self, scope: Stack, data: Data, layers: Layers) -> None:
        self.capture = Capture(scope, data, layers)
        self.payments = Payments(scope, data, layers)
        self.credit = Credit(scope, data, layers)
        self.edits = Edits(scope, data, layers)
        self.policies = Policies(scope, data, layers)
        self.routing = Routing(scope, data, layers)
        self.inventory = Inventory(scope, data, layers)
        self.holds = Holds(scope, data, layers)
        self.network = Network(scope, data, layers)
        self.bulk = Bulk(scope, data, layers)
        self.bulk.let_ask(data, self.routing.api, self.routing.reroute, self.inventory.agenda)
        self.supply = Supply(scope, data, layers)
        self.fulfillment = Fulfillment(scope, data, layers)
        self.returns = Returns(scope, data, layers)
        self.refunds = Refunds(scope, data, layers)
        self.invoices = Invoices(scope, data, layers)
        self.outbox = Outbox(scope, data, layers)
        self.ops = Ops(scope, data, layers)

    @property
    def steps(self) -> list[PythonFunction]:
        """Of the workflows."""
        return [
            self.payments.authorize,
            self.payments.refund,
            self.routing.route,
            self.routing.release,
            self.fulfillment.wait,
            self.returns.look,
            self.returns.wait,
            self.returns.settle,
        ]

    @property
    def served(self) -> list[PythonFunction]:
        """What answers HTTP."""
        return [
            self.capture.api,
            self.capture.drafts,
            self.payments.webhooks,
            self.payments.api,
            self.credit.api,
            self.edits.api,
            self.policies.api,
            self.returns.api,
            self.refunds.api,
            self.invoices.api,
            self.returns.tracking_page,
            self.inventory.api,
            self.holds.api,
            self.network.api,
            self.routing.api,
            self.bulk.api,
            self.supply.api,
            self.fulfillment.api,
            self.ops.api,
        ]

    @property
    def dead_letters(self) -> list[list[DeadLetters]]:
        rooms = (self.bulk, self.payments, self.routing, self.inventory, self.outbox)
        rest = (self.returns, self.invoices, self.ops)
        return [room.dead_letters for room in (*rooms, *rest)]
