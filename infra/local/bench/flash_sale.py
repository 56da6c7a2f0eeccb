"""A flash sale in virtual time: five times as many buyers as units, most of them at the beginning.

The code that takes stock is ours; the table is in memory, behind DynamoDB's physics, and time is
simulated: what a request takes, how buyers arrive, when another environment starts. Not modelled:
anything of an order but its row and its stock.
"""

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local.bench.virtual import VirtualTime
from infra.local.memory_rows import MemoryRows
from infra.local.physics import REAL, Limits, Physics
from oms.adapters.dynamodb import Write, key, transact
from oms.adapters.leases import Leases
from oms.adapters.leases_table import LeasesTable
from oms.adapters.orders_table import StaleOrder
from oms.adapters.stock_table import StockTable
from oms.domain.errors import Contended
from oms.domain.inventory import Level, MovementKind, OutOfStock, StockChange, StockItemChange

BUYERS, SECONDS = 5, 60.0  # for each unit; in so many seconds
DECAY = 10.0  # seconds in which the buyers become a third
ENVIRONMENTS = 1_000  # at once
READ, WRITE = 0.003, 0.005  # seconds
START = 0.3  # seconds, of another environment
ROUNDS = 8
ITEM, PLACE, TABLE = "HOT", "AUS1", "stock"
BEGIN = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@dataclass
class Sale:
    """`at` are the instants of sales; `patience` is what buyers waited for their answer."""

    units: int
    demand: list[float]
    at: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    gave_up: int = 0
    conflicts: int = 0
    throttled: int = 0
    environments: int = 0
    available: int = 0
    left: int = 0

    @property
    def p99(self) -> float:
        """Seconds until a buyer is answered."""
        return sorted(self.waited)[len(self.waited) * 99 // 100]

    @property
    def oversold(self) -> int:
        return max(0, len(self.at) - self.units)

    @property
    def stranded(self) -> int:
        """Neither sold nor available when all is over."""
        return self.units - len(self.at) - self.available

    @property
    def times_demand(self) -> float:
        """When 99 % were sold, over when that many buyers had come; they come at the same pace."""
        enough = self.units * 99 // 100
        if len(self.at) < enough:
            return float("inf")
        return sorted(self.at)[enough - 1] / self.demand[enough - 1]


class SlowRows(MemoryRows):
    """Rows whose requests take their time, and may be refused."""

    def __init__(self, time: VirtualTime, limits: Limits) -> None:
        self.physics = Physics(limits, time.clock)
        self.time = time
        super().__init__(self.physics.refusal)

    def get_item(self, **asked: Any) -> dict[str, Any]:
        self.time.pause(READ)
        return super().get_item(**asked)

    def query(self, **asked: Any) -> dict[str, Any]:
        self.time.pause(READ)
        return super().query(**asked)

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        self.time.pause(READ)
        return super().batch_get_item(RequestItems)

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        self.time.pause(WRITE)
        return super().transact_write_items(**asked)


class OneThread(StockTable):
    """It asks for its levels one after the other: here nothing runs beside it."""

    def levels(
        self, skus: Iterable[str], *, consistent: bool = True
    ) -> dict[str, tuple[Level, ...]]:
        return {sku: self._levels_of(sku, consistent) for sku in skus}


class Shop:
    """`leases` makes those of an environment."""

    def __init__(
        self, units: int, seed: int, leases: type[Leases] = Leases, limits: Limits = REAL
    ) -> None:
        self.chance, self.leases = random.Random(seed), leases
        random.seed(seed)  # of the pauses between tries
        self.time = VirtualTime()
        self.rows = SlowRows(self.time, limits)
        self.sale = Sale(units, arrivals(self.chance, units))
        self.idle: list[Environment] = []
        self.fill()

    def fill(self) -> None:
        quick = MemoryRows(rows=self.rows.rows, _sorts=self.rows._sorts)
        item = StockItemChange(ITEM, PLACE, self.sale.units)
        received = StockChange(MovementKind.RECEIVED, "rcp_1", BEGIN, (item,))
        StockTable(quick, TABLE).apply(received)  # type: ignore[arg-type]

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.time.now)

    def run(self) -> Sale:
        self.time.start(self.doors)
        self.time.run()
        return self.counted()

    def doors(self) -> None:
        """Each buyer meets an environment that has nothing to do, the last that was busy, or
        waits for a new one."""
        for instant in self.sale.demand:
            self.time.pause(max(0.0, instant - self.time.now))
            if self.idle:
                chosen = self.idle.pop()
                self.time.start(lambda who=chosen, at=instant: who.serve(at), self.time.now)  # type: ignore[misc]
            elif self.sale.environments < ENVIRONMENTS:
                self.sale.environments += 1
                fresh = Environment(self)
                self.time.start(
                    lambda who=fresh, at=instant: who.serve(at),  # type: ignore[misc]
                    self.time.now + START,
                )
            else:
                self.sale.gave_up += 1

    def counted(self) -> Sale:
        physics, sale = self.rows.physics, self.sale
        sale.conflicts, sale.throttled = physics.conflicts, physics.throttled
        quick = MemoryRows(rows=self.rows.rows, _sorts=self.rows._sorts)
        stock = OneThread(quick, TABLE)  # type: ignore[arg-type]
        leases = LeasesTable(quick, TABLE, stock)  # type: ignore[arg-type]
        later = self.now() + timedelta(minutes=1)
        for lease in leases.open():
            sale.left += leases.end_if_unused(lease, later)
        (level,) = stock.levels([ITEM])[ITEM]
        assert level.is_sound
        sale.available = level.available
        return sale


class Environment:
    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        stock = OneThread(shop.rows, TABLE)  # type: ignore[arg-type]
        table = LeasesTable(shop.rows, TABLE, stock, shop.time.pause)  # type: ignore[arg-type]
        self.leases = shop.leases(table, stock, shop.now)
        self.served = 0

    def serve(self, arrived: float) -> None:
        sale = self.shop.sale
        try:
            if self.sells():
                sale.at.append(self.shop.time.now)
        except Contended:
            sale.gave_up += 1
        sale.waited.append(self.shop.time.now - arrived)
        self.shop.idle.append(self)

    def sells(self) -> bool:
        for attempt in range(ROUNDS):
            (level,) = self.leases.levels([ITEM], consistent=attempt > 0)[ITEM]
            if not level.available and not self.leases.reclaim({ITEM: 1}, {PLACE}):
                return False
            try:
                return self.take()
            except (OutOfStock, StaleOrder):
                continue
        raise Contended("others were faster")

    def take(self) -> bool:
        self.served += 1
        identity = f"ful_{id(self)}-{self.served}"
        item = StockItemChange(ITEM, PLACE, 1, identity)
        change = StockChange(MovementKind.ALLOCATED, identity, self.shop.now(), (item,))
        order = Write({"Put": {"TableName": TABLE, "Item": key(f"ORDER#{identity}", "ORDER")}})
        writes = [order, *self.leases.taking()(change)]
        time = self.shop.time
        transact(self.shop.rows, writes, time.pause, time.clock)  # type: ignore[arg-type]
        return True


def arrivals(chance: random.Random, units: int) -> list[float]:
    """A tenth of all buyers in a second at first, and fewer and fewer until the end."""
    found = (chance.expovariate(1 / DECAY) for _ in range(2 * BUYERS * units))
    return sorted([at for at in found if at < SECONDS][: BUYERS * units])
