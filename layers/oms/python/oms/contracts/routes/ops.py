"""Routes of ops."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/attention", "OpsApi", "ops",
          None, "AttentionPage", "List the orders that wait for a decision"),
    Route("POST", "/attention/{order_id}/retry", "OpsApi", "ops",
          "ResolveAttention", "Order", "Let the order, or the return of this id, try again"),
    Route("POST", "/attention/{order_id}/cancel", "OpsApi", "ops",
          "ResolveAttention", "Order", "Cancel the order, or the return of this id"),
    Route("POST", "/attention/{order_id}/ignore", "OpsApi", "ops",
          "ResolveAttention", "Order", "Leave the order or return as it is and close its workflow"),
)
# fmt: on
