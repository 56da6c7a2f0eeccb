"""Routes of refunds."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/orders/{order_id}/refunds", "RefundsApi", "refunds",
          "GrantRefund", "Order", "Give money back as goodwill, within what one's role may"),
)
# fmt: on
