"""What customers are told."""

from constructs import Construct

from infra.consumers import Subscription
from infra.data import Data
from infra.python_function import Layers, PythonFunction

TOLD = [
    "BackorderReleased",
    "BackorderRescheduled",
    "FulfillmentOrderDelivered",
    "FulfillmentOrderReady",
    "FulfillmentOrderShipped",
    "OrderBackordered",
    "OrderCancelled",
    "OrderEdited",
    "OrderLinesCancelled",
    "PaymentAuthorized",
    "PromiseRevised",
    "RefundGranted",
    "ReturnApproved",
    "ReturnDeclined",
    "ReturnExpired",
    "ReturnReceived",
    "ReturnSettled",
]


class Notifications(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Notifications")
        self.notify = PythonFunction(
            self,
            "NotifyCustomer",
            "notifications/notify_customer",
            layers,
            {
                "ORDERS_TABLE": data.orders.table_name,
                "CUSTOMERS_TABLE": data.customers.table_name,
                "REPORTS_TABLE": data.reports.table_name,
                "VAULT_KEY_ID": data.key.key_id,
                "SENDER_EMAIL": data.mails.sender,
                "SECRET_ID": data.secrets.arn,
                "TRACKING_PAGES": tracking_pages(self),
            },
            timeout=30,
        )
        data.orders.permit(self.notify, "GetItem")
        data.customers.permit(self.notify, "GetItem")
        data.reports.permit(self.notify, "PutItem", "DeleteItem")
        data.mails.permit(self.notify)
        data.secrets.permit(self.notify)
        data.permit_vault(self.notify, "kms:Decrypt")
        self.dead_letters = [Subscription(self.notify, data, TOLD).dead_letters]


def tracking_pages(scope: Construct) -> str:
    """What the address of a customer's page begins with; the order's token follows."""
    return scope.node.try_get_context("trackingPages") or "none"
