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
    Route("POST", "/drafts", "DraftsApi", "orders.write",
          "DraftOrder", "Draft", "Take down as much of an order as is known"),
    Route("GET", "/drafts", "DraftsApi", "orders.read",
          None, "DraftPage", "List drafts, newest first"),
    Route("GET", "/drafts/{draft_id}", "DraftsApi", "orders.read",
          None, "Draft", "See a draft"),
    Route("PUT", "/drafts/{draft_id}", "DraftsApi", "orders.write",
          "PutDraft", "Draft", "Change a draft"),
    Route("DELETE", "/drafts/{draft_id}", "DraftsApi", "orders.write",
          None, "Draft", "Throw a draft away"),
    Route("POST", "/drafts/{draft_id}/place", "DraftsApi", "orders.write",
          None, "Order", "Place a draft as an order; the same draft again answers the first"),
    Route("POST", "/channels/{channel}/webhooks", "ReceiveChannelOrder", None,
          None, "Received", "Take an order from a sales channel, signed by it"),
    Route("GET", "/channels/{channel}/webhooks", "ReceiveChannelOrder", None,
          None, None, "Answer a sales channel that asks whether this address expects it"),
)
# fmt: on
