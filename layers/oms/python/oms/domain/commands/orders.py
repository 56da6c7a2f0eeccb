"""To place an order, and to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.holds import NewHold
from oms.domain.lines import Discount, Line, Shipping
from oms.domain.routing import Destination
from oms.domain.screening import Risk


@dataclass(frozen=True, slots=True)
class TenderGiven:
    """A part of the total that another provider than the order's own is asked for. `reference`:
    of money that is reserved already. `prepaid`: it is taken as soon as it is authorized."""

    provider: str
    amount: int
    reference: str = ""
    prepaid: bool = False


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """`captured` is what the channel has already taken (paid elsewhere), in minor units.

    `tenders` pay parts of the total, the order's own provider the rest; `prepaid`: its money is
    taken as soon as it is authorized.
    `holds` keep it from some of its steps. `risk` is what the channel knows of the payment.
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
    holds: tuple[NewHold, ...] = ()
    stock_hold_id: str = ""
    tags: tuple[str, ...] = ()
    customer_tier: str = ""
    deliver_by: str = ""
    pickup_location: str = ""
    linked_to: str = ""
    billing_country: str = ""
    risk: Risk | None = None
    tenders: tuple[TenderGiven, ...] = ()
    prepaid: bool = False


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """All that is not shipped, or just `lines`; `expired` when a deadline asks.

    `waiting`: only units that no location has been given; those that have one by now are left.
    """

    reason: str
    lines: tuple[Quantity, ...] = ()
    expired: bool = False
    waiting: bool = False
