"""Policies are data: who may changes them without a deployment."""

from constructs import Construct

from infra.data import Data
from infra.python_function import Layers, PythonFunction


class Policies(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Policies")
        orders = {"ORDERS_TABLE": data.orders.table_name}
        self.api = PythonFunction(self, "PoliciesApi", "policies/api", layers, orders, timeout=29)
        data.orders.permit(self.api, "GetItem", "PutItem")
