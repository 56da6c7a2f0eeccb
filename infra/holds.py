"""Carts hold the units that they are about to buy."""

from constructs import Construct

from infra.data import WRITE, Data
from infra.python_function import Layers, PythonFunction


class Holds(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Holds")
        self.api = PythonFunction(
            self,
            "HoldsApi",
            "holds/api",
            layers,
            {"ORDERS_TABLE": data.orders.table_name, "STOCK_TABLE": data.stock.table_name},
            timeout=29,
        )
        data.stock.permit(self.api, "BatchGetItem", "GetItem", "Query", *WRITE)
        data.orders.permit(self.api, "BatchGetItem")
