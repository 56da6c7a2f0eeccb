"""What is expected to come: purchase orders and transfers."""

from constructs import Construct

from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction


class Supply(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Supply")
        stock = {"STOCK_TABLE": data.stock.table_name}
        self.api = PythonFunction(self, "SupplyApi", "supply/api", layers, stock, timeout=29)
        data.stock.permit(self.api, *CHANGE, "BatchGetItem", "ConditionCheckItem", "Query")
