"""Sourcing problems to measure the solver on: read from a file, or made up from a seed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, hypot
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
    name: str = ""

    @property
    def size(self) -> tuple[int, int, str]:
        return len(self.sources), len(self.quantities), self.regime

    @classmethod
    def read(cls, given: Json, name: str = "") -> Instance:
        quantities = whole(given, "quantities")
        sources = tuple(
            read_source(n, node, len(quantities)) for n, node in enumerate(listed(given, "nodes"))
        )
        if len({each.location_id for each in sources}) < len(sources):
            raise ValueError("two nodes have one id")
        return cls(
            str(given.get("regime", "")),
            quantities,
            sources,
            number(given, "constant_cents", 0, least=None) or 0,
            number(given, "optimal_cents", None, least=None),
            name,
        )

    def is_filled_by(self, plan: SourcingPlan) -> bool:
        """Checked from scratch: units, stock, capacities, and the cost that the plan claims."""
        by_id = {source.location_id: source for source in self.sources}
        used = [by_id[shipment.location_id] for shipment in plan.shipments]
        parts = [shipment.quantities for shipment in plan.shipments]
        within = all(map(can_ship, used, parts))
        shipped = tuple(map(sum, zip(*parts, [0] * len(self.quantities), strict=True)))
        return within and shipped == self.quantities and sum(map(cost, used, parts)) == plan.cost


def read_source(place: int, given: Json, lines: int) -> Source:
    if not isinstance(given, Mapping):
        raise TypeError(f"node {place} is no object")
    try:
        return Source(
            f"{given.get('id', place):>06}",
            number(given, "fixed_cents") or 0,
            by_line(given, "per_unit_cents", lines),
            by_line(given, "stock", lines),
            number(given, "capacity", None),
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"node {given.get('id', place)}: {error}") from error


def by_line(given: Json, key: str, lines: int) -> tuple[int, ...]:
    figures = whole(given, key)
    if len(figures) != lines:
        raise ValueError(f"{key} has {len(figures)} figures for {lines} lines")
    return figures


REQUIRED: Any = object()


def number(given: Json, key: str, default: Any = REQUIRED, least: int | None = 0) -> int | None:
    """A whole number, or the default where it is missing or null."""
    found = given.get(key)
    if found is None:
        if default is REQUIRED:
            raise ValueError(f"{key} is missing")
        return default  # type: ignore[no-any-return]
    return counted(key, found, least)


def counted(key: str, found: object, least: int | None = 0) -> int:
    is_whole = isinstance(found, int) or (isinstance(found, float) and found.is_integer())
    if isinstance(found, bool) or not is_whole:
        raise ValueError(f"{key} is no whole number: {found!r}")
    amount = int(found)  # type: ignore[call-overload]
    if least is not None and amount < least:
        raise ValueError(f"{key} is below {least}: {amount}")
    return int(amount)


def listed(given: Json, key: str) -> list[Any]:
    found = given.get(key)
    if not isinstance(found, list):
        raise TypeError(f"{key} is {'missing' if found is None else 'no list'}")
    return found


def whole(given: Json, key: str) -> tuple[int, ...]:
    return tuple(counted(key, each) for each in listed(given, key))


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
        found = json.loads(text)
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise BadInstances(f"{path} cannot be read as sourcing instances: {error}") from error
    if not isinstance(found, list) or not found:
        raise BadInstances(f"{path} cannot be read as sourcing instances: not a list of them")
    return [read(path, place, given) for place, given in enumerate(found)]


def read(path: Path, place: int, given: object) -> Instance:
    """Named by its id, if it has one, else by its place in the file."""
    named = given if isinstance(given, Mapping) else {}
    name = f"{named['id']} (#{place})" if "id" in named else f"#{place}"
    try:
        return Instance.read(named, name)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInstances(
            f"{path} cannot be read as sourcing instances: instance {name}: {error}"
        ) from error


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


@dataclass(frozen=True, slots=True)
class ScarceStock:
    """Orders that want the same stock, `stock` by location and SKU, in the order they came."""

    orders: tuple[Instance, ...]
    stock: tuple[tuple[int, ...], ...]


SCARCITY = 1.2  # units in stock per unit wanted
SCARCE_ORDERS, SCARCE_LOCATIONS, SCARCE_SKUS = 10, 5, 6
LINES = (1, 2, 3, 4)


def scarce(seed: int) -> ScarceStock:
    """Lines by SKU; what an order does not want it asks for no units of."""
    random = Random(f"scarce {seed}")
    places = [place(random) for _ in range(SCARCE_LOCATIONS)]
    pounds = random.choices(POUNDS, k=SCARCE_SKUS)
    wanted = [wants_of(random) for _ in range(SCARCE_ORDERS)]
    stock = [[0] * SCARCE_SKUS for _ in places]
    for sku, asked in enumerate(map(sum, zip(*wanted, strict=True))):
        for _ in range(ceil(asked * SCARCITY)):
            random.choice(stock)[sku] += 1
    orders = tuple(
        Instance("scarce", quantities, tuple(tariffs(place(random), places, pounds, stock)))
        for quantities in wanted
    )
    return ScarceStock(orders, tuple(map(tuple, stock)))


def wants_of(random: Random) -> tuple[int, ...]:
    skus = random.sample(range(SCARCE_SKUS), random.choice(LINES))
    chosen = {sku: random.choices((1, 2, 3), (57, 29, 14))[0] for sku in skus}
    return tuple(chosen.get(sku, 0) for sku in range(SCARCE_SKUS))


def tariffs(
    destination: tuple[float, float],
    places: Sequence[tuple[float, float]],
    pounds: Sequence[float],
    stock: Sequence[Sequence[int]],
) -> Iterator[Source]:
    for n, (x, y) in enumerate(places):
        first, each = zone(hypot(x - destination[0], y - destination[1]))
        fixed = first + HANDLING[n == 0] + SPLIT_PENALTY
        costs = tuple(round(each * weight) for weight in pounds)
        yield Source(f"{n:06}", fixed, costs, tuple(stock[n]))
