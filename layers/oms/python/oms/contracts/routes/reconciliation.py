"""Routes of statements of others."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("POST", "/reconciliations", "ReconciliationApi", "ops",
          "ReconcileStatement", "AnnouncedReconciliation",
          "Announce a statement of a provider, a carrier or a channel as a CSV"),
    Route("POST", "/reconciliations/{id}/start", "ReconciliationApi", "ops",
          None, "Reconciliation", "Compare the statement that was uploaded with what we have done"),
    Route("GET", "/reconciliations", "ReconciliationApi", "reports.read",
          None, "ReconciliationPage", "List reconciliations, newest first"),
    Route("GET", "/reconciliations/{id}", "ReconciliationApi", "reports.read",
          None, "Reconciliation", "See what matched, what is missing and what differs"),
    Route("GET", "/reconciliations/{id}/lines", "ReconciliationApi", "reports.read",
          None, "StatementLinePage", "List what became of each line, and of what is not stated"),
)
# fmt: on
