"""Routes of tracking."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/carriers/{carrier}/webhooks", "ReceiveCarrierWebhook", None,
          None, "Received", "Take a parcel's scans from its carrier, signed by it"),
)
# fmt: on
