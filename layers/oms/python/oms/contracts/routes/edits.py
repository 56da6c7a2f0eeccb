"""Routes of edits of orders that were placed."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/orders/{order_id}/edits", "EditsApi", "orders.write",
          "ProposeEdit", "Edit", "See what an edit of an order would come to; it is not applied"),
    Route("GET", "/orders/{order_id}/edits", "EditsApi", "orders.read",
          None, "EditPage", "List the edits that were proposed for an order"),
    Route("GET", "/orders/{order_id}/edits/{edit_id}", "EditsApi", "orders.read",
          None, "Edit", "See an edit and what became of it"),
    Route("POST", "/orders/{order_id}/edits/{edit_id}/apply", "EditsApi", "orders.write",
          "ApplyEdit", "Order", "Apply an edit, or ask for the money that it waits for (202)"),
    Route("POST", "/orders/{order_id}/edits/{edit_id}/discard", "EditsApi", "orders.write",
          None, "Edit", "Drop an edit that is not applied"),
)
# fmt: on
