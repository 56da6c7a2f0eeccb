"""What was promised, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.network.lanes import Basis


@dataclass(frozen=True, slots=True)
class FulfillmentOrderUpgraded:
    """It goes by a faster method, to keep its promise; `extra_cost` is what that costs us more, in
    minor units of `currency`."""

    fulfillment_order_id: str
    method: str
    reason: str
    deliver_by: str
    ship_by: datetime | None = None
    basis: Basis | None = None
    extra_cost: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class PromiseRevised:
    """The order comes on another day (ISO) than its customer was told last; empty: nobody knows on
    which. Whoever writes to customers tells them."""

    deliver_by: str
    instead_of: str
    reason: str
