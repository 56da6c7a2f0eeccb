"""By when: what can be promised, what was measured of it, and what is done for one at risk."""

from aws_cdk import Duration
from constructs import Construct

from infra.consumers import Inbox, Schedule, Subscription
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction

PROMISED = {"data": {"way": {"promised": [{"exists": True}]}}}  # of all that was delivered


class Promises(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Promises")
        orders = {"ORDERS_TABLE": data.orders.table_name}
        stock = {"STOCK_TABLE": data.stock.table_name}
        reports = {"REPORTS_TABLE": data.reports.table_name}
        self.api = PythonFunction(
            self, "PromisesApi", "promises/api", layers, {**reports, **stock}, timeout=29
        )
        self.measure = PythonFunction(
            self, "MeasurePromises", "promises/measure_promises", layers, reports, timeout=30
        )
        self.learn = PythonFunction(
            self,
            "LearnTransits",
            "promises/learn_transits",
            layers,
            {**orders, **reports, **stock},
            timeout=60,
        )
        self.keep = PythonFunction(
            self, "KeepPromises", "promises/keep_promises", layers, {**orders, **stock}, timeout=60
        )
        self.permit(data)
        self.dead_letters = [
            Inbox(self.measure, data, ["FulfillmentOrderDelivered"], PROMISED).dead_letters,
            Schedule(self.learn, Duration.hours(6)).dead_letters,
            Subscription(self.keep, data, detail={"at_risk": [True]}).dead_letters,
        ]

    def permit(self, data: Data) -> None:
        data.stock.permit(self.api, "BatchGetItem", "GetItem", "Query")
        data.reports.permit(self.api, "Query")
        data.reports.permit(self.measure, "PutItem", "UpdateItem")
        data.reports.permit(self.learn, "Query")
        data.orders.permit(self.learn, "GetItem")
        data.stock.permit(self.learn, "PutItem", "Query")
        data.orders.permit(self.keep, *CHANGE)
        data.stock.permit(self.keep, "BatchGetItem", "GetItem", "Query", *WRITE)
