"""Edits of orders that were placed."""

from constructs import Construct

from infra.capture import payment_providers
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction


class Edits(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Edits")
        self.api = PythonFunction(
            self,
            "EditsApi",
            "edits/api",
            layers,
            {
                "ORDERS_TABLE": data.orders.table_name,
                "STOCK_TABLE": data.stock.table_name,
                "CUSTOMERS_TABLE": data.customers.table_name,
                "VAULT_KEY_ID": data.key.key_id,
                "SECRET_ID": data.secrets.arn,
                "PAYMENT_PROVIDERS": payment_providers(self, layers.target),
            },
            timeout=29,
        )
        data.orders.permit(self.api, *CHANGE, "Query")
        data.stock.permit(self.api, *WRITE, "BatchGetItem", "GetItem", "Query")
        data.customers.permit(self.api, "GetItem", "PutItem", "UpdateItem")
        data.secrets.permit(self.api)
        for verb in ("kms:Decrypt", "kms:GenerateDataKey"):
            data.permit_vault(self.api, verb)
