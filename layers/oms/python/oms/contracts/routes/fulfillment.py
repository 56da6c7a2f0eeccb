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
)
# fmt: on
