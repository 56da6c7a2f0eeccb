"""To place an order, and to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.routing import Destination


@dataclass(frozen=True, slots=True)
class TenderGiven:
    """A part of the total that another provider than the order's own is asked for. `reference`:
    of money that is reserved already."""

    provider: str
    amount: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """`captured` is what the channel has already taken (paid elsewhere), in minor units.

    `tenders` pay parts of the total, the order's own provider the rest.
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
    linked_to: str = ""
    tenders: tuple[TenderGiven, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """All that is not shipped, or just `lines`; `expired` when a deadline asks.

    `waiting`: only units that no location has been given; those that have one by now are left.
    """

    reason: str
    lines: tuple[Quantity, ...] = ()
    expired: bool = False
    waiting: bool = False
