"""To place an order, and to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.routing import Destination


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
class CancelOrder:
    """All that is not shipped, or just `lines`; `expired` when a deadline asks.

    `waiting`: only units that no location has been given; those that have one by now are left.
    """

    reason: str
    lines: tuple[Quantity, ...] = ()
    expired: bool = False
    waiting: bool = False
