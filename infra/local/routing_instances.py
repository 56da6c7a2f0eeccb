"""Sourcing problems to measure the solver on: read from a file, or made up from a seed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from operator import ge
from pathlib import Path
from random import Random
from typing import Any

from oms.domain.sourcing import Source, SourcingPlan

Json = Mapping[str, Any]


class BadInstances(Exception):
    """The file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One order; `optimal_cents` is known for some, `constant_cents` belongs to every cost."""

    regime: str
    quantities: tuple[int, ...]
    sources: tuple[Source, ...]
    constant_cents: int = 0
    optimal_cents: int | None = None

    @property
    def size(self) -> tuple[int, int, str]:
        return len(self.sources), len(self.quantities), self.regime

    @classmethod
    def read(cls, given: Json) -> Instance:
        return cls(
            given.get("regime", ""),
            tuple(given["quantities"]),
            tuple(map(read_source, given["nodes"])),
            given.get("constant_cents") or 0,
            given.get("optimal_cents"),
        )

    def is_filled_by(self, plan: SourcingPlan) -> bool:
        """Checked from scratch: units, stock, capacities, and the cost that the plan claims."""
        by_id = {source.location_id: source for source in self.sources}
        used = [by_id[shipment.location_id] for shipment in plan.shipments]
        parts = [shipment.quantities for shipment in plan.shipments]
        within = all(map(can_ship, used, parts))
        shipped = tuple(map(sum, zip(*parts, [0] * len(self.quantities), strict=True)))
        return within and shipped == self.quantities and sum(map(cost, used, parts)) == plan.cost


def read_source(given: Json) -> Source:
    return Source(
        location_id=f"{given['id']:>06}",
        fixed_cost=given["fixed_cents"],
        unit_costs=tuple(given["per_unit_cents"]),
        stock=tuple(given["stock"]),
        capacity=given.get("capacity"),
    )


def can_ship(source: Source, quantities: Sequence[int]) -> bool:
    stocked = all(asked <= stock for asked, stock in zip(quantities, source.stock, strict=True))
    return stocked and (source.capacity is None or sum(quantities) <= source.capacity)


def cost(source: Source, quantities: Sequence[int]) -> int:
    pairs = zip(quantities, source.unit_costs, strict=True)
    return source.fixed_cost + sum(units * unit_cost for units, unit_cost in pairs)


def load(path: Path) -> list[Instance]:
    try:
        packed = path.read_bytes()
        text = gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed
        return [Instance.read(given) for given in listed(json.loads(text))]
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInstances(f"{path} cannot be read as sourcing instances: {error!r}") from error


def listed(found: Any) -> list[Json]:
    if not isinstance(found, list) or not found:
        raise ValueError("not a list of instances")
    return found


MAP = (2_700.0, 1_500.0)  # miles
ZONES = (  # up to so many miles: cents for the first pound, and for each pound
    (150, 820, 28),
    (300, 870, 34),
    (600, 950, 46),
    (1_000, 1_010, 60),
    (1_400, 1_070, 78),
    (1_800, 1_140, 95),
    (10_000, 1_210, 112),
)
POUNDS = (0.3, 0.5, 1, 2, 3, 5, 8)
WAREHOUSE_EVERY = 12
HANDLING = {True: 150, False: 400}  # cents per shipment, by whether it is a warehouse
SPLIT_PENALTY = 150
STOCKED = {  # the chance that a line is stocked, by regime, at a warehouse and at a store
    "normal": (0.86, 0.45),
    "sparse": (0.35, 0.15),
}
SCARCE_CAPACITY = 0.15  # of the stores


def made_up(locations: int, lines: int, regime: str, seed: int) -> Instance:
    """A parcel network on a map; every line is stocked for the whole order somewhere."""
    random = Random(f"{locations} {lines} {regime} {seed}")
    quantities = tuple(random.choices((1, 2, 3), (57, 29, 14), k=lines))
    pounds = random.choices(POUNDS, k=lines)
    destination = place(random)
    while True:
        sources = tuple(
            made_up_source(n, random, destination, pounds, regime) for n in range(locations)
        )
        if all(map(ge, stock_without_limits(sources), quantities)):
            return Instance(regime, quantities, sources, -SPLIT_PENALTY)


def stock_without_limits(sources: Sequence[Source]) -> Iterator[int]:
    """By line, where no capacity is scarce: enough of it, and the order can be filled."""
    unlimited = (source.stock for source in sources if source.capacity is None)
    return map(sum, zip(*unlimited, strict=True))


def place(random: Random) -> tuple[float, float]:
    return random.uniform(0, MAP[0]), random.uniform(0, MAP[1])


def made_up_source(
    n: int,
    random: Random,
    destination: tuple[float, float],
    pounds: Sequence[float],
    regime: str,
) -> Source:
    warehouse = n % WAREHOUSE_EVERY == 1
    x, y = place(random)
    first, each = zone(hypot(x - destination[0], y - destination[1]))
    scarce = not warehouse and random.random() < SCARCE_CAPACITY
    return Source(
        location_id=f"{n:06}",
        fixed_cost=first + HANDLING[warehouse] + SPLIT_PENALTY,
        unit_costs=tuple(round(each * weight) for weight in pounds),
        stock=tuple(stocked(random, warehouse, regime) for _ in pounds),
        capacity=random.randint(1, 4) if scarce else None,
    )


def zone(miles: float) -> tuple[int, int]:
    return next((first, each) for limit, first, each in ZONES if miles <= limit)


def stocked(random: Random, warehouse: bool, regime: str) -> int:
    chance = STOCKED[regime][0 if warehouse else 1]
    most = 200 if warehouse else 6
    return random.randint(1, most) if random.random() < chance else 0
