"""What happened to an order. Facts, past tense; an order is the fold of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.payment import Operation
from oms.domain.routing import Destination
from oms.domain.tracking import Scan


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A channel handed us an order and we accepted it. Lines carry their share of `discounts`.

    `stock_hold_id` is the cart's hold that the order carries on; `deliver_by` the day (ISO) that
    the customer was promised; with `pickup_location` the customer collects the order there.
    """

    channel: str
    external_id: str
    currency: str
    customer_id: str
    placed_at: datetime
    destination: Destination
    lines: tuple[Line, ...]
    discounts: tuple[Discount, ...]
    shipping: Shipping
    tax_included: bool
    total: int
    provider: str
    operations: tuple[Operation, ...]
    stock_hold_id: str = ""
    tags: tuple[str, ...] = ()
    customer_tier: str = ""
    deliver_by: str = ""
    pickup_location: str = ""


@dataclass(frozen=True, slots=True)
class PaymentAuthorized:
    operation_id: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentPending:
    """The buyer must act (3-D Secure); the provider's webhook tells the end."""

    operation_id: str
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentUnknown:
    """The provider's answer was lost; a look-up under the same key settles it."""

    operation_id: str


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    operation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentOperationRequested:
    operation: Operation


@dataclass(frozen=True, slots=True)
class PaymentCaptured:
    operation_id: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    operation_id: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    operation_id: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentOperationFailed:
    """A definite no to a capture, void or refund; nobody's money moved."""

    operation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentOperationRetried:
    """Asked for again under a new key, after a definite failure."""

    operation_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Assigned:
    """One location's part of a routing plan.

    `ship_on` is the local day (ISO) whose capacity it takes, empty where capacity is unlimited;
    `ship_by` the instant at which it must be with the carrier; `deliver_by` the day (ISO) it
    should arrive; `delivery`: ship, pickup (collected where it lies) or ship_to_store.
    """

    fulfillment_order_id: str
    location_id: str
    lines: tuple[Quantity, ...]
    ship_on: str = ""
    ship_by: datetime | None = None
    deliver_by: str = ""
    delivery: str = "ship"


@dataclass(frozen=True, slots=True)
class RejectedLocation:
    """`until`: after it the location may be asked again; None: never for this order."""

    location_id: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoutingRecord:
    """Why this plan: its cost, what came second, who was out of the question and by which rule."""

    cost: int
    runner_up: tuple[str, ...]
    runner_up_cost: int | None
    rejected: tuple[RejectedLocation, ...]
    proved: bool
    rule_set: str = ""
    rule_set_version: int = 0
    objective: str = ""


@dataclass(frozen=True, slots=True)
class OrderRoutingPlanned:
    """The plan of an order with more stock rows than a transaction takes; taken in batches next.

    `backordered` and `denied` will be recorded with it.
    """

    plan: tuple[Assigned, ...]
    record: RoutingRecord
    backordered: tuple[OrderBackordered, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderRoutingAbandoned:
    """The batches met a shortage; what had been taken was given back."""

    reason: str


@dataclass(frozen=True, slots=True)
class OrderRouted:
    plan: tuple[Assigned, ...]
    record: RoutingRecord


@dataclass(frozen=True, slots=True)
class OrderBackordered:
    """`expected_on`: the day (ISO) by which all of it should be there, as far as is known.

    `again`: the same was said of these lines before; they were released in between, in vain.
    """

    lines: tuple[Quantity, ...]
    expected_on: str = ""
    preorder: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class BackorderRescheduled:
    """These lines are expected on another day (ISO); empty: nobody knows any more."""

    line_ids: tuple[str, ...]
    expected_on: str


@dataclass(frozen=True, slots=True)
class OrderRoutingDeferred:
    """Scarce stock: the order is routed together with others, at this instant at the latest."""

    until: datetime
    sku: str


@dataclass(frozen=True, slots=True)
class BackorderReleased:
    """Stock arrived for what was backordered; the order is routed again."""

    sku: str


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    hold_id: str
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class HoldReleased:
    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class OrderNeedsAttention:
    reason: str


@dataclass(frozen=True, slots=True)
class AttentionResolved:
    resolution: str


@dataclass(frozen=True, slots=True)
class FulfillmentOrderAccepted:
    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class FulfillmentOrderPicked:
    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class FulfillmentOrderPacked:
    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class FulfillmentOrderRejected:
    """`until`: how long the location is left out for this order; None for good."""

    fulfillment_order_id: str
    location_id: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FulfillmentOrderShortPicked:
    """The location does not have these units, whatever its level says; the rest goes on."""

    fulfillment_order_id: str
    location_id: str
    lines: tuple[Quantity, ...]
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FulfillmentOrderArrived:
    """All parcels are at the store where the customer will collect them: nothing is delivered."""

    fulfillment_order_id: str
    scanned: ParcelScanned | None = None


@dataclass(frozen=True, slots=True)
class FulfillmentOrderReady:
    """The customer can come and collect it."""

    fulfillment_order_id: str
    location_id: str


@dataclass(frozen=True, slots=True)
class FulfillmentOrderCollected:
    """Handed over in the store; `capture` takes the money for what had not been shipped before."""

    fulfillment_order_id: str
    location_id: str
    capture: Operation | None


@dataclass(frozen=True, slots=True)
class PackedParcel:
    carrier: str
    tracking_number: str
    lines: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class FulfillmentOrderShipped:
    """`capture` is the operation that takes the money for these units, requested in this fact."""

    fulfillment_order_id: str
    location_id: str
    parcels: tuple[PackedParcel, ...]
    capture: Operation | None


@dataclass(frozen=True, slots=True)
class ParcelScanned:
    carrier: str
    tracking_number: str
    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class FulfillmentOrderDelivered:
    """Every parcel has arrived. `scanned`: the scans that told so; no other event tells them."""

    fulfillment_order_id: str
    scanned: ParcelScanned | None = None


@dataclass(frozen=True, slots=True)
class CancelledUnits:
    """Where the cancelled units were; `fulfillment_order_id` is empty for those not yet routed."""

    line_id: str
    quantity: int
    source: str
    fulfillment_order_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderLinesCancelled:
    units: tuple[CancelledUnits, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """Nothing of the order was shipped and nothing will be; `expired` when time decided it."""

    units: tuple[CancelledUnits, ...]
    reason: str
    expired: bool = False


@dataclass(frozen=True, slots=True)
class StockSettled:
    """The batches of a large stock change are all written; `cause` is the change's own."""

    cause: str


@dataclass(frozen=True, slots=True)
class OrderCompleted:
    pass


Event = (
    OrderPlaced
    | PaymentAuthorized
    | PaymentPending
    | PaymentUnknown
    | PaymentDeclined
    | PaymentOperationRequested
    | PaymentCaptured
    | PaymentVoided
    | PaymentRefunded
    | PaymentOperationFailed
    | PaymentOperationRetried
    | OrderRoutingPlanned
    | OrderRoutingAbandoned
    | OrderRouted
    | OrderBackordered
    | OrderRoutingDeferred
    | BackorderRescheduled
    | BackorderReleased
    | HoldPlaced
    | HoldReleased
    | OrderNeedsAttention
    | AttentionResolved
    | FulfillmentOrderAccepted
    | FulfillmentOrderPicked
    | FulfillmentOrderPacked
    | FulfillmentOrderRejected
    | FulfillmentOrderShortPicked
    | FulfillmentOrderArrived
    | FulfillmentOrderReady
    | FulfillmentOrderCollected
    | FulfillmentOrderShipped
    | ParcelScanned
    | FulfillmentOrderDelivered
    | OrderLinesCancelled
    | OrderCancelled
    | StockSettled
    | OrderCompleted
)


@dataclass(frozen=True, slots=True)
class StockReceived:
    """Of a stock item, not of an order: goods came in and can be promised."""

    sku: str
    location_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StockFreed:
    """Of a stock item: units can be promised again that were held, counted out or on their way."""

    sku: str
    location_id: str
    quantity: int
    reason: str


@dataclass(frozen=True, slots=True)
class StockLow:
    """What is available has fallen to the item's threshold; told once until it has recovered."""

    sku: str
    location_id: str
    available: int
    threshold: int


@dataclass(frozen=True, slots=True)
class StockOut:
    """Nothing is available any more; told once until something is."""

    sku: str
    location_id: str


@dataclass(frozen=True, slots=True)
class LocationChanged:
    """Of a location, not of an order: how much it can ship is another thing now.

    `change` is `closed`, `reopened`, `outage` (from `since` to `until`, open where not given) or
    `capacity`, its daily limit.
    """

    location_id: str
    change: str
    until: datetime | None = None
    since: datetime | None = None
