"""Which locations ship what; stock is taken with the decision, given back on cancellation."""

from constructs import Construct

from infra.consumers import Subscription
from infra.data import CHANGE, WRITE, Data
from infra.payment_providers import let_ask_providers
from infra.python_function import Layers, PythonFunction


class Routing(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Routing")
        environment = {
            "ORDERS_TABLE": data.orders.table_name,
            "STOCK_TABLE": data.stock.table_name,
        }
        self.route = PythonFunction(
            self,
            "RouteOrder",
            "routing/route_order",
            layers,
            {**environment, "CUSTOMERS_TABLE": data.customers.table_name},
            timeout=60,
            memory=512,
        )
        data.customers.permit(self.route, "GetItem")
        self.release = PythonFunction(
            self, "ReleaseStock", "routing/release_stock", layers, environment, timeout=60
        )
        for function in (self.route, self.release):
            data.orders.permit(function, *CHANGE)
            data.stock.permit(function, "GetItem", *WRITE)
        let_ask_providers(self.release, data, layers)
        data.orders.permit(self.route, "BatchGetItem")
        data.stock.permit(self.route, "BatchGetItem", "Query")
        owed = Subscription(self.release, data, detail={"owes_stock": [True]})
        self.api = PythonFunction(
            self, "RoutingApi", "routing/api", layers, environment, timeout=29, memory=512
        )
        data.orders.permit(self.api, "GetItem", "Query")
        data.stock.permit(self.api, "GetItem", "PutItem", "Query")
        stock = {"STOCK_TABLE": data.stock.table_name}
        self.reroute = PythonFunction(self, "RerouteWork", "routing/reroute_work", layers, stock)
        data.stock.permit(self.reroute, "PutItem")
        closed = Subscription(self.reroute, data, ["LocationChanged"])
        self.dead_letters = [owed.dead_letters, closed.dead_letters]
