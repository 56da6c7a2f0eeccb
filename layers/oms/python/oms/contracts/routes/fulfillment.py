"""Routes of fulfillment."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/fulfillment-orders", "FulfillmentApi", "fulfillment.read",
          None, "FulfillmentOrderPage", "List a location's fulfillment orders"),
    Route("GET", "/fulfillment-orders/{id}", "FulfillmentApi", "fulfillment.read",
          None, "FulfillmentOrder", "See a fulfillment order"),
    Route("POST", "/fulfillment-orders/{id}/accept", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Accept the work"),
    Route("POST", "/fulfillment-orders/{id}/pick", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that it is being picked"),
    Route("POST", "/fulfillment-orders/{id}/pack", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that it is packed"),
    Route("POST", "/fulfillment-orders/{id}/ship", "FulfillmentApi", "fulfillment.write",
          "Ship", "FulfillmentOrder", "Hand its parcels to their carriers"),
    Route("POST", "/fulfillment-orders/{id}/deliver", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that parcels without a carrier's scans have arrived"),
    Route("POST", "/fulfillment-orders/{id}/reject", "FulfillmentApi", "fulfillment.write",
          "Reject", "FulfillmentOrder", "Say that the location cannot do it"),
    Route("POST", "/fulfillment-orders/{id}/reroute", "FulfillmentApi", "fulfillment.write",
          "Reroute", "FulfillmentOrder", "Have another location do what nobody has begun"),
    Route("POST", "/fulfillment-orders/{id}/short-pick", "FulfillmentApi", "fulfillment.write",
          "ShortPick", "FulfillmentOrder", "Say that units of it are not where they should be"),
    Route("POST", "/fulfillment-orders/{id}/ready", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that the customer can collect it"),
    Route("POST", "/fulfillment-orders/{id}/collect", "FulfillmentApi", "fulfillment.write",
          None, "FulfillmentOrder", "Say that the customer has collected it"),
)
# fmt: on
