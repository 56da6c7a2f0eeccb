"""Routes of capture."""

from oms.contracts.routes.route import Route

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
)
# fmt: on
