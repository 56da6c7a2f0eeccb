"""Store credit and gift cards: a ledger among the orders, whose expiry is on the stock's agenda."""

from constructs import Construct

from infra.data import Data
from infra.python_function import Layers, PythonFunction


class Credit(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Credit")
        self.api = PythonFunction(
            self,
            "CreditApi",
            "credit/api",
            layers,
            {
                "ORDERS_TABLE": data.orders.table_name,
                "STOCK_TABLE": data.stock.table_name,
                "CUSTOMERS_TABLE": data.customers.table_name,
                "SECRET_ID": data.secrets.arn,
            },
            timeout=29,
        )
        data.orders.permit(self.api, "GetItem", "PutItem", "Query")
        data.stock.permit(self.api, "PutItem")
        data.customers.permit(self.api, "GetItem")
        data.secrets.permit(self.api)
