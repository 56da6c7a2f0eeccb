"""Routes of payments."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/orders/{order_id}/payments", "PaymentsApi", "orders.read",
          None, "Payments", "See what an order asked of payment providers, and how it ended"),
    Route("POST", "/orders/{order_id}/payments/{operation_id}/confirm", "PaymentsApi",
          "payments.write", "ConfirmPayment", "Payments",
          "Say how a payment ended that only people see: a transfer, cash, a refund by hand"),
    Route("POST", "/payments/{provider}/webhooks", "ReceivePaymentWebhook", None,
          None, "Received", "Take a payment's outcome from its provider, signed by it"),
)
# fmt: on
