"""Routes of payments."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/payments/{provider}/webhooks", "ReceivePaymentWebhook", None,
          None, "Received", "Take a payment's outcome from its provider, signed by it"),
)
# fmt: on
