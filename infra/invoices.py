"""Invoices and credit notes: numbered in the orders table, printed into the bucket."""

from constructs import Construct

from infra.consumers import DeadLetters, Subscription
from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction

CALL_FOR_DOCUMENTS = [
    "FulfillmentOrderCollected",
    "FulfillmentOrderShipped",
    "RefundGranted",
    "ReturnSettled",
]


class Invoices(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Invoices")
        self.data, self.layers = data, layers
        self.api = self.function("InvoicesApi", "invoices/api")
        self.issue = self.function("IssueDocuments", "invoices/issue_documents")
        self.dead_letters: list[DeadLetters] = [
            Subscription(self.issue, data, CALL_FOR_DOCUMENTS).dead_letters
        ]

    def function(self, name: str, path: str) -> PythonFunction:
        data = self.data
        environment = {
            "ORDERS_TABLE": data.orders.table_name,
            "CUSTOMERS_TABLE": data.customers.table_name,
            "VAULT_KEY_ID": data.key.key_id,
            "FILES_BUCKET": data.files.bucket_name,
        }
        function = PythonFunction(
            self, name, path, self.layers, environment, timeout=29, memory=512
        )
        function.add_layers(self.layers.packages("documents"))
        data.orders.permit(function, *CHANGE, "Query")
        data.customers.permit(function, "GetItem", *(["PutItem"] if name == "InvoicesApi" else []))
        data.files.permit(function, "GetObject", "PutObject", folders=["documents"])
        data.permit_vault(function, "kms:Decrypt")
        return function
