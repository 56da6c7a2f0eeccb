"""How one execution environment takes the stock of routed orders.

From the level, in the order's own transaction, until it has met too many conflicts there. Then it
leases units, and sells from its lease until the demand has cooled; what is left goes back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from itertools import groupby

from oms.adapters.dynamodb import COMMITTED, CONFLICT, Item, Write, text
from oms.adapters.lease_rows import read_lease
from oms.adapters.leases_table import LeaseMoved, LeasesTable, leases_table
from oms.adapters.orders_table import StaleOrder, Taking
from oms.adapters.stock_rows import LEVEL, sku_of
from oms.adapters.stock_table import StockTable, stock_table
from oms.domain.availability import Floors
from oms.domain.errors import Contended
from oms.domain.inventory import (
    EFFECT_OF_ONE,
    Level,
    MovementKind,
    OutOfStock,
    StockChange,
    StockItemChange,
)
from oms.domain.leases import (
    FIRST,
    IDLE,
    Heat,
    Lease,
    granted,
    handed_over,
    is_worth_leasing,
    next_size,
)

At = tuple[str, str]  # stock item, location
TRIES = 3  # of a lease that is smaller each time, because others have leased meanwhile
ONE_BACK = EFFECT_OF_ONE[MovementKind.RELEASED]


class TakenOtherwise(StaleOrder):
    """Nothing was written: decide again, the units are taken in another way now."""


@dataclass
class Holding:
    """A lease of ours as we know it. `unsure` while a transaction may have changed it."""

    lease: Lease
    size: int
    leased_at: datetime
    unsure: bool = False


class Leases:
    """Of one environment, which serves one order after the other."""

    def __init__(
        self,
        table: LeasesTable,
        stock: StockTable,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._table, self._stock, self._clock = table, stock, clock
        self._held: dict[At, Holding] = {}
        self._heat: dict[At, Heat] = {}
        self._free: dict[At, int] = {}

    def taking(self, floors: Floors | None = None) -> Taking:
        """How the units of a routed order are taken; `floors` as in `StockTable.writes`."""
        return partial(self._writes, floors or {})

    def own(self, item: str) -> dict[str, int]:
        """Units that this environment has leased and not sold, by location."""
        return {at[1]: held.lease.units for at, held in self._held.items() if at[0] == item}

    def levels(
        self, items: Iterable[str], *, consistent: bool = True
    ) -> dict[str, tuple[Level, ...]]:
        """The levels as this environment may sell them: what it has leased is available to it."""
        self._return_idle()
        found = self._stock.levels(items, consistent=consistent)
        every = (level for levels in found.values() for level in levels)
        self._free = {(level.sku, level.location): level.available for level in every}
        return {item: tuple(map(self._with_own, levels)) for item, levels in found.items()}

    def reclaim(self, wanted: Mapping[str, int], locations: Container[str]) -> int:
        """When levels are short: have units that others have leased there and not sold, by stock
        item; how many. Only when nobody holds any may an order be told to wait."""
        return sum(self._reclaim(item, units, locations) for item, units in wanted.items())

    def give_back(self, items: Iterable[str] | None = None) -> int:
        """End our leases of these items, or all; how many units went back to their levels."""
        asked = None if items is None else set(items)
        ours = [at for at in self._held if asked is None or at[0] in asked]
        return sum(map(self._end, ours))

    def _with_own(self, level: Level) -> Level:
        held = self._held.get((level.sku, level.location))
        return level.moved(ONE_BACK.times(held.lease.units)) if held else level

    def _return_idle(self) -> None:
        """In vain when others write the level all the time; then it is found later."""
        now = self._clock()
        self._heat = {at: heat for at, heat in self._heat.items() if heat.is_met(now)}
        for at, held in list(self._held.items()):
            if now - held.lease.used_at > IDLE:
                self._end(at)

    def _end(self, at: At) -> int:
        held = self._held.pop(at)
        try:
            return self._table.give_back(held.lease, self._clock())
        except Contended:
            return 0

    def _writes(self, floors: Floors, change: StockChange) -> list[Write]:
        leased: list[Write] = []
        plain: list[StockItemChange] = []
        for at, group in groupby(change.items, lambda item: (item.sku, item.location)):
            items = list(group)
            units = sum(item.quantity for item in items)
            if held := self._covering(at, units, floors.get(at, 0), change.at):
                leased += self._sale(held, change, items)
            else:
                plain += items
        return [*leased, *self._from_levels(change.part(plain), floors)]

    def _from_levels(self, change: StockChange, floors: Floors) -> list[Write]:
        writes = self._stock.writes(change, floors=floors) if change.items else []
        levels = {(item.sku, item.location) for item in change.items}
        watched = {at: partial(self._met, at) for at in levels}
        return [replace(each, heard=watched.get(_level_of(each))) for each in writes]

    def _met(self, at: At, outcome: str) -> None:
        """A conflict at a level. The one that makes it hot ends this try: the next one leases."""
        if outcome != CONFLICT:
            return
        now, before = self._clock(), self._heat.get(at, Heat())
        self._heat[at] = before.met(now)
        if self._heat[at].is_hot(now) and not before.is_hot(now):
            raise TakenOtherwise(f"{at[0]} at {at[1]} is too hot for one counter")

    def _covering(self, at: At, units: int, floor: int, asked: datetime) -> Holding | None:
        """A lease of ours with that many units; None when they are better had from the level."""
        held = self._known(at)
        if held is not None and held.lease.units >= units:
            return held
        if held is None and not self._heat.get(at, Heat()).is_hot(self._clock()):
            return None
        return self._lease(at, held, units, floor, asked)

    def _known(self, at: At) -> Holding | None:
        held = self._held.get(at)
        if held is not None and held.unsure:
            self._learn(held, self._table.get(held.lease.lease_id))
        return self._held.get(at)

    def _learn(self, held: Holding, found: Lease | None) -> None:
        held.unsure = False
        if found is None:
            self._held.pop(held.lease.level, None)
        else:
            held.lease = replace(held.lease, units=found.units)

    def _lease(
        self, at: At, held: Holding | None, units: int, floor: int, asked: datetime
    ) -> Holding | None:
        """A first lease, or more of it; what the level cannot give ends an empty one."""
        free = self._free.get(at, 0) - floor
        for _ in range(TRIES):
            more = self._size(held, units, free)
            if not more:
                break
            try:
                return self._leased(at, held, more, floor, asked)
            except OutOfStock as short:
                free = short.shortages[0].available
                self._free[at] = free + floor
            except LeaseMoved as moved:
                assert held is not None
                self._learn(held, moved.found)
                return None
        if held is not None and not held.lease.units:
            self._end(at)
        return None

    def _size(self, held: Holding | None, units: int, free: int) -> int:
        now = self._clock()
        if held is None:
            return granted(FIRST, units, free) if is_worth_leasing(free, units) else 0
        size, needed = next_size(held.size, now - held.leased_at), units - held.lease.units
        if not held.lease.units and not (size and is_worth_leasing(free, needed)):
            return 0
        return granted(size, needed, free)

    def _leased(
        self, at: At, held: Holding | None, units: int, floor: int, asked: datetime
    ) -> Holding:
        now = self._clock()
        known = held.lease if held else None
        if held is not None:
            held.unsure = True
        more = Lease(known.lease_id if known else new_id(), *at, units, now)
        lease = self._table.lease(known, more, floor, asked)
        self._held[at] = Holding(lease, units, now)
        return self._held[at]

    def _sale(
        self, held: Holding, change: StockChange, items: Iterable[StockItemChange]
    ) -> list[Write]:
        carried = tuple(replace(item, taken_from=held.lease.lease_id) for item in items)
        told = StockChange(MovementKind.CARRIED, change.cause, change.at, carried)
        first, *others = self._table.sale(held.lease, told, partial(self._moved, held))
        held.unsure = True
        units = sum(item.quantity for item in carried)
        return [replace(first, heard=partial(self._sold, held, units, change.at)), *others]

    def _sold(self, held: Holding, units: int, at: datetime, outcome: str) -> None:
        if outcome == COMMITTED:
            held.lease = replace(held.lease, units=held.lease.units - units, used_at=at)
            held.unsure = False

    def _moved(self, held: Holding, row: Item | None) -> Exception:
        """Others had some of it, or it has ended: the order is decided on again."""
        self._learn(held, read_lease(row) if row else None)
        return TakenOtherwise(f"lease {held.lease.lease_id} is not what it was")

    def _reclaim(self, item: str, units: int, locations: Container[str]) -> int:
        mine = {held.lease.lease_id for held in self._held.values()}
        found = (each for each in self._table.open(item) if each.location in locations)
        others = (each for each in found if each.lease_id not in mine)
        had = 0
        for giver in sorted(others, key=lambda lease: (-lease.units, lease.lease_id)):
            if had >= units or not giver.units:
                break
            had += self._taken_over(giver, units - had)
        if not had:
            self._end_sold_out(item)
        return had

    def _end_sold_out(self, item: str) -> None:
        """Whoever looks for units need not look at these."""
        ours = [(at, held) for at, held in self._held.items() if at[0] == item]
        for at, held in ours:
            if not (held.unsure or held.lease.units):
                self._end(at)

    def _taken_over(self, giver: Lease, needed: int) -> int:
        """Some of the giver's units; none when it was faster."""
        held, now = self._known(giver.level), self._clock()
        known = held.lease if held else None
        units = handed_over(giver.units, needed)
        taker = Lease(known.lease_id if known else new_id(), *giver.level, units, now)
        if held is not None:
            held.unsure = True
        try:
            lease = self._table.hand_over(giver, known, taker)
        except LeaseMoved:
            return 0
        self._held[giver.level] = Holding(lease, units, now)
        return units


@cache
def leases() -> Leases:
    return Leases(leases_table(), stock_table())


def new_id() -> str:
    return f"lse_{uuid.uuid4().hex}"


def _level_of(write: Write) -> At:
    """The level that is written, if it is one."""
    row = write.item.get("Update", {}).get("Key")
    if row is None or not text(row, "SK").startswith(LEVEL):
        return ("", "")
    return sku_of(row), text(row, "SK").removeprefix(LEVEL)
