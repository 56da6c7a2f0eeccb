"""Routes of supply."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/purchase-orders", "SupplyApi", "stock.write",
          "OrderSupply", "PurchaseOrder", "Announce what a supplier will bring, and when"),
    Route("GET", "/purchase-orders", "SupplyApi", "stock.read",
          None, "PurchaseOrderPage", "List purchase orders, newest first"),
    Route("GET", "/purchase-orders/{id}", "SupplyApi", "stock.read",
          None, "PurchaseOrder", "See a purchase order, and what has come of it"),
    Route("POST", "/purchase-orders/{id}/receipts", "SupplyApi", "stock.write",
          "ReceiveLines", "PurchaseReceipt", "Receive what has come: some, all, or more"),
    Route("POST", "/purchase-orders/{id}/reschedule", "SupplyApi", "stock.write",
          "RescheduleLines", "PurchaseOrder", "Expect lines on another day"),
    Route("POST", "/purchase-orders/{id}/close", "SupplyApi", "stock.write",
          "CallOff", "PurchaseOrder", "Say what will not come any more"),
    Route("POST", "/purchase-orders/{id}/cancel", "SupplyApi", "stock.write",
          "CancelSupply", "PurchaseOrder", "Cancel it before anything has come"),
    Route("POST", "/transfers", "SupplyApi", "stock.write",
          "DraftTransfer", "Transfer", "Draft a transfer between two locations"),
    Route("GET", "/transfers", "SupplyApi", "stock.read",
          None, "TransferPage", "List transfers, newest first"),
    Route("GET", "/transfers/{id}", "SupplyApi", "stock.read",
          None, "Transfer", "See a transfer, and what is on its way"),
    Route("POST", "/transfers/{id}/send", "SupplyApi", "stock.write",
          None, "Transfer", "Let its units leave their source"),
    Route("POST", "/transfers/{id}/receipts", "SupplyApi", "stock.write",
          "ReceiveLines", "Transfer", "Receive what has arrived, some or all"),
    Route("POST", "/transfers/{id}/reschedule", "SupplyApi", "stock.write",
          "RescheduleTransfer", "Transfer", "Expect it on another day"),
    Route("POST", "/transfers/{id}/close", "SupplyApi", "stock.write",
          "CloseTransfer", "Transfer", "Say what becomes of units that will not arrive"),
    Route("POST", "/transfers/{id}/cancel", "SupplyApi", "stock.write",
          "CancelTransfer", "Transfer", "Cancel it before anything has arrived"),
)
# fmt: on
