"""What routing decides: who ships which units of an order, who does not and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

INACTIVE = "inactive"
NO_STOCK = "no_stock"
NO_CAPACITY = "no_capacity"
METHOD_NOT_OFFERED = "method_not_offered"
TAG_NOT_HANDLED = "tag_not_handled"
NOT_THE_PICKUP_LOCATION = "not_the_pickup_location"
NO_PICKUP = "no_pickup"
BREAKS_PROMISE = "breaks_promise"
EXCLUDED_BY = "excluded_by_rule: "

TOO_MANY_SHIPMENTS = "too_many_shipments"
OUT_OF_BUDGET = "out_of_budget"


class RoutingOutcome(StrEnum):
    ROUTED = "routed"
    BACKORDERED = "backordered"


@dataclass(frozen=True, slots=True)
class Destination:
    country: str
    region: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Demand:
    """Units of an order line: what is asked for, or the part of it that a location ships."""

    line_id: str
    sku: str
    quantity: int

    def __post_init__(self) -> None:
        if self.quantity <= 0:
            raise ValueError(f"{self.line_id} demands {self.quantity} units")


@dataclass(frozen=True, slots=True)
class Assignment:
    """`cost` is that of the shipment and its units, in minor units, without split penalties."""

    location_id: str
    lines: tuple[Demand, ...]
    cost: int = 0
    ship_on: date | None = None
    ship_by: datetime | None = None
    deliver_by: date | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """`reason` is the first of `reasons`, which are all that speak against the location."""

    location_id: str
    reason: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alternative:
    location_ids: tuple[str, ...]
    cost: int


@dataclass(frozen=True, slots=True)
class Decision:
    """`runner_up` is the best plan that does without one of the chosen locations.

    `backordered` are the units that nobody ships: all that is lacking when nothing is taken
    (`reason` says what else stands in the way), the remainder when part of the order is routed.
    No plan that is as good by the tiers before cost costs less than `lower_bound`. `proved` says
    that no plan is better; else `uncompared` names the tiers that were not compared to the end.
    """

    outcome: RoutingOutcome
    plan: tuple[Assignment, ...] = ()
    cost: int = 0
    runner_up: Alternative | None = None
    rejected: tuple[Rejection, ...] = ()
    backordered: tuple[tuple[str, int], ...] = ()
    proved: bool = True
    lower_bound: int = 0
    objective: str = ""
    rule_set: str = ""
    version: int = 0
    rules: tuple[str, ...] = ()
    uncompared: tuple[str, ...] = ()
    reason: str = ""
