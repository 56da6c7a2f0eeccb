"""Routes of labels."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/fulfillment-orders/{id}/rates", "LabelsApi", "fulfillment.read",
          "ParcelMeasured", "Rates", "See what a parcel would cost, and when it would be there"),
    Route("POST", "/fulfillment-orders/{id}/labels", "LabelsApi", "fulfillment.write",
          "BuyLabel", "Label", "Buy a label for a parcel"),
    Route("GET", "/fulfillment-orders/{id}/labels", "LabelsApi", "fulfillment.read",
          None, "Labels", "List the labels of a fulfillment order"),
    Route("GET", "/labels/{id}", "LabelsApi", "fulfillment.read",
          None, "Label", "See a label, with links to its documents"),
    Route("POST", "/labels/{id}/void", "LabelsApi", "fulfillment.write",
          None, "VoidedLabel", "Give back a label that nobody will use"),
    Route("POST", "/locations/{location}/manifests", "LabelsApi", "fulfillment.write",
          "PostManifest", "Manifest", "List the parcels that a carrier is handed"),
)
# fmt: on
