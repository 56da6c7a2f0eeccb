"""Everything that a deployment may replace: functions, workflow, API, alarms."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.alarms import Alarms
from infra.bulk import Bulk
from infra.bundling import Target
from infra.capture import Capture
from infra.data import Data
from infra.fulfillment import Fulfillment
from infra.holds import Holds
from infra.http_api import HttpApi
from infra.inventory import Inventory
from infra.network import Network
from infra.notifications import Notifications
from infra.ops import Ops
from infra.outbox import Outbox
from infra.payments import Payments
from infra.python_function import Layers
from infra.reports import Reports
from infra.routing import Routing
from infra.supply import Supply
from infra.tracking import Tracking
from infra.workflow import Workflow, execution_arns, machine_arn


class Service(Stack):
    def __init__(self, scope: Construct, name: str, data: Data, target: Target) -> None:
        super().__init__(scope, name, description="Baton: what runs")
        acknowledge(
            self,
            "L1",
            "The newest runtime that every dependency publishes binaries for and we test on",
        )
        layers = Layers(self, target)
        order_workflow = machine_arn(self, "Order")

        capture = Capture(self, data, layers)
        payments = Payments(self, data, layers)
        routing = Routing(self, data, layers)
        inventory = Inventory(self, data, layers)
        holds = Holds(self, data, layers)
        network = Network(self, data, layers)
        bulk = Bulk(self, data, layers)
        bulk.let_ask(data, routing.api, routing.reroute, inventory.agenda)
        supply = Supply(self, data, layers)
        fulfillment = Fulfillment(self, data, layers)
        tracking = Tracking(self, data, layers)
        outbox = Outbox(self, data, layers, order_workflow)
        notifications = Notifications(self, data, layers)
        reports = Reports(self, data, layers)
        ops = Ops(self, data, layers, order_workflow, execution_arns(self, "Order"))

        steps = [
            payments.authorize,
            payments.refund,
            routing.route,
            routing.release,
            fulfillment.wait,
        ]
        workflow = Workflow(self, steps)
        self.http = http = HttpApi(
            self,
            data.callers,
            [
                capture.api,
                capture.channels,
                payments.webhooks,
                tracking.webhooks,
                inventory.api,
                holds.api,
                network.api,
                routing.api,
                bulk.api,
                supply.api,
                fulfillment.api,
                reports.api,
                ops.api,
            ],
        )

        alarms = Alarms(self)
        for room in (bulk, payments, routing, inventory, outbox, notifications, reports, ops):
            alarms.watch_dead_letters(room.dead_letters)
        alarms.watch_workflow(workflow.order)
        alarms.watch_steps(steps)
        alarms.watch_api(http)
        alarms.watch_outbox(outbox.publish)

        CfnOutput(self, "ApiUrl", value=http.api.attr_api_endpoint)
        CfnOutput(self, "ApiId", value=http.api.ref)
        CfnOutput(self, "OrderWorkflow", value=workflow.order.state_machine_arn)
        CfnOutput(self, "AlarmTopic", value=alarms.topic.topic_arn)
