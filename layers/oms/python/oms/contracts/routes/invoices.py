"""Routes of invoices and credit notes."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/orders/{order_id}/documents", "InvoicesApi", "documents",
          None, "DocumentList", "Issue the invoices and credit notes that an order lacks"),
    Route("GET", "/orders/{order_id}/documents", "InvoicesApi", "documents",
          None, "DocumentList", "List the invoices and credit notes of an order"),
    Route("GET", "/documents/{number}", "InvoicesApi", "documents",
          None, "Document", "See an invoice or credit note, with a link to its PDF"),
)
# fmt: on
