"""What is done for a promise that is at risk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from oms.domain.network.lanes import Basis


@dataclass(frozen=True, slots=True)
class UpgradeFulfillmentOrder:
    """Send it by a faster method; `extra_cost` in minor units of `currency`."""

    fulfillment_order_id: str
    method: str
    reason: str
    deliver_by: date
    ship_by: datetime | None = None
    basis: Basis | None = None
    extra_cost: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class RevisePromise:
    """Have the customer told, if the order stands worse at `at` than they were told last; `known`
    are days by fulfillment order, from who has looked at the network."""

    at: datetime
    known: tuple[tuple[str, date], ...] = ()
