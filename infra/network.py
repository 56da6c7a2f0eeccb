"""The fulfillment network as its keepers see it: locations, their capacity, the carriers' rates."""

from constructs import Construct

from infra.data import Data
from infra.python_function import Layers, PythonFunction


class Network(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Network")
        stock = {"STOCK_TABLE": data.stock.table_name}
        self.api = PythonFunction(self, "NetworkApi", "network/api", layers, stock, timeout=29)
        data.stock.permit(self.api, "BatchGetItem", "GetItem", "PutItem", "Query")
