"""Routes of returns."""

from oms.contracts.routes.route import Route

# fmt: off
ROUTES = (
    Route("POST", "/orders/{order_id}/returns", "ReturnsApi", "returns.write",
          "RequestReturn", "Return", "Ask to return some of an order, or take it back in a store"),
    Route("GET", "/orders/{order_id}/returns", "ReturnsApi", "returns.read",
          None, "Returns", "List an order's returns"),
    Route("GET", "/orders/{order_id}/return-options", "ReturnsApi", "returns.read",
          None, "ReturnOptions", "See what of an order can be returned, until when and for what"),
    Route("GET", "/returns/{return_id}", "ReturnsApi", "returns.read",
          None, "Return", "See a return, and every cent that is given for it"),
    Route("POST", "/returns/{return_id}/approve", "ReturnsApi", "returns.write",
          "ApproveReturn", "Return", "Agree to a return, on the policy's terms or on others"),
    Route("POST", "/returns/{return_id}/decline", "ReturnsApi", "returns.write",
          "DeclineReturn", "Return", "Refuse a return"),
    Route("POST", "/returns/{return_id}/cancel", "ReturnsApi", "returns.write",
          "CancelReturn", "Return", "Call a return off, before its goods are handed over"),
    Route("POST", "/returns/{return_id}/receive", "ReturnsApi", "returns.write",
          "ReportReturn", "Return", "Say what of a return has come, or will not"),
    Route("POST", "/returns/{return_id}/inspect", "ReturnsApi", "returns.write",
          "ReportReturn", "Return", "Say what is taken back, and where it goes"),
    Route("GET", "/track/{token}", "TrackingPage", None,
          None, "TrackedOrder", "For the customer: a page with the parcels; or the same as JSON"),
    Route("GET", "/track/{token}/return", "TrackingPage", None,
          None, None, "For the customer: a page to ask for a return"),
    Route("POST", "/track/{token}/return", "TrackingPage", None,
          None, None, "For the customer: ask for a return by the page's form"),
    Route("GET", "/track/{token}/returns/options", "TrackingPage", None,
          None, "ReturnOptions", "For the customer: see what can be returned"),
    Route("POST", "/track/{token}/returns", "TrackingPage", None,
          "AskForReturn", "TrackedReturn", "For the customer: ask to return something"),
    Route("GET", "/track/{token}/returns/{return_id}", "TrackingPage", None,
          None, "TrackedReturn", "For the customer: see a return"),
)
# fmt: on
