"""Where parcels are, as their carriers say."""

from constructs import Construct

from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction


class Tracking(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Tracking")
        self.webhooks = PythonFunction(
            self,
            "ReceiveCarrierWebhook",
            "tracking/receive_carrier_webhook",
            layers,
            {
                "ORDERS_TABLE": data.orders.table_name,
                "SECRET_ID": data.secrets.arn,
            },
            timeout=29,
        )
        data.orders.permit(self.webhooks, *CHANGE, "Query")
        data.secrets.permit(self.webhooks)
