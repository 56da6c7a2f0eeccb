"""Routes of reports."""

from oms.contracts.routes.route import Route
from oms.domain.reporting.catalogue import REPORTS

# fmt: off
ROUTES = (
    *(Route("GET", f"/reports/{name}", "ReportsApi", "reports.read",
            None, "Report", f"See the report of {name}, or have it as CSV") for name in REPORTS),
    Route("POST", "/reports/rebuilds", "ReportsApi", "ops",
          "RebuildReport", "Rebuild", "Have the rows of a report made anew"),
    Route("GET", "/reports/rebuilds/{rebuild_id}", "ReportsApi", "ops",
          None, "Rebuild", "See how far a report's rows are made anew"),
)
# fmt: on
