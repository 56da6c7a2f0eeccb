"""Routes of what is known of persons."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/customers/{customer_id}/privacy", "PrivacyApi", "privacy",
          None, "Privacy", "See what is kept of a person and until when, and who read it"),
    Route("GET", "/customers/{customer_id}/reads", "PrivacyApi", "privacy",
          None, "ReadsPage", "List who read what of a person, and why"),
    Route("POST", "/customers/{customer_id}/export", "PrivacyApi", "privacy",
          None, "Export", "Export everything about a person, as JSON and as a page"),
    Route("POST", "/customers/{customer_id}/erase", "PrivacyApi", "privacy",
          None, "Erasure", "Erase a person; orders and amounts stay, and name nobody"),
)
# fmt: on
