"""What a sourcing problem is made of, and what its solution says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul


@dataclass(frozen=True, slots=True)
class Source:
    """A location as one order sees it; `unit_costs` and `stock` are by line of the order.

    `capacity` is the number of units that it can still ship, of all lines together.
    """

    location_id: str
    fixed_cost: int
    unit_costs: tuple[int, ...]
    stock: tuple[int, ...]
    capacity: int | None = None

    def __post_init__(self) -> None:
        if min((self.fixed_cost, *self.unit_costs, *self.stock, self.capacity or 0)) < 0:
            raise ValueError(f"{self.location_id} has a cost, stock or capacity below zero")

    def cost(self, quantities: Sequence[int]) -> int:
        """Of one shipment, with these units by line."""
        units: int = sum(map(mul, quantities, self.unit_costs))
        return self.fixed_cost + units


@dataclass(frozen=True, slots=True)
class Shipment:
    """Units by line of the order."""

    location_id: str
    quantities: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """`relaxations` were priced, `nodes` of the search entered, `plans` costed."""

    relaxations: int = 0
    nodes: int = 0
    plans: int = 0


@dataclass(frozen=True, slots=True)
class SourcingPlan:
    """`cost` is None when the order cannot be filled; no plan costs less than `lower_bound`.

    `proved` says that the search came to its end: nothing is cheaper, or nothing fills the order.
    `prices` are what a unit of each line is worth, for `sets_within` to bound other plans by.
    """

    shipments: tuple[Shipment, ...]
    cost: int | None
    lower_bound: int
    proved: bool
    work: Work
    prices: tuple[float, ...] = ()
