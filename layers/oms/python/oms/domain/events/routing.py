"""Where units of an order will come from, or why they wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.fulfillment import Quantity
from oms.domain.network.lanes import Basis
from oms.domain.promising.promise import OrderPromise


@dataclass(frozen=True, slots=True)
class Assigned:
    """One location's part of a routing plan.

    `ship_on` is the local day (ISO) whose capacity it takes, empty where capacity is unlimited;
    `ship_by` the instant at which it must be with the carrier; `deliver_by` the day (ISO) it
    should arrive; `delivery`: ship, pickup (collected where it lies) or ship_to_store; `basis` is
    what the day of arrival was made of, where a carrier's card told.
    """

    fulfillment_order_id: str
    location_id: str
    lines: tuple[Quantity, ...]
    ship_on: str = ""
    ship_by: datetime | None = None
    deliver_by: str = ""
    delivery: str = "ship"
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class RejectedLocation:
    """`until`: after it the location may be asked again; None: never for this order."""

    location_id: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RoutingRecord:
    """Why this plan: its cost, what came second, who was out of the question and by which rule."""

    cost: int
    runner_up: tuple[str, ...]
    runner_up_cost: int | None
    rejected: tuple[RejectedLocation, ...]
    proved: bool
    rule_set: str = ""
    rule_set_version: int = 0
    objective: str = ""


@dataclass(frozen=True, slots=True)
class OrderRoutingPlanned:
    """The plan of an order with more stock rows than a transaction takes; taken in batches next.

    `backordered` and `denied` will be recorded with it.
    """

    plan: tuple[Assigned, ...]
    record: RoutingRecord
    backordered: tuple[OrderBackordered, ...] = ()
    denied: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderRoutingAbandoned:
    """The batches met a shortage; what had been taken was given back."""

    reason: str


@dataclass(frozen=True, slots=True)
class OrderRouted:
    """`promise`: what its customer may expect, where a day can be told and none was before."""

    plan: tuple[Assigned, ...]
    record: RoutingRecord
    promise: OrderPromise | None = None


@dataclass(frozen=True, slots=True)
class OrderBackordered:
    """`expected_on`: the day (ISO) by which all of it should be there, as far as is known.

    `again`: the same was said of these lines before; they were released in between, in vain.
    """

    lines: tuple[Quantity, ...]
    expected_on: str = ""
    preorder: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class BackorderRescheduled:
    """These lines are expected on another day (ISO); empty: nobody knows any more."""

    line_ids: tuple[str, ...]
    expected_on: str


@dataclass(frozen=True, slots=True)
class OrderRoutingDeferred:
    """Scarce stock: the order is routed together with others, at this instant at the latest."""

    until: datetime
    sku: str


@dataclass(frozen=True, slots=True)
class BackorderReleased:
    """Stock arrived for what was backordered; the order is routed again."""

    sku: str
