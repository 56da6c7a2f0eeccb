"""Routes of inventory."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
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
)
# fmt: on
