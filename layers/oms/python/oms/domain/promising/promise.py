"""The promise of an order: the day that its customer was told, and what we knew of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from oms.domain.network.lanes import Basis


@dataclass(frozen=True, slots=True)
class OrderPromise:
    """`deliver_by` is the day (ISO) that holds: what the storefront told, else `ours`, which is
    what the first plan gave; empty where no carrier tells, or something waits for stock.

    `made_of` are the fulfillment orders of that plan: each keeps what its day was made of.
    `revised`: the day that the customer was told instead since, empty while nobody knows one;
    `told_at` when.
    """

    deliver_by: str
    ours: str = ""
    ship_by: datetime | None = None
    made_of: tuple[str, ...] = ()
    rule_set: str = ""
    rule_set_version: int = 0
    made_at: datetime | None = None
    revised: str = ""
    told_at: datetime | None = None

    @property
    def expected(self) -> str:
        """What the customer was told last."""
        return self.revised if self.told_at else self.deliver_by

    @property
    def days_apart(self) -> int | None:
        """How many days later than ours the storefront's day is; below zero, it is sooner."""
        if not self.ours:
            return None
        return (date.fromisoformat(self.deliver_by) - date.fromisoformat(self.ours)).days


@dataclass(frozen=True, slots=True)
class Way:
    """How a fulfillment order with a promised day came to its customer; `arrived_at` by the
    carrier's time, None where nobody has scanned it: then it is when we were told."""

    location_id: str
    carrier: str
    promised: str
    basis: Basis | None = None
    assigned_at: datetime | None = None
    shipped_at: datetime | None = None
    arrived_at: datetime | None = None
    ship_by: datetime | None = None
