"""Routes of routing."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/orders/{order_id}/routing", "RoutingApi", "routing.read",
          None, "Routing", "See why an order was routed as it was, and what would change it"),
    Route("GET", "/routing/rule-sets", "RoutingApi", "routing.read",
          None, "RuleSets", "List the versions of the rule set, newest first"),
    Route("POST", "/routing/rule-sets", "RoutingApi", "routing.write",
          "RuleSetGiven", "RuleSet", "Save a new version; its examples are its tests"),
    Route("GET", "/routing/rule-sets/schema", "RoutingApi", "routing.read",
          None, "JsonSchema", "See the JSON schema of a rule set"),
    Route("GET", "/routing/rule-sets/{version}", "RoutingApi", "routing.read",
          None, "RuleSet", "See a version"),
    Route("POST", "/routing/rule-sets/{version}/activate", "RoutingApi", "routing.write",
          "ActivateRuleSet", "RuleSets", "Route by this version, or a share of the orders"),
    Route("POST", "/routing/rule-sets/rollback", "RoutingApi", "routing.write",
          None, "RuleSets", "End the canary, or go back to the version before"),
    Route("POST", "/routing/simulations", "RoutingApi", "routing.write",
          "SimulateRouting", "Simulation", "Route past orders again by another version"),
    Route("GET", "/routing/simulations/{job_id}", "RoutingApi", "routing.read",
          None, "Simulation", "See how far a simulation is, and what it found"),
)
# fmt: on
