"""The steps of warehouses, stores and carriers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.events import PackedParcel
from oms.domain.fulfillment import Quantity
from oms.domain.tracking import Scan


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
