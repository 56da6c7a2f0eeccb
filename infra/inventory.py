"""Stock and the places it lies in; what comes in wakes the orders that wait for it."""

from constructs import Construct

from infra.consumers import Subscription
from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction


class Inventory(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Inventory")
        stock = {"STOCK_TABLE": data.stock.table_name}
        orders = {"ORDERS_TABLE": data.orders.table_name}
        self.api = PythonFunction(self, "InventoryApi", "inventory/api", layers, stock, timeout=29)
        self.wake = PythonFunction(
            self, "WakeBackorders", "inventory/wake_backorders", layers, {**orders, **stock}
        )
        data.stock.permit(
            self.api, "BatchGetItem", "ConditionCheckItem", "PutItem", "Query", "UpdateItem"
        )
        data.stock.permit(self.wake, "DeleteItem", "Query")
        data.orders.permit(self.wake, *CHANGE)
        self.dead_letters = [Subscription(self.wake, data, ["StockReceived"]).dead_letters]
