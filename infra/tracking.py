"""Where parcels are, as their carriers say."""

from aws_cdk import Duration
from constructs import Construct

from infra.consumers import DeadLetters, Schedule
from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction

LOOK_EVERY = Duration.minutes(15)


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
        self.watch(data, layers)

    def watch(self, data: Data, layers: Layers) -> None:
        """Asks carriers that do not tell; its dead letters are what it has asked for in vain."""
        watch = PythonFunction(
            self,
            "WatchShipments",
            "tracking/watch_shipments",
            layers,
            {
                "ORDERS_TABLE": data.orders.table_name,
                "STOCK_TABLE": data.stock.table_name,
                "SECRET_ID": data.secrets.arn,
            },
            timeout=300,
        )
        data.orders.permit(watch, *CHANGE, "Query")
        data.stock.permit(watch, "DeleteItem", "PutItem", "Query")
        data.secrets.permit(watch)
        dead_letters = Schedule(watch, LOOK_EVERY).dead_letters
        watch.add_environment("POLL_FAILURES", dead_letters.queue_url)
        self.dead_letters: list[DeadLetters] = [dead_letters]
