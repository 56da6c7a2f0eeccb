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
class Backorder:
    """Units that wait for stock; `expected_on` is the day (ISO) by which they should be there.

    What is pre-ordered is allocated to nobody before that day, even if it lies there.
    """

    lines: tuple[Quantity, ...]
    expected_on: str = ""
    preorder: bool = False


@dataclass(frozen=True, slots=True)
class RescheduleBackorder:
    """Another day by which a stock item is expected; empty: nobody knows any more."""

    sku: str
    expected_on: str


@dataclass(frozen=True, slots=True)
class PlanRouting:
    """For orders whose stock is taken in batches: keep the decision before the first batch.

    Its fields are those that `RecordRouting` will record.
    """

    plan: tuple[Assigned, ...]
    record: RoutingRecord
    short: tuple[Quantity, ...] = ()
    expected_on: str = ""
    preorder: bool = False
    backorders: tuple[Backorder, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class AbandonRouting:
    reason: str


@dataclass(frozen=True, slots=True)
class RecordRouting:
    """The stock of `plan` is taken in the same transaction, or was taken by its batches.

    `short` are units that wait for stock until `expected_on`, `backorders` more of them with other
    days; `denied` are cancelled at once, out of stock. All that is open is in one of the four.
    """

    plan: tuple[Assigned, ...]
    record: RoutingRecord
    short: tuple[Quantity, ...] = ()
    expected_on: str = ""
    preorder: bool = False
    backorders: tuple[Backorder, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class DeferRouting:
    """Route it together with others that want the same scarce item, at `until` at the latest."""

    until: datetime
    sku: str


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
    """`until`: after it the location may be asked again for this order; None: never."""

    fulfillment_order_id: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakeBackFulfillmentOrder:
    """Have another location do it, unless somebody has begun to; else as a rejection."""

    fulfillment_order_id: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShortPickFulfillmentOrder:
    """Units that are not where they should be: told as `missing`, or by what was `found` there."""

    fulfillment_order_id: str
    reason: str
    missing: tuple[Quantity, ...] = ()
    found: tuple[Quantity, ...] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadyFulfillmentOrder:
    """The customer can come and collect it."""

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class CollectFulfillmentOrder:
    """Handed over in the store."""

    fulfillment_order_id: str


@dataclass(frozen=True, slots=True)
class CancelPickup:
    """Nobody came: what lies in its own store goes back to the shelf, other goods ask a person."""

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
    """All that is not shipped, or just `lines`; `expired` when a deadline asks.

    `waiting`: only units that no location has been given; those that have one by now are left.
    """

    reason: str
    lines: tuple[Quantity, ...] = ()
    expired: bool = False
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class SettleStock:
    cause: str


Command = (
    RecordPaymentResult
    | RetryPaymentOperation
    | PlanRouting
    | AbandonRouting
    | RecordRouting
    | DeferRouting
    | Backorder
    | RescheduleBackorder
    | ReleaseBackorder
    | PlaceHold
    | ReleaseHold
    | RaiseAttention
    | ResolveAttention
    | AcceptFulfillmentOrder
    | PickFulfillmentOrder
    | PackFulfillmentOrder
    | RejectFulfillmentOrder
    | TakeBackFulfillmentOrder
    | ShortPickFulfillmentOrder
    | ReadyFulfillmentOrder
    | CollectFulfillmentOrder
    | CancelPickup
    | ShipFulfillmentOrder
    | DeliverFulfillmentOrder
    | RecordScans
    | CancelOrder
    | SettleStock
)
