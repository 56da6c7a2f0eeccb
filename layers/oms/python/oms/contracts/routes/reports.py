"""Routes of reports."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/reports/sales", "ReportsApi", "reports.read",
          None, "SalesReport", "See sales by day, channel and currency"),
)
# fmt: on
