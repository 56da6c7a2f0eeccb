"""Labels and manifests: the function that opens addresses to have them printed or bought, and the
one that gives back what is bought and not used."""

from constructs import Construct

from infra.consumers import Subscription
from infra.data import Data
from infra.python_function import Layers, PythonFunction

EASYPOST = "https://api.easypost.com/v2"
PRINTED, BOUGHT = "manual", "easypost"


# After these a box may be one that will not leave.
STOPPING = [
    "FulfillmentOrderRejected",
    "FulfillmentOrderShortPicked",
    "OrderCancelled",
    "OrderEdited",
    "OrderLinesCancelled",
    "UnitsFulfilledElsewhere",
]


class Labels(Construct):
    """`labelCarriers` names whose labels are had (`easypost,manual`): EasyPost where its key is in
    the secret, any other by its card. `easypostApi` names a stand-in of EasyPost."""

    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Labels")
        carriers = [BOUGHT, PRINTED, *(["test"] if layers.target.is_local else [])]
        context = self.node.try_get_context
        asking = {
            "ORDERS_TABLE": data.orders.table_name,
            "STOCK_TABLE": data.stock.table_name,
            "SECRET_ID": data.secrets.arn,
            "LABEL_CARRIERS": context("labelCarriers") or ",".join(carriers),
            "EASYPOST_API": context("easypostApi") or EASYPOST,
        }
        self.add_api(data, layers, asking)
        self.void = PythonFunction(
            self, "VoidLabels", "labels/void_labels", layers, asking, timeout=60
        )
        data.orders.permit(self.void, "GetItem", "PutItem", "Query")
        self.dead_letters = [Subscription(self.void, data, STOPPING).dead_letters]
        for function in (self.api, self.void):
            function.add_layers(layers.packages("documents"), layers.packages("carriers"))
            data.stock.permit(function, "GetItem", "Query")
            data.secrets.permit(function)

    def add_api(self, data: Data, layers: Layers, asking: dict[str, str]) -> None:
        opening = {
            "CUSTOMERS_TABLE": data.customers.table_name,
            "VAULT_KEY_ID": data.key.key_id,
            "FILES_BUCKET": data.files.bucket_name,
        }
        self.api = PythonFunction(
            self,
            "LabelsApi",
            "labels/api",
            layers,
            {**asking, **opening},
            timeout=29,
            memory=512,
        )
        verbs = ("GetItem", "PutItem", "BatchGetItem", "Query")
        data.orders.permit(self.api, *verbs, indexes=("GSI1",))
        data.customers.permit(self.api, "GetItem", "PutItem")
        data.permit_vault(self.api, "kms:Decrypt")
        files = ("GetObject", "PutObject", "AbortMultipartUpload")
        data.files.permit(self.api, *files, folders=["labels"])
