"""Routes of what customers are told."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/orders/{order_id}/notices", "NotificationsApi", "notices",
          None, "Notices", "See what an order's customer was told, and why not"),
    Route("POST", "/orders/{order_id}/notices/{event_id}/resend", "NotificationsApi", "notices",
          None, "Notice", "Send a mail to an order's customer once more"),
    Route("POST", "/orders/{order_id}/notices/allow", "NotificationsApi", "notices",
          None, "Allowed", "Write again to an order's address that had bounced or complained"),
    Route("GET", "/notices/templates", "NotificationsApi", "notices",
          None, "Templates", "List the templates that there are, and those that are yours"),
    Route("POST", "/notices/templates", "NotificationsApi", "notices",
          "PutTemplate", "Template", "Save a template as its next version"),
    Route("POST", "/notices/templates/preview", "NotificationsApi", "notices",
          "PreviewTemplate", "Preview", "See a template with a sample order, as JSON or as HTML"),
    Route("GET", "/notices/templates/{event}", "NotificationsApi", "notices",
          None, "Template", "See a template and the variables that it may name"),
    Route("POST", "/notices/templates/{event}/activate", "NotificationsApi", "notices",
          "ActivateTemplate", "Template", "Use a version of a template from now on"),
    Route("POST", "/notices/templates/{event}/rollback", "NotificationsApi", "notices",
          "RollBackTemplate", "Template", "Use the version again that was used before"),
    Route("GET", "/notices/unsubscribe/{token}", "UnsubscribePage", None,
          None, None, "For the customer: a page to choose what to hear of"),
    Route("POST", "/notices/unsubscribe/{token}", "UnsubscribePage", None,
          None, None, "For the customer: choose it, by the page or by a mail client's one click"),
)
# fmt: on
