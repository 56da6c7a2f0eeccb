"""Sellers of one stock item, each an environment with its own leases, and what may befall them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from infra.local.memory_rows import MemoryRows
from oms.adapters.dynamodb import Write, key, s, transact
from oms.adapters.leases import Leases
from oms.adapters.leases_table import LeasesTable
from oms.adapters.orders_table import StaleOrder
from oms.adapters.stock_table import StockTable
from oms.domain.inventory import Level, MovementKind, OutOfStock, StockChange, StockItemChange
from oms.domain.reservations import open_reservations

ITEM, PLACE = "HOT", "LYON"
AT = (ITEM, PLACE)
BEGIN = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
numbers = count(1)


class Crash(BaseException):
    """The environment is gone. No `except Exception` sees it."""


@dataclass
class Clock:
    now: datetime = BEGIN

    def __call__(self) -> datetime:
        """No two calls are at the same instant."""
        self.now += timedelta(microseconds=1)
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Meddled:
    """A client whose call number `at` is preceded, or followed, by what others do, or by a crash;
    `conflicts` transactions on a level meet another one first."""

    client: Any
    conflicts: int = 0
    at: int = 0
    after: bool = False
    meddle: Callable[[], Any] | None = None
    calls: int = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.client, name)

        def made(**request: Any) -> Any:
            self.calls += 1
            mine = self.calls == self.at
            if mine and not self.after:
                self._befall()
            if name == "transact_write_items":
                self._meet(request)
            answer = call(**request)
            if mine and self.after:
                self._befall()
            return answer

        return made

    def _befall(self) -> None:
        if self.meddle is None:
            raise Crash
        self.meddle()

    def _meet(self, request: dict[str, Any]) -> None:
        writes = [what for each in request["TransactItems"] for what in each.values()]
        levels = [what.get("Key", {}).get("SK", {}).get("S", "") for what in writes]
        if self.conflicts and any(each.startswith("LEVEL#") for each in levels):
            self.conflicts -= 1
            raise conflict([each.startswith("LEVEL#") for each in levels])


def conflict(rows: list[bool]) -> Exception:
    reasons = [{"Code": "TransactionConflict" if each else "None"} for each in rows]
    said: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": reasons,
    }
    return ClientError(said, "TransactWriteItems")


@dataclass
class Market:
    """One item in one table, its sellers, and what was sold."""

    client: Any
    table: str
    clock: Clock = field(default_factory=Clock)
    sold: int = 0

    @property
    def stock(self) -> StockTable:
        return StockTable(self.client, self.table)

    @property
    def leases(self) -> LeasesTable:
        return LeasesTable(self.client, self.table, self.stock, no_pause)

    def fill(self, units: int) -> None:
        item = StockItemChange(*AT, units)
        self.stock.apply(StockChange(MovementKind.RECEIVED, "rcp_1", self.clock(), (item,)))

    def seller(self) -> Seller:
        return Seller(self)

    @property
    def level(self) -> tuple[int, int, int]:
        found = self.stock.levels([ITEM])[ITEM][0]
        return found.on_hand, found.available, found.reserved

    def rows(self) -> list[Any]:
        if isinstance(self.client, MemoryRows):
            return list(self.client.rows.values())
        return list(self.client.scan(TableName=self.table)["Items"])

    def reservations(self) -> dict[str, int]:
        """Units by reservation, by the movements alone."""
        held: Counter[str] = Counter()
        for move in self.stock.movements(ITEM, 10_000).movements:
            for whose, units in move.claims:
                held[whose] += units
        return {whose: units for whose, units in held.items() if units}

    def check(self) -> None:
        """Nothing is oversold, and every reserved unit has an owner."""
        (balance,) = self.stock.balances(ITEM)
        assert balance.is_even, balance
        self._check_standing(balance.level)
        held = self.reservations()
        assert all(units > 0 for units in held.values()), held
        assert sum(held.values()) == balance.level.reserved
        leased = {each.lease_id: each.units for each in self.leases.open() if each.units}
        assert leased == {whose: n for whose, n in held.items() if whose.startswith("lse_")}
        orders = sum(n for whose, n in held.items() if whose.startswith("ful_"))
        assert orders == self.sold, (orders, self.sold)

    def _check_standing(self, level: Level) -> None:
        """Whose the reserved units are can be told from the latest movements alone."""
        found = open_reservations([level], self.stock.movements(ITEM, 10_000).movements).found
        assert {each.reservation: each.quantity for each in found} == self.reservations()


@dataclass
class Seller:
    market: Market
    client: Meddled = field(init=False)
    leases: Leases = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Anew: what it had in its memory is gone."""
        market = self.market
        self.client = Meddled(market.client)
        stock = StockTable(self.client, market.table)
        table = LeasesTable(self.client, market.table, stock, no_pause)
        self.leases = Leases(table, stock, market.clock)

    def disturb(self, **how: Any) -> None:
        for name, value in {"calls": 0, **how}.items():
            setattr(self.client, name, value)

    def sell(self, units: int = 1, floor: int = 0) -> bool:
        """As the router does: look, look at others' leases when it is short, take. False when
        there is nothing; a crash leaves the market to find out whether it was sold."""
        at = self.market.clock()
        for _ in range(8):
            if self._free() - floor < units and not self._reclaims(units, floor):
                return False
            try:
                self._take(units, floor, at)
            except (OutOfStock, StaleOrder):
                continue
            return True
        return False

    def _free(self) -> int:
        (level,) = self.leases.levels([ITEM])[ITEM]
        return level.available

    def _reclaims(self, units: int, floor: int) -> bool:
        return bool(self.leases.reclaim({ITEM: units}, {PLACE}))

    def _take(self, units: int, floor: int, at: datetime) -> None:
        identity = f"ful_{next(numbers)}"
        item = StockItemChange(*AT, units, identity)
        change = StockChange(MovementKind.ALLOCATED, identity, at, (item,))
        row = {**key(f"ORDER#{identity}", "ORDER"), "units": s(str(units))}
        order = Write({"Put": {"TableName": self.market.table, "Item": row}})
        writes = [order, *self.leases.taking({AT: floor})(change)]
        transact(self.client, writes, no_pause)
        self.market.sold += units


def no_pause(seconds: float) -> None:
    """Nobody waits in a test."""
