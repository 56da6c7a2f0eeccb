"""Routes of customers: profiles, segments."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES: tuple[Route, ...] = (
    Route("GET", "/customers", "CustomersApi", "customers.read",
          None, "CustomerPage", "Find customers by e-mail address, telephone number or name"),
    Route("GET", "/customers/{customer_id}", "CustomersApi", "customers.read",
          None, "CustomerProfile", "See what is known of a customer"),
    Route("PUT", "/customers/{customer_id}", "CustomersApi", "customers.write",
          "PutCustomer", "CustomerProfile", "Say what is known of a customer"),
    Route("GET", "/customers/{customer_id}/orders", "CustomersApi", "customers.read",
          None, "OrderPage", "List the orders of a customer, of all identities, newest first"),
    Route("GET", "/customers/{customer_id}/changes", "CustomersApi", "customers.read",
          None, "CustomerChangePage", "See who changed what of a customer, newest first"),
    Route("POST", "/customers/{customer_id}/tags", "CustomersApi", "customers.write",
          "TagCustomer", "CustomerProfile", "Put tags on a customer, or take them off"),
    Route("POST", "/customers/{customer_id}/consents", "CustomersApi", "customers.write",
          "GiveConsent", "CustomerProfile", "Note that a customer consents, or does not any more"),
    Route("POST", "/customers/{customer_id}/merge", "CustomersApi", "customers.write",
          "MergeCustomer", "CustomerProfile", "Merge another customer into this one"),
    Route("POST", "/customers/{customer_id}/split", "CustomersApi", "customers.write",
          "SplitCustomer", "CustomerProfile", "Take an identity off whom it was merged into"),
)
# fmt: on
