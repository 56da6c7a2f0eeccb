"""Money: authorised before routing, captured as goods leave, voided or refunded if they do not."""

from constructs import Construct

from infra.consumers import DeadLetters, Subscription
from infra.data import CHANGE, Data
from infra.python_function import Layers, PythonFunction

HANDED_OVER = ["FulfillmentOrderCollected", "FulfillmentOrderShipped"]


class Payments(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Payments")
        orders = {"ORDERS_TABLE": data.orders.table_name}
        self.authorize = PythonFunction(
            self, "AuthorizePayment", "payments/authorize_payment", layers, orders
        )
        self.capture = PythonFunction(
            self, "CapturePayment", "payments/capture_payment", layers, orders
        )
        self.refund = PythonFunction(
            self, "RefundPayment", "payments/refund_payment", layers, orders
        )
        self.webhooks = PythonFunction(
            self,
            "ReceivePaymentWebhook",
            "payments/receive_payment_webhook",
            layers,
            {**orders, "SECRET_ID": data.secrets.arn},
            timeout=29,
        )
        for function in (self.authorize, self.capture, self.refund, self.webhooks):
            data.orders.permit(function, *CHANGE)
        data.secrets.permit(self.webhooks)
        self.dead_letters: list[DeadLetters] = [
            Subscription(self.capture, data, HANDED_OVER).dead_letters,
            Subscription(self.refund, data, ["PaymentOperationRequested"]).dead_letters,
        ]
