"""Money: authorised before routing, captured as goods leave, voided or refunded if they do not."""

from constructs import Construct

from infra.consumers import DeadLetters, Subscription
from infra.data import CHANGE, Data
from infra.payment_providers import let_ask_providers
from infra.python_function import Layers, PythonFunction

HANDED_OVER = ["FulfillmentOrderCollected", "FulfillmentOrderShipped"]
# A refund that was asked for may have waited for a hold to be released.
MAY_GIVE_BACK = ["PaymentOperationRequested", "PaymentOperationRetried", "HoldReleased"]
# What an edit costs more is asked for, or not wanted any more.
EDITS = ["OrderEditAccepted", "OrderEditDeclined"]


class Payments(Construct):
    def __init__(self, scope: Construct, data: Data, layers: Layers) -> None:
        super().__init__(scope, "Payments")
        tables = {"ORDERS_TABLE": data.orders.table_name, "STOCK_TABLE": data.stock.table_name}
        self.authorize = PythonFunction(
            self, "AuthorizePayment", "payments/authorize_payment", layers, tables
        )
        self.capture = PythonFunction(
            self, "CapturePayment", "payments/capture_payment", layers, tables
        )
        self.refund = PythonFunction(
            self, "RefundPayment", "payments/refund_payment", layers, tables
        )
        self.webhooks = PythonFunction(
            self,
            "ReceivePaymentWebhook",
            "payments/receive_payment_webhook",
            layers,
            tables,
            timeout=29,
        )
        self.api = PythonFunction(self, "PaymentsApi", "payments/api", layers, tables, timeout=29)
        data.orders.permit(self.api, *CHANGE, "Query")
        data.stock.permit(self.api, *CHANGE)
        for function in (self.authorize, self.capture, self.refund, self.webhooks):
            data.orders.permit(function, *CHANGE)
            # the deadlines of authorizations; what an edit that is paid for takes out of boxes
            data.stock.permit(function, *CHANGE)
            let_ask_providers(function, data, layers)
        self.dead_letters: list[DeadLetters] = [
            Subscription(self.capture, data, HANDED_OVER).dead_letters,
            Subscription(self.refund, data, [*MAY_GIVE_BACK, *EDITS]).dead_letters,
        ]
