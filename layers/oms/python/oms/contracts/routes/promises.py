"""Routes of promises."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/promises", "PromisesApi", "stock.read",
          "AskPromises", "Promises", "See by when a cart can be with its customer, and how sure"),
    Route("GET", "/reports/promises", "PromisesApi", "reports.read",
          None, "KeptPromisesReport", "See how promises were kept, by location or by carrier"),
)
# fmt: on
