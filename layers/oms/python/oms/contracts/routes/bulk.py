"""Routes of bulk."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/stock/imports", "BulkApi", "stock.write",
          "ImportStock", "Import", "Announce a CSV of stock levels; its rows are counts"),
    Route("POST", "/stock/imports/{id}/start", "BulkApi", "stock.write",
          None, "Job", "Load the file that was uploaded"),
    Route("POST", "/orders/imports", "BulkApi", "orders.write",
          "ImportOrders", "Import", "Announce a CSV of orders, of tills and wholesale"),
    Route("POST", "/orders/imports/{id}/start", "BulkApi", "orders.write",
          None, "Job", "Place the orders of the file that was uploaded"),
    Route("POST", "/stock/exports", "BulkApi", "stock.read",
          None, "Job", "Write all stock levels into a CSV"),
    Route("GET", "/jobs", "BulkApi", "jobs",
          None, "JobPage", "List long jobs, newest first"),
    Route("GET", "/jobs/{id}", "BulkApi", "jobs",
          None, "Job", "See how far a job is, and what it has made"),
    Route("POST", "/jobs/{id}/resume", "BulkApi", "jobs",
          None, "Job", "Let a job that failed or stands still go on from where it is"),
    Route("POST", "/jobs/{id}/cancel", "BulkApi", "jobs",
          None, "Job", "Stop a job; what it has done stays done"),
)
# fmt: on
