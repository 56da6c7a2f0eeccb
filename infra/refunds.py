"""Money back as goodwill."""

from constructs import Construct

from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction


class Refunds(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Refunds")
        orders = {"ORDERS_TABLE": data.orders.table_name}
        self.api = PythonFunction(self, "RefundsApi", "refunds/api", layers, orders, timeout=29)
        data.orders.permit(self.api, *CHANGE)
