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
    Route("GET", "/stock/{sku}/movements", "InventoryApi", "stock.read",
          None, "MovementPage", "See what moved a SKU's stock, newest first"),
    Route("POST", "/stock/{sku}/{location}/adjustments", "InventoryApi", "stock.write",
          "AdjustStock", "Stock", "Write units off, or add units that were found"),
    Route("POST", "/stock/{sku}/{location}/counts", "InventoryApi", "stock.write",
          "CountStock", "Count", "Set a level to what was counted; answers the variance"),
    Route("GET", "/items/{sku}", "InventoryApi", "stock.read",
          None, "Item", "See a stock item: its attributes, its policy, its former SKUs"),
    Route("PUT", "/items/{sku}", "InventoryApi", "stock.write",
          "PutItem", "Item", "Create a stock item or a kit, or change what is said of it"),
    Route("DELETE", "/items/{sku}", "InventoryApi", "stock.write",
          None, "Item", "Offer an item no longer; its counts and open orders stay"),
    Route("POST", "/items/{sku}/rename", "InventoryApi", "stock.write",
          "RenameItem", "Item", "Give an item another SKU; its counts and open orders stay"),
    Route("GET", "/channels/{channel}", "InventoryApi", "stock.read",
          None, "Channel", "See what a sales channel sells from"),
    Route("PUT", "/channels/{channel}", "InventoryApi", "stock.write",
          "PutChannel", "Channel", "Say what a sales channel sells from"),
)
# fmt: on
