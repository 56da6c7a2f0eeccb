"""Routes of the network."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("GET", "/locations", "NetworkApi", "stock.read",
          None, "Locations", "List the locations"),
    Route("GET", "/locations/{location}", "NetworkApi", "stock.read",
          None, "Location", "See a location"),
    Route("PUT", "/locations/{location}", "NetworkApi", "stock.write",
          "PutLocation", "Location", "Open or change a location"),
    Route("POST", "/locations/{location}/outages", "NetworkApi", "stock.write",
          "StartOutage", "Location", "Say that a location ships nothing for a while"),
    Route("POST", "/locations/{location}/outages/{outage}/end", "NetworkApi", "stock.write",
          None, "Location", "Say that a location ships again"),
    Route("GET", "/locations/{location}/capacity", "NetworkApi", "stock.read",
          None, "Capacity", "See what each of its ship days has taken"),
    Route("GET", "/rates", "NetworkApi", "stock.read",
          None, "Cards", "List the carriers' cards"),
    Route("GET", "/rates/{carrier}", "NetworkApi", "stock.read",
          None, "Card", "See a carrier's zones, charges and transit times"),
    Route("PUT", "/rates/{carrier}", "NetworkApi", "stock.write",
          "PutCard", "Card", "Change them all, as a new version"),
    Route("GET", "/rates/{carrier}/{table}", "NetworkApi", "stock.read",
          None, None, "See one of the three as CSV"),
    Route("PUT", "/rates/{carrier}/{table}", "NetworkApi", "stock.write",
          None, "Card", "Change one of the three by CSV, as a new version"),
)
# fmt: on
