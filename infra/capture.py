"""Orders come in by the API of storefronts, and as drafts of staff."""

from constructs import Construct

from infra.bundling import Target
from infra.data import CHANGE, WRITE, Data
from infra.python_function import Layers, PythonFunction
from oms.adapters.drafts_table import PURPOSE


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
        self.drafts = PythonFunction(
            self,
            "DraftsApi",
            "capture/drafts_api",
            layers,
            {**placing, **stock, **providers},
            timeout=29,
        )
        for function in (self.api, self.drafts):
            permit_placing(function, data)
        permit_drafts(self.drafts, data)
        data.orders.permit(self.api, *CHANGE, "BatchGetItem", "Query", indexes=("GSI1", "GSI2"))
        data.stock.permit(self.api, *WRITE, "BatchGetItem", "GetItem")


def payment_providers(scope: Construct, target: Target) -> str:
    """Who needs an account, or somebody to confirm, is named by the deployment. `test` ships goods
    that nobody pays for: where there are none, or for who asks for it."""
    named = str(scope.node.try_get_context("paymentProviders") or "").split(",")
    by_hand = ["bank_transfer", "cash_on_delivery"] if target.is_local else []
    sandbox = target.is_local or scope.node.try_get_context("sandboxPayments") == "true"
    known = ["external", "store_credit", "gift_card", *by_hand, *(["test"] if sandbox else [])]
    return ",".join([*known, *(name for name in named if name and name not in known)])


def permit_drafts(function: PythonFunction, data: Data) -> None:
    """They are sealed for a purpose of their own: who reads them reads no contacts."""
    data.orders.permit(function, "BatchGetItem", "DeleteItem", "UpdateItem")
    data.stock.permit(function, "BatchGetItem", "GetItem", "PutItem", "UpdateItem")
    for verb in ("kms:Decrypt", "kms:GenerateDataKey"):
        data.permit_vault(function, verb, PURPOSE)


def permit_placing(function: PythonFunction, data: Data) -> None:
    data.orders.permit(function, "GetItem", "PutItem", indexes=("GSI1",))
    data.customers.permit(function, "GetItem", "PutItem")
    data.secrets.permit(function)
    data.permit_vault(function, "kms:GenerateDataKey")
