"""What a route of the HTTP API is, and the scopes that guard it."""

from dataclasses import dataclass

RESOURCE_SERVER = "oms"

SCOPES = {
    "orders.read": "See orders and their history",
    "orders.write": "Place, hold and cancel orders",
    "payments.write": "Confirm payments that only people see",
    "stock.read": "See locations and stock",
    "stock.write": "Receive stock, change locations",
    "routing.read": "See rule sets, simulations, and why an order was routed as it was",
    "routing.write": "Save and activate rule sets, simulate them",
    "fulfillment.read": "See fulfillment orders",
    "fulfillment.write": "Accept, pick, pack, ship, deliver and reject fulfillment orders",
    "returns.read": "See returns, and what can be returned",
    "returns.write": "Request, approve, decline, receive and inspect returns",
    "refunds": "Give money back as goodwill",
    "documents": "Issue and see invoices and credit notes",
    "jobs": "Follow, resume and cancel long jobs",
    "reports.read": "See reports",
    "credit.read": "See store credit and gift cards",
    "credit.write": "Issue, correct and cancel store credit and gift cards",
    "customers.read": "Find customers, see their profiles and orders",
    "customers.write": "Change, merge and split customers' profiles, define segments",
    "privacy": "Export and erase what is known of a person, see who read it",
    "service": "See and work on what customers ask",
    "notices": "See and change what customers are told, send it again",
    "subscribers": "Manage the systems that are told of events",
    "channels.read": "See the shops on other platforms, what they said and what they are told",
    "channels.write": "Change shops, replay what they said, tell them again what has failed",
    "policies": "See and change the policies that decisions are made by",
    "ops": "Decide what needs attention, check the books",
}


@dataclass(frozen=True, slots=True)
class Route:
    """`scope` None: no token is asked for, the function verifies the sender's own signature.

    `request` and `response` name models of `oms.contracts.api`.
    """

    method: str
    path: str
    function_id: str
    scope: str | None
    request: str | None
    response: str | None
    summary: str

    @property
    def key(self) -> str:
        return f"{self.method} {self.path}"
