"""Stock and the places it lies in; what comes in, or back, wakes the orders that wait for it."""

from aws_cdk import Duration
from constructs import Construct

from infra.consumers import (
    DeadLetters,
    Schedule,
    StreamReader,
    Subscription,
    changed_rows,
    new_rows,
)
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction

MAY_FREE_UNITS = [
    "StockReceived",
    "StockFreed",
    "StockSettled",
    "OrderCancelled",
    "OrderEdited",
    "OrderLinesCancelled",
    "UnitsFulfilledElsewhere",
    "OrderRoutingAbandoned",
    "FulfillmentOrderRejected",
    "ReturnInspected",
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
        self.data, self.layers = data, layers
        stock = {"STOCK_TABLE": data.stock.table_name}
        both = {"ORDERS_TABLE": data.orders.table_name, **stock}
        self.api = self.function("InventoryApi", "inventory/api", stock, timeout=29)
        routing = {**both, "CUSTOMERS_TABLE": data.customers.table_name}
        self.wake = self.function("WakeBackorders", "inventory/wake_backorders", routing)
        self.agenda = self.function("RunAgenda", "inventory/run_agenda", routing)
        for function in (self.wake, self.agenda):
            data.customers.permit(function, "GetItem")
        self.watch = self.function("WatchStock", "inventory/watch_stock", stock)
        self.leases = self.function("ReclaimLeases", "inventory/reclaim_leases", stock)
        self.permit()
        self.dead_letters = self.fed()

    def function(
        self, name: str, path: str, environment: dict[str, str], timeout: int = 60
    ) -> PythonFunction:
        return PythonFunction(self, name, path, self.layers, environment, timeout=timeout)

    def permit(self) -> None:
        stock, orders = self.data.stock, self.data.orders
        reads = ("BatchGetItem", "ConditionCheckItem", "GetItem", "Query")
        stock.permit(self.api, *reads, "PutItem", "UpdateItem")
        stock.permit(self.wake, "BatchGetItem", "DeleteItem", "GetItem", "PutItem", "Query")
        orders.permit(self.wake, *CHANGE, "BatchGetItem", "Query")
        stock.permit(self.agenda, "BatchGetItem", "GetItem", "Query", *WRITE)
        orders.permit(self.agenda, *CHANGE, "BatchGetItem")
        watching = ("ConditionCheckItem", "GetItem", "PutItem", "Query", "UpdateItem")
        stock.permit(self.watch, *watching)
        stock.permit(self.leases, "BatchGetItem", "Query", *WRITE)

    def fed(self) -> list[DeadLetters]:
        """What calls the functions; the queues of what they could not do."""
        minutely = Schedule(self.agenda, Duration.minutes(1)).dead_letters
        self.agenda.add_environment("AGENDA_FAILURES", minutely.queue_url)
        return [
            Schedule(self.leases, Duration.minutes(1)).dead_letters,
            StreamReader(self.watch, [self.data.stock], TO_WATCH).dead_letters,
            Subscription(self.wake, self.data, MAY_FREE_UNITS).dead_letters,
            minutely,
        ]
