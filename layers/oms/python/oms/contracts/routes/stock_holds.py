"""Routes of cart holds."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/holds", "HoldsApi", "orders.write",
          "HoldStock", "StockHold", "Hold units for a cart until a deadline, all or none"),
    Route("GET", "/holds/{hold_id}", "HoldsApi", "orders.read",
          None, "StockHold", "See a cart's hold"),
    Route("PUT", "/holds/{hold_id}", "HoldsApi", "orders.write",
          "ChangeStockHold", "StockHold", "Hold what the cart has become, or keep what it had"),
    Route("POST", "/holds/{hold_id}/extend", "HoldsApi", "orders.write",
          "ExtendStockHold", "StockHold", "Give the cart more time"),
    Route("POST", "/holds/{hold_id}/release", "HoldsApi", "orders.write",
          None, "StockHold", "Let go of the units"),
)
# fmt: on
