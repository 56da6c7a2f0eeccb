"""Stock and the places it lies in; what comes in, or back, wakes the orders that wait for it."""

from aws_cdk import Duration
from constructs import Construct

from infra.consumers import Schedule, StreamReader, Subscription, changed_rows, new_rows
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction

MAY_FREE_UNITS = [
    "StockReceived",
    "StockFreed",
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

# Each level is read from the stream once, as it begins; later, and the items, only what is watched.
TO_WATCH = [
    new_rows("LEVEL#"),
    changed_rows({"prefix": "LEVEL#"}, "watch"),
    changed_rows("ITEM", "version"),
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
            self.api,
            "BatchGetItem",
            "ConditionCheckItem",
            "GetItem",
            "PutItem",
            "Query",
            "UpdateItem",
        )
        data.stock.permit(self.wake, "BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query")
        data.orders.permit(self.wake, *CHANGE, "BatchGetItem", "Query")
        self.agenda = PythonFunction(
            self,
            "RunAgenda",
            "inventory/run_agenda",
            layers,
            {**orders, **stock},
            timeout=60,
        )
        data.stock.permit(self.agenda, "BatchGetItem", "GetItem", "Query", *WRITE)
        data.orders.permit(self.agenda, *CHANGE, "BatchGetItem")
        minutely = Schedule(self.agenda, Duration.minutes(1)).dead_letters
        self.agenda.add_environment("AGENDA_FAILURES", minutely.queue_url)
        self.watch = PythonFunction(
            self, "WatchStock", "inventory/watch_stock", layers, stock, timeout=60
        )
        data.stock.permit(
            self.watch, "ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem"
        )
        self.leases = PythonFunction(
            self, "ReclaimLeases", "inventory/reclaim_leases", layers, stock, timeout=60
        )
        data.stock.permit(self.leases, "BatchGetItem", "Query", *WRITE)
        self.dead_letters = [
            Schedule(self.leases, Duration.minutes(1)).dead_letters,
            StreamReader(self.watch, [data.stock], TO_WATCH).dead_letters,
            Subscription(self.wake, data, MAY_FREE_UNITS).dead_letters,
            minutely,
        ]
