"""One hot SKU against fifty, behind what DynamoDB does to writers that meet.

Sellers place and route orders of one line that are paid for: all of them of one SKU that has
exactly the units for most of them, or of fifty. The rate of a machine says nothing, the ratio of
the two does; they run in turn, and medians are told.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from infra.local.bench.sellers import Job, Sellers, Shelf, Sold
from infra.local.cloud import Cloud
from infra.local.physics import REAL, PhysicalMeter, physical
from oms.adapters.leases_table import LeasesTable
from oms.adapters.stock_table import StockTable
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.locations import Location, LocationKind

SELLERS, SKUS = 8, 50
UNITS, TOO_MANY = 320, 16  # sold of the hot SKU, and asked for in vain
REPEATS = 5
PLACE = Location("AUS1", "Austin", LocationKind.WAREHOUSE, "US", "TX", "78701", 500, 20)
INDEXES = ("GSI1", "GSI2", "GSI3")


class Figures(NamedTuple):
    """Of one run. `left` are units that are neither sold nor available afterwards."""

    per_second: float
    sold: int
    backordered: int
    failed: int
    left: int
    conflicts: float  # per sale
    wru: float  # per sale
    outcomes: Mapping[str, int]


class Comparison(NamedTuple):
    """Rounds of each, in turn."""

    hot: Sequence[Figures]
    spread: Sequence[Figures]
    plain: Sequence[Figures]  # hot, without leases

    @property
    def ratio(self) -> float:
        return median_ratio(self.hot, self.spread)

    @property
    def plain_ratio(self) -> float:
        return median_ratio(self.plain, self.spread)

    @property
    def right(self) -> float:
        """The share of requests that ended as they should: sold while there was stock, told to
        wait afterwards, and no unit left behind."""
        wrong = sum(f.failed + abs(f.left) + abs(UNITS - f.sold) for f in self.hot)
        return 1 - wrong / (len(self.hot) * (UNITS + TOO_MANY))


def median_ratio(one: Sequence[Figures], other: Sequence[Figures]) -> float:
    """Of each pair that ran side by side."""
    pairs = zip(one, other, strict=True)
    return statistics.median(a.per_second / b.per_second for a, b in pairs)


class Market:
    """Tables behind the physics, and the sellers that use them."""

    def __init__(self, cloud: Cloud, meter: PhysicalMeter, sellers: int) -> None:
        self.meter, self.client = meter, cloud.client("dynamodb")
        name = uuid4().hex[:8]
        self.shelf = Shelf(meter.url, f"orders-{name}", f"stock-{name}")
        self.client.create_table(TableName=self.shelf.orders, **schema(INDEXES))
        self.client.create_table(TableName=self.shelf.stock, **schema(()))
        self.stock = StockTable(self.client, self.shelf.stock)
        self.stock.put_location(PLACE)
        self.sellers = Sellers(self.shelf, sellers)

    def run(self, skus: int, units: int, too_many: int, *, leases: bool) -> Figures:
        """So many units of all SKUs together are there, and more are asked for."""
        name = uuid4().hex[:8]
        names = [f"{name}-{number}" for number in range(skus)]
        for number, sku in enumerate(names):
            self.receive(sku, units // skus + (number < units % skus))
        wanted = [names[number % skus] for number in range(units + too_many)]
        self.meter.reset()
        before = self.meter.physics.conflicts
        sold = self.sellers.sell(Job(name, wanted, leases))
        return self.figures(sold, names, units, self.meter.physics.conflicts - before)

    def figures(self, sold: Sold, skus: Sequence[str], units: int, conflicts: int) -> Figures:
        routed = sold.outcomes["routed"]
        each = 1 / max(1, routed)
        wru = sum(self.meter.tally.wru.values())
        return Figures(
            per_second=sold.per_second,
            sold=routed,
            backordered=sold.outcomes["backordered"],
            failed=sold.failed,
            left=units - routed - self.available(skus),
            conflicts=conflicts * each,
            wru=wru * each,
            outcomes=sold.outcomes,
        )

    def available(self, skus: Sequence[str]) -> int:
        levels = self.stock.levels(skus)
        assert all(level.is_sound for of in levels.values() for level in of)
        return sum(level.available for of in levels.values() for level in of)

    def open_leases(self) -> int:
        return len(LeasesTable(self.client, self.shelf.stock, self.stock).open())

    def receive(self, sku: str, units: int) -> None:
        item = StockItemChange(sku, PLACE.location_id, units)
        received = StockChange(MovementKind.RECEIVED, f"rcp_{sku}", datetime.now(UTC), (item,))
        self.stock.apply(received)


@contextmanager
def market(cloud: Cloud, sellers: int = SELLERS) -> Iterator[Market]:
    with physical(cloud, REAL) as meter:
        found = Market(cloud, meter, sellers)
        try:
            yield found
        finally:
            found.sellers.close()


def compare(cloud: Cloud, repeats: int = REPEATS) -> Comparison:
    with market(cloud) as place:
        place.run(SKUS, 2 * SKUS, 0, leases=True)  # the emulator and the sellers are warm
        rounds = [one_round(place, backwards=bool(number % 2)) for number in range(repeats)]
    hot, spread, plain = zip(*rounds, strict=True)
    return Comparison(hot, spread, plain)


def one_round(place: Market, *, backwards: bool) -> Sequence[Figures]:
    """Forwards and back in turn: a machine that grows busier disturbs each as often."""
    kinds = [(1, True), (SKUS, True), (1, False)]
    order = kinds[::-1] if backwards else kinds
    found = {kind: place.run(kind[0], UNITS, TOO_MANY, leases=kind[1]) for kind in order}
    return [found[kind] for kind in kinds]


def schema(indexes: Sequence[str]) -> dict[str, Any]:
    names = ["PK", "SK", *(f"{index}PK" for index in indexes), *(["at"] if indexes else [])]
    found = [
        {
            "IndexName": name,
            "KeySchema": keys(f"{name}PK", "at"),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
        for name in indexes
    ]
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys("PK", "SK"),
        "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in names],
        **({"GlobalSecondaryIndexes": found} if found else {}),
    }


def keys(partition: str, sort: str) -> list[dict[str, str]]:
    pairs = (partition, "HASH"), (sort, "RANGE")
    return [{"AttributeName": name, "KeyType": kind} for name, kind in pairs]
