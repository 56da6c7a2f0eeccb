"""The HTTP API in one table: the deployment, the OpenAPI document and each `api.py` read it."""

from dataclasses import dataclass

RESOURCE_SERVER = "oms"

SCOPES = {
    "orders.read": "See orders and their history",
    "orders.write": "Place, hold and cancel orders",
    "stock.read": "See locations and stock",
    "stock.write": "Receive stock, change locations",
    "fulfillment.read": "See fulfillment orders",
    "fulfillment.write": "Accept, pick, pack, ship, deliver and reject fulfillment orders",
    "reports.read": "See reports",
    "ops": "Decide what needs attention, check the books",
}


@dataclass(frozen=True, slots=True)
class Route:
    """`scope` None: no token is asked for, the function verifies the sender's own signature.

    `request` and `response` name models of `oms.contracts.api`.
    """

    method: str
    path: str
    function_id: str
    scope: str | None
    request: str | None
    response: str | None
    summary: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"


# fmt: off
ROUTES = (
    Route("POST", "/orders", "CaptureApi", "orders.write",
          "PlaceOrder", "Order", "Place an order; the same order again answers the first"),
    Route("GET", "/orders", "CaptureApi", "orders.read",
          None, "OrderPage", "List orders, newest first"),
    Route("GET", "/orders/{order_id}", "CaptureApi", "orders.read",
          None, "Order", "See an order as it is now"),
    Route("GET", "/orders/{order_id}/events", "CaptureApi", "orders.read",
          None, "EventPage", "See everything that happened to an order"),
    Route("POST", "/orders/{order_id}/cancel", "CaptureApi", "orders.write",
          "CancelOrder", "Order", "Cancel an order, or some of its lines, before it ships"),
    Route("POST", "/orders/{order_id}/holds", "CaptureApi", "orders.write",
          "PlaceHold", "Order", "Keep an order from going on"),
    Route("POST", "/orders/{order_id}/holds/{hold_id}/release", "CaptureApi", "orders.write",
          "ReleaseHold", "Order", "Release a hold"),
    Route("POST", "/channels/{channel}/webhooks", "ReceiveChannelOrder", None,
          None, "Received", "Take an order from a sales channel, signed by it"),

    Route("POST", "/payments/{provider}/webhooks", "ReceivePaymentWebhook", None,
          None, "Received", "Take a payment's outcome from its provider, signed by it"),
    Route("POST", "/carriers/{carrier}/webhooks", "ReceiveCarrierWebhook", None,
          None, "Received", "Take a parcel's scans from its carrier, signed by it"),

    Route("GET", "/availability", "InventoryApi", "stock.read",
          None, "Availability", "See what can be promised of some SKUs"),
    Route("GET", "/stock/{sku}", "InventoryApi", "stock.read",
          None, "Stock", "See a SKU's stock at every location"),
    Route("POST", "/stock/{sku}/{location}/receipts", "InventoryApi", "stock.write",
          "ReceiveStock", "Stock", "Receive units; a new SKU is created with its first receipt"),
    Route("GET", "/locations", "InventoryApi", "stock.read",
          None, "Locations", "List the locations"),
    Route("PUT", "/locations/{location}", "InventoryApi", "stock.write",
          "PutLocation", "Location", "Open or change a location"),

    Route("GET", "/fulfillment-orders", "FulfillmentApi", "fulfillment.read",
          None, "FulfillmentOrderPage", "List a location's fulfillment orders"),
    Route("GET", "/fulfillment-orders/{id}", "FulfillmentApi", "fulfillment.read",
          None, "FulfillmentOrder", "See a fulfillment order"),
    Route("POST", "/fulfillment-orders/{id}/accept", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Accept the work"),
    Route("POST", "/fulfillment-orders/{id}/pick", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that it is being picked"),
    Route("POST", "/fulfillment-orders/{id}/pack", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that it is packed"),
    Route("POST", "/fulfillment-orders/{id}/ship", "FulfillmentApi", "fulfillment.write",
          "Ship", "FulfillmentOrder", "Hand its parcels to their carriers"),
    Route("POST", "/fulfillment-orders/{id}/deliver", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that parcels without a carrier's scans have arrived"),
    Route("POST", "/fulfillment-orders/{id}/reject", "FulfillmentApi", "fulfillment.write",
          "Reject", "FulfillmentOrder", "Say that the location cannot do it"),

    Route("GET", "/reports/sales", "ReportsApi", "reports.read",
          None, "SalesReport", "See sales by day, channel and currency"),

    Route("GET", "/attention", "OpsApi", "ops",
          None, "AttentionPage", "List the orders that wait for a decision"),
    Route("POST", "/attention/{order_id}/retry", "OpsApi", "ops",
          "ResolveAttention", "Order", "Let the order try again"),
    Route("POST", "/attention/{order_id}/cancel", "OpsApi", "ops",
          "ResolveAttention", "Order", "Cancel the order"),
    Route("POST", "/attention/{order_id}/ignore", "OpsApi", "ops",
          "ResolveAttention", "Order", "Leave the order as it is and close its workflow"),
    Route("GET", "/books", "OpsApi", "ops",
          None, "Books", "Do units and money balance?"),
)
# fmt: on
