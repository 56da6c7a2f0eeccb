"""An order begins, is cut back, and is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.lines import Discount, Line, Shipping
from oms.domain.payment import Operation
from oms.domain.routing import Destination
from oms.domain.screening import Risk


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """A channel handed us an order and we accepted it. Lines carry their share of `discounts`.

    `stock_hold_id` is the cart's hold that the order carries on; `deliver_by` the day (ISO) that
    the customer was promised; with `pickup_location` the customer collects the order there.
    `linked_to` is the return whose goods it replaces.
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
    linked_to: str = ""
    billing_country: str = ""
    risk: Risk | None = None


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
class UnitsFulfilledElsewhere:
    """Others have brought them to the customer: none of them has left from us. From now on they are
    in a fulfillment order of their own; `reference` is what its channel calls that."""

    fulfillment_order_id: str
    units: tuple[CancelledUnits, ...]
    reference: str = ""


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """Nothing of the order was shipped and nothing will be; `expired` when time decided it."""

    units: tuple[CancelledUnits, ...]
    reason: str
    expired: bool = False


@dataclass(frozen=True, slots=True)
class OrderCompleted:
    pass
