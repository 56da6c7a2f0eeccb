"""The catalogue of everything that is published: name, source, version.

A version is never changed: an added field has a default, anything else is a new version with a
golden file of its own under tests/contracts/events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from oms.contracts import codec
from oms.domain import events as e
from oms.domain.order import Fact, cause_of

CAPTURE, PAYMENTS, ROUTING = "oms.capture", "oms.payments", "oms.routing"
INVENTORY, FULFILLMENT, TRACKING, OPS = (
    "oms.inventory",
    "oms.fulfillment",
    "oms.tracking",
    "oms.ops",
)
NETWORK, RETURNS = "oms.network", "oms.returns"
SERVICE = "oms.service"


# A warehouse's progress before it ships: in the history and the API, not on the bus. Whoever
# reports these steps knows them, and each would cost a message that nobody waits for.
QUIET: frozenset[type[Any]] = frozenset(
    {e.FulfillmentOrderAccepted, e.FulfillmentOrderPicked, e.FulfillmentOrderPacked}
)


@dataclass(frozen=True, slots=True)
class Published:
    """`quiet`: kept in the order's history only."""

    source: str
    version: int
    type: type[Any]
    quiet: bool = False

    @property
    def name(self) -> str:
        return self.type.__name__


SOURCES: dict[type[Any], str] = {
    e.OrderPlaced: CAPTURE,
    e.OrderLinesCancelled: CAPTURE,
    e.OrderCancelled: CAPTURE,
    e.UnitsFulfilledElsewhere: FULFILLMENT,
    e.HoldPlaced: CAPTURE,
    e.HoldReleased: CAPTURE,
    e.OrderScreened: CAPTURE,
    e.OrderCompleted: CAPTURE,
    e.PaymentAuthorized: PAYMENTS,
    e.PaymentPending: PAYMENTS,
    e.PaymentUnknown: PAYMENTS,
    e.PaymentDeclined: PAYMENTS,
    e.PaymentOperationRequested: PAYMENTS,
    e.PaymentCaptured: PAYMENTS,
    e.PaymentVoided: PAYMENTS,
    e.PaymentRefunded: PAYMENTS,
    e.PaymentAmountCorrected: PAYMENTS,
    e.PaymentOperationFailed: PAYMENTS,
    e.PaymentOperationRetried: PAYMENTS,
    e.OrderRoutingPlanned: ROUTING,
    e.OrderRoutingAbandoned: ROUTING,
    e.OrderRouted: ROUTING,
    e.OrderBackordered: ROUTING,
    e.OrderRoutingDeferred: ROUTING,
    e.BackorderRescheduled: INVENTORY,
    e.BackorderReleased: INVENTORY,
    e.StockSettled: INVENTORY,
    e.StockReceived: INVENTORY,
    e.StockFreed: INVENTORY,
    e.StockLow: INVENTORY,
    e.StockOut: INVENTORY,
    e.LocationChanged: NETWORK,
    e.FulfillmentOrderAccepted: FULFILLMENT,
    e.FulfillmentOrderPicked: FULFILLMENT,
    e.FulfillmentOrderPacked: FULFILLMENT,
    e.FulfillmentOrderRejected: FULFILLMENT,
    e.FulfillmentOrderShortPicked: FULFILLMENT,
    e.FulfillmentOrderArrived: FULFILLMENT,
    e.FulfillmentOrderReady: FULFILLMENT,
    e.FulfillmentOrderCollected: FULFILLMENT,
    e.FulfillmentOrderShipped: FULFILLMENT,
    e.FulfillmentOrderDelivered: FULFILLMENT,
    e.FulfillmentOrderUpgraded: FULFILLMENT,
    e.PromiseRevised: ROUTING,
    e.ParcelScanned: TRACKING,
    e.PaymentAuthorizationExpired: PAYMENTS,
    e.PaymentDisputed: PAYMENTS,
    e.PaymentDisputeClosed: PAYMENTS,
    e.RefundGranted: PAYMENTS,
    e.StoreCreditIssued: PAYMENTS,
    e.StoreCreditExpired: PAYMENTS,
    e.OrderEditAccepted: CAPTURE,
    e.OrderEdited: CAPTURE,
    e.OrderEditDeclined: CAPTURE,
    e.ReturnRequested: RETURNS,
    e.ReturnApproved: RETURNS,
    e.ReturnDeclined: RETURNS,
    e.ReturnLabelIssued: RETURNS,
    e.ReturnParcelScanned: RETURNS,
    e.ReturnReceived: RETURNS,
    e.ReturnInspected: RETURNS,
    e.ReturnSettled: RETURNS,
    e.ExchangePlaced: RETURNS,
    e.ReturnCompleted: RETURNS,
    e.ReturnCancelled: RETURNS,
    e.ReturnExpired: RETURNS,
    e.InquiryOpened: SERVICE,
    e.InquiryClassified: SERVICE,
    e.InquiryAssigned: SERVICE,
    e.InquiryMessageReceived: SERVICE,
    e.InquiryNoted: SERVICE,
    e.InquiryAnswered: SERVICE,
    e.InquiryResolved: SERVICE,
    e.InquiryReopened: SERVICE,
    e.InquiryOverdue: SERVICE,
    e.InquiryClosed: SERVICE,
    e.OrderNeedsAttention: OPS,
    e.AttentionResolved: OPS,
}

CATALOGUE: dict[str, Published] = {
    kind.__name__: Published(source, 1, kind, kind in QUIET) for kind, source in SOURCES.items()
}
ORDER_EVENTS: frozenset[type[Any]] = frozenset(get_args(e.Event))


def envelope(order_id: str, fact: Fact) -> dict[str, Any]:
    """What consumers see: they deduplicate by `id` and order by `seq`."""
    return {
        "id": cause_of(order_id, fact.seq),
        "type": type(fact.event).__name__,
        "version": CATALOGUE[type(fact.event).__name__].version,
        "at": fact.at.isoformat(),
        "order_id": order_id,
        "seq": fact.seq,
        "actor": fact.actor,
        "data": codec.slim(fact.event),
    }


def read(type_name: str, body: bytes) -> Any:
    """An event as it was stored, by today's code."""
    return codec.decode(body, CATALOGUE[type_name].type)
