"""Orders come in: the API of storefronts, and the webhooks of sales channels."""

from constructs import Construct

from infra.bundling import Target
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction


class Capture(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Capture")
        placing = {
            "ORDERS_TABLE": data.orders.table_name,
            "CUSTOMERS_TABLE": data.customers.table_name,
            "VAULT_KEY_ID": data.key.key_id,
            "SECRET_ID": data.secrets.arn,
        }
        stock = {"STOCK_TABLE": data.stock.table_name}
        providers = {"PAYMENT_PROVIDERS": payment_providers(self, layers.target)}
        self.api = PythonFunction(
            self,
            "CaptureApi",
            "capture/api",
            layers,
            {**placing, **stock, **providers},
            timeout=29,
        )
        self.channels = PythonFunction(
            self,
            "ReceiveChannelOrder",
            "capture/receive_channel_order",
            layers,
            {**placing, **stock},
            timeout=29,
        )
        for function in (self.api, self.channels):
            permit_placing(function, data)
        data.orders.permit(self.api, *CHANGE, "BatchGetItem", "Query", indexes=("GSI1", "GSI2"))
        data.stock.permit(self.api, *WRITE, "BatchGetItem", "GetItem")
        data.stock.permit(self.channels, "BatchGetItem")


def payment_providers(scope: Construct, target: Target) -> str:
    """`test` ships goods that nobody pays for: where there are none, or for who asks for it."""
    sandbox = target.is_local or scope.node.try_get_context("sandboxPayments") == "true"
    return ",".join(["external", *(["test"] if sandbox else [])])


def permit_placing(function: PythonFunction, data: Data) -> None:
    data.orders.permit(function, "GetItem", "PutItem")
    data.customers.permit(function, "PutItem")
    data.secrets.permit(function)
    data.permit_vault(function, "kms:GenerateDataKey")
