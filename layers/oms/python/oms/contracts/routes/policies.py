"""Routes of policies."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/policies", "PoliciesApi", "policies",
          None, "Policies", "List the policies and their versions"),
    Route("GET", "/policies/{policy}", "PoliciesApi", "policies",
          None, "Policy", "See a policy, as it is in force or in a version"),
    Route("PUT", "/policies/{policy}", "PoliciesApi", "policies",
          "PutPolicy", "Policy", "Save a policy as its next version"),
)
# fmt: on
