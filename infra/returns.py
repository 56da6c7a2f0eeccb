"""Goods that come back: the API of staff and stores, the customer's tracking page, labels, and the
steps of the return's workflow."""

from constructs import Construct

from infra.consumers import DeadLetters, Subscription
from infra.data import CHANGE, Data
from infra.labels import EASYPOST
from infra.payment_providers import let_ask_providers
from infra.python_function import Layers, PythonFunction

# What places the order that is exchanged for goods, lets it go, or calls it off.
OF_EXCHANGES = [
    "ExchangePlaced",
    "ReturnCancelled",
    "ReturnCompleted",
    "ReturnExpired",
    "ReturnSettled",
]


class Returns(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Returns")
        tables = {"ORDERS_TABLE": data.orders.table_name, "STOCK_TABLE": data.stock.table_name}
        bucket = {"FILES_BUCKET": data.files.bucket_name}
        self.api = PythonFunction(
            self,
            "ReturnsApi",
            "returns/api",
            layers,
            {**tables, **bucket, "CUSTOMERS_TABLE": data.customers.table_name},
            timeout=29,
        )
        data.customers.permit(self.api, "GetItem")
        self.tracking_page = PythonFunction(
            self,
            "TrackingPage",
            "returns/tracking_page",
            layers,
            {
                **tables,
                **bucket,
                "CUSTOMERS_TABLE": data.customers.table_name,
                "VAULT_KEY_ID": data.key.key_id,
                "SECRET_ID": data.secrets.arn,
            },
            timeout=29,
        )
        data.orders.permit(self.api, *CHANGE)
        data.stock.permit(self.api, *CHANGE, "BatchGetItem")
        data.orders.permit(self.tracking_page, *CHANGE, "Query")
        data.secrets.permit(self.tracking_page)
        data.stock.permit(self.tracking_page, "PutItem")
        data.customers.permit(self.tracking_page, "GetItem", "PutItem")
        data.permit_vault(self.tracking_page, "kms:GenerateDataKey")
        self.dead_letters: list[DeadLetters] = []
        self.add_exchanges(data, layers)
        self.add_steps(data, layers)
        self.add_labels(data, layers)

    def add_exchanges(self, data: Data, layers: Layers) -> None:
        """What brings customers other goods for those that come back."""
        self.exchange = PythonFunction(
            self,
            "PlaceExchange",
            "returns/place_exchange",
            layers,
            {
                "ORDERS_TABLE": data.orders.table_name,
                "STOCK_TABLE": data.stock.table_name,
                "CUSTOMERS_TABLE": data.customers.table_name,
                "VAULT_KEY_ID": data.key.key_id,
            },
            timeout=30,
        )
        data.orders.permit(self.exchange, *CHANGE)
        data.stock.permit(self.exchange, *CHANGE, "BatchGetItem")
        data.customers.permit(self.exchange, "GetItem", "PutItem")
        for verb in ("kms:Decrypt", "kms:GenerateDataKey"):
            data.permit_vault(self.exchange, verb)
        self.dead_letters.append(Subscription(self.exchange, data, OF_EXCHANGES).dead_letters)

    def add_steps(self, data: Data, layers: Layers) -> None:
        """Of the workflow, beside ReleaseStock."""
        orders = {"ORDERS_TABLE": data.orders.table_name}
        stock = {"STOCK_TABLE": data.stock.table_name}
        self.look = PythonFunction(self, "LookAtReturn", "returns/look_at_return", layers, orders)
        self.wait = PythonFunction(self, "AwaitReturn", "returns/await_return", layers, orders)
        self.settle = PythonFunction(
            self, "SettleReturn", "returns/settle_return", layers, {**orders, **stock}
        )
        for function in (self.look, self.wait, self.settle):
            data.orders.permit(function, *CHANGE)
        self.wait.permit_resuming()
        data.stock.permit(self.settle, *CHANGE)
        let_ask_providers(self.settle, data, layers)

    def add_labels(self, data: Data, layers: Layers) -> None:
        """`returnCarrier` names who moves goods back; without one customers choose."""
        carrier = self.node.try_get_context("returnCarrier")
        easypost = self.node.try_get_context("easypostApi") or EASYPOST
        self.issue = PythonFunction(
            self,
            "IssueReturnLabel",
            "returns/issue_return_label",
            layers,
            {
                "ORDERS_TABLE": data.orders.table_name,
                "STOCK_TABLE": data.stock.table_name,
                "CUSTOMERS_TABLE": data.customers.table_name,
                "VAULT_KEY_ID": data.key.key_id,
                "FILES_BUCKET": data.files.bucket_name,
                "RETURN_CARRIER": carrier or ("test" if layers.target.is_local else "none"),
                "SECRET_ID": data.secrets.arn,
                "EASYPOST_API": easypost,
            },
            timeout=30,
        )
        self.issue.add_layers(layers.packages("documents"), layers.packages("carriers"))
        data.orders.permit(self.issue, *CHANGE, "Query")
        data.stock.permit(self.issue, "GetItem", "BatchGetItem")
        data.secrets.permit(self.issue)
        data.customers.permit(self.issue, "GetItem")
        data.permit_vault(self.issue, "kms:Decrypt")
        data.files.permit(self.issue, "PutObject", "AbortMultipartUpload", folders=["labels"])
        for function in (self.api, self.tracking_page):
            data.files.permit(function, "GetObject", folders=["labels"])
        self.dead_letters.append(Subscription(self.issue, data, ["ReturnApproved"]).dead_letters)
