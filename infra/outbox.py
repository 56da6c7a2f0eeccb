"""The only reader of the tables' streams: events go out, workflows start and go on."""

from constructs import Construct

from infra.consumers import StreamReader, added_rows
from infra.data import Data
from infra.python_function import Layers, PythonFunction
from infra.workflow import workflow_arns


class Outbox(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Outbox")
        workflows = workflow_arns()
        self.publish = PythonFunction(
            self,
            "PublishEvents",
            "outbox/publish_events",
            layers,
            {
                "EVENT_BUS": data.bus.event_bus_name,
                "ORDERS_TABLE": data.orders.table_name,
                **workflows,
            },
            timeout=60,
        )
        data.orders.permit(self.publish, "GetItem")
        self.publish.permit([data.bus.event_bus_arn], "events:PutEvents")
        self.publish.permit(list(workflows.values()), "states:StartExecution")
        self.publish.permit_resuming()
        self.dead_letters = [
            StreamReader(
                self.publish, [data.orders, data.stock], [added_rows("EVENT#")]
            ).dead_letters
        ]
