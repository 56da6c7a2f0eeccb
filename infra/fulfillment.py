"""The work of warehouses, and the waits of an order's workflow."""

from constructs import Construct

from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction


class Fulfillment(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Fulfillment")
        orders = {"ORDERS_TABLE": data.orders.table_name}
        stock = {"STOCK_TABLE": data.stock.table_name}
        self.api = PythonFunction(
            self, "FulfillmentApi", "fulfillment/api", layers, {**orders, **stock}, timeout=29
        )
        self.wait = PythonFunction(
            self, "AwaitOutcome", "fulfillment/await_outcome", layers, orders
        )
        data.orders.permit(self.api, *CHANGE, "BatchGetItem", "Query", indexes=("GSI1", "GSI3"))
        data.stock.permit(self.api, "Query", *CHANGE)
        data.orders.permit(self.wait, *CHANGE)
        self.wait.permit_resuming()
