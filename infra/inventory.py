"""Stock and the places it lies in; what comes in, or back, wakes the orders that wait for it."""

from constructs import Construct

from infra.consumers import Subscription
from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction

MAY_FREE_UNITS = [
    "StockReceived",
    "StockSettled",
    "OrderCancelled",
    "OrderLinesCancelled",
    "OrderRoutingAbandoned",
    "FulfillmentOrderRejected",
    # an order does not take what it was woken for
    "OrderBackordered",
    "OrderNeedsAttention",
    "HoldPlaced",
    # an order may be woken from now on
    "AttentionResolved",
    "HoldReleased",
]


class Inventory(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Inventory")
        stock = {"STOCK_TABLE": data.stock.table_name}
        orders = {"ORDERS_TABLE": data.orders.table_name}
        self.api = PythonFunction(self, "InventoryApi", "inventory/api", layers, stock, timeout=29)
        self.wake = PythonFunction(
            self,
            "WakeBackorders",
            "inventory/wake_backorders",
            layers,
            {**orders, **stock},
            timeout=60,
        )
        data.stock.permit(
            self.api, "BatchGetItem", "ConditionCheckItem", "PutItem", "Query", "UpdateItem"
        )
        data.stock.permit(self.wake, "BatchGetItem", "DeleteItem", "Query")
        data.orders.permit(self.wake, *CHANGE, "BatchGetItem", "Query")
        self.dead_letters = [Subscription(self.wake, data, MAY_FREE_UNITS).dead_letters]
