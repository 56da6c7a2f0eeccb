"""What a routing decision is made of: frozen when it is made, and kept with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from oms.domain.lines import Part
from oms.domain.locations import LocationKind
from oms.domain.network.lanes import Basis
from oms.domain.routing.decision import Destination

At = tuple[str, str]  # a stock item at a location


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of an order line that no location has been given yet.

    `takes` are the stock items of one unit: several of a kit, which ships whole from one location.
    Empty: one of the item named like the SKU. `tags` must all be handled by who ships the line.
    """

    line_id: str
    sku: str
    quantity: int
    takes: tuple[Part, ...] = ()
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.quantity <= 0 or any(part.quantity <= 0 for part in self.takes):
            raise ValueError(f"{self.line_id} wants no units, or takes none of a stock item")

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.takes or (Part(self.sku, 1),)


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """`value` is in minor units; `deliver_by` is what the customer was promised.

    `pickup_location`: the customer collects it there, nobody else can help; `brought_to`: it is
    shipped to that store, by any method, and collected there.
    """

    order_id: str
    channel: str
    currency: str
    value: int
    destination: Destination
    method: str
    wanted: tuple[Wanted, ...]
    tags: tuple[str, ...] = ()
    customer_tier: str = ""
    deliver_by: date | None = None
    pickup_location: str = ""
    allow_partial: bool = False
    brought_to: str = ""
    segments: tuple[str, ...] = ()

    @property
    def store(self) -> str:
        """Where the customer collects it; empty: nowhere."""
        return self.pickup_location or self.brought_to

    def __post_init__(self) -> None:
        if len({wanted.line_id for wanted in self.wanted}) < len(self.wanted):
            raise ValueError(f"{self.order_id} wants a line twice")


@dataclass(frozen=True, slots=True)
class LocationFacts:
    """A location as one order sees it, costs in minor units.

    `available` is what this order may take of each stock item: above safety stock, its own hold
    added. `unit_costs` are by wanted line, for a unit of it; `capacity` is in the same units, a kit
    being one. `closed`, `refused` and `unreachable` say why it ships nothing, not this order, not
    to this destination by this method; empty: it does. No `methods`: all of them. `cover_days` say
    how long the stock of an item lasts; what is not named lasts long enough. `basis`: what
    `deliver_by` was made of.
    """

    location_id: str
    kind: LocationKind
    country: str
    available: tuple[tuple[str, int], ...]
    fixed_cost: int
    unit_costs: tuple[int, ...]
    capacity: int | None = None
    closed: str = ""
    refused: str = ""
    methods: tuple[str, ...] = ()
    handles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    pickup: bool = False
    unreachable: str = ""
    ship_on: date | None = None
    ship_by: datetime | None = None
    deliver_by: date | None = None
    distance_km: int | None = None
    cover_days: tuple[tuple[str, int], ...] = ()
    basis: Basis | None = None

    def __post_init__(self) -> None:
        if min((self.fixed_cost, *self.unit_costs, self.capacity or 0)) < 0:
            raise ValueError(f"{self.location_id} has a cost or a capacity below zero")


@dataclass(frozen=True, slots=True)
class Snapshot:
    order: OrderFacts
    locations: tuple[LocationFacts, ...]
    at: datetime

    def __post_init__(self) -> None:
        if len({each.location_id for each in self.locations}) < len(self.locations):
            raise ValueError(f"the snapshot of {self.order.order_id} has a location twice")
        for each in self.locations:
            if len(each.unit_costs) != len(self.order.wanted):
                raise ValueError(f"{each.location_id} does not speak of every wanted line")

    def location(self, location_id: str) -> LocationFacts:
        return next(each for each in self.locations if each.location_id == location_id)
