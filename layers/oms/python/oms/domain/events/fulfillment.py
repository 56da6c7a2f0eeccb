"""What warehouses, stores and carriers did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.payment import Operation
from oms.domain.promising.promise import Way
from oms.domain.tracking import Scan


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
    """Every parcel has arrived. `scanned`: the scans that told so; no other event tells them.
    `way`: how it came, where a day had been promised."""

    fulfillment_order_id: str
    scanned: ParcelScanned | None = None
    way: Way | None = None
