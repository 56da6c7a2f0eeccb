"""What can be asked of an order. Imperative; each is answered by events or by a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.events import Assigned, PackedParcel, RoutingRecord
from oms.domain.fulfillment import Quantity
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.payment import OperationStatus
from oms.domain.routing import Destination
from oms.domain.tracking import Scan


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """`captured` is what the channel has already taken (paid elsewhere), in minor units.

    `holds` are (type, reason) of what a person must look at before anything is shipped.
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
    provider: str
    captured: int = 0
    holds: tuple[tuple[str, str], ...] = ()
    stock_hold_id: str = ""
    tags: tuple[str, ...] = ()
    customer_tier: str = ""
    deliver_by: str = ""
    pickup_location: str = ""


@dataclass(frozen=True, slots=True)
class RecordPaymentResult:
    """What the provider said of an operation; `attempt` is the one that was asked."""

    operation_id: str
    attempt: int
    status: OperationStatus
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RetryPaymentOperation:
    operation_id: str


@dataclass(frozen=True, slots=True)
class PlanRouting:
    """For orders whose stock is taken in batches: keep the plan before the first batch."""

    plan: tuple[Assigned, ...]
    record: RoutingRecord


@dataclass(frozen=True, slots=True)
class AbandonRouting:
    reason: str


@dataclass(frozen=True, slots=True)
class RecordRouting:
    """The stock of `plan` is taken in the same transaction, or was taken by its batches."""

    plan: tuple[Assigned, ...]
    record: RoutingRecord


@dataclass(frozen=True, slots=True)
class Backorder:
    lines: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class ReleaseBackorder:
    sku: str


@dataclass(frozen=True, slots=True)
class PlaceHold:
    type: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    hold_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RaiseAttention:
    reason: str


@dataclass(frozen=True, slots=True)
class ResolveAttention:
    resolution: str


@dataclass(frozen=True, slots=True)
class AcceptFulfillmentOrder:
    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class PickFulfillmentOrder:
    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class PackFulfillmentOrder:
    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class RejectFulfillmentOrder:
    fulfillment_order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ShipFulfillmentOrder:
    fulfillment_order_id: str
    parcels: tuple[PackedParcel, ...]


@dataclass(frozen=True, slots=True)
class DeliverFulfillmentOrder:
    """Said by staff, for parcels of a carrier that sends no scans."""

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class RecordScans:
    carrier: str
    tracking_number: str
    scans: tuple[Scan, ...]


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """All that is not shipped, or just `lines`; `expired` when a deadline asks."""

    reason: str
    lines: tuple[Quantity, ...] = ()
    expired: bool = False


@dataclass(frozen=True, slots=True)
class SettleStock:
    cause: str


Command = (
    RecordPaymentResult
    | RetryPaymentOperation
    | PlanRouting
    | AbandonRouting
    | RecordRouting
    | Backorder
    | ReleaseBackorder
    | PlaceHold
    | ReleaseHold
    | RaiseAttention
    | ResolveAttention
    | AcceptFulfillmentOrder
    | PickFulfillmentOrder
    | PackFulfillmentOrder
    | RejectFulfillmentOrder
    | ShipFulfillmentOrder
    | DeliverFulfillmentOrder
    | RecordScans
    | CancelOrder
    | SettleStock
)
