"""Stores in memory with the adapters' verbs; they pass the adapters' own suites."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce

from oms.adapters.stock_ledger import Standing, Told
from oms.adapters.stock_table import MovementPage
from oms.domain.availability import Floors
from oms.domain.events import StockFreed, StockReceived
from oms.domain.inventory import (
    NO_EFFECT,
    AdjustmentReason,
    Balance,
    CountedTooFew,
    DuplicateMovement,
    Effect,
    IdempotencyConflict,
    Level,
    Movement,
    MovementKind,
    OutOfStock,
    Receipt,
    Shortage,
    StockChange,
    UnknownLocation,
    WaitingOrder,
    net_effects,
    refusal,
)
from oms.domain.locations import Location
from oms.domain.reservations import of_location, open_reservations, stands_aside

Put = Callable[[], None]


@dataclass
class StockFake:
    """`writes` are deeds to be done by `commit`, all or none."""

    levels_by_item: dict[tuple[str, str], Level] = field(default_factory=dict)
    ledger: list[Movement] = field(default_factory=list)
    spent: dict[StockChange, tuple[Shortage, ...] | None] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    places: dict[str, Location] = field(default_factory=dict)
    outbox: list[tuple[StockReceived, str]] = field(default_factory=list)
    line: set[tuple[str, datetime, str]] = field(default_factory=set)

    def commit(self, writes: Iterable[Put]) -> None:
        before = deepcopy(self.__dict__)
        try:
            for write in writes:
                write()
        except Exception:
            self.__dict__.update(before)
            raise

    def writes(self, *changes: StockChange, floors: Floors | None = None) -> list[Put]:
        return [lambda: self._apply(changes, floors or {})]

    def apply(self, change: StockChange) -> None:
        self.commit(self.writes(change))

    def apply_in_batches(self, change: StockChange) -> None:
        if change not in self.spent:
            self._try(change)
        if (shortages := self.spent[change]) is not None:
            raise OutOfStock(shortages)

    def give_back_batches(self, change: StockChange) -> None:
        if self.spent.get(change, ()) is None:
            kind, cause = MovementKind.RELEASED, f"{change.cause}.given_back"
            self.apply(replace(change, kind=kind, cause=cause))
        self.spent[change] = self.spent.get(change) or ()

    def receive(
        self,
        sku: str,
        location: str,
        quantity: int,
        *,
        at: datetime,
        actor: str,
        idempotency_key: str | None = None,
        reason: str = "",
    ) -> Receipt:
        name = f"{actor} {idempotency_key}" if idempotency_key else f"#{len(self.receipts)}"
        receipt = Receipt(f"rcp_{name}", sku, location, quantity, at)
        if known := self.receipts.get(name):
            if replace(receipt, at=known.at) != known:
                raise IdempotencyConflict
            return known
        if location not in self.places:
            raise UnknownLocation(location)
        self.apply(receipt.change(reason))
        self.receipts[name] = receipt
        self.outbox.append((StockReceived(sku, location, quantity), actor))
        return receipt

    def levels(
        self,
        skus: Iterable[str],
        *,
        consistent: bool = True,
    ) -> dict[str, tuple[Level, ...]]:
        ordered = sorted(self.levels_by_item.items())
        return {sku: tuple(lv for (s, _), lv in ordered if s == sku) for sku in skus}

    def known(self, skus: Iterable[str]) -> set[str]:
        return {receipt.sku for receipt in self.receipts.values()} & set(skus)

    def locations(self) -> tuple[Location, ...]:
        return tuple(self.places[name] for name in sorted(self.places))

    def put_location(self, location: Location) -> None:
        self.places[location.location_id] = location

    def movements(self, sku: str, limit: int = 50, cursor: str | None = None) -> MovementPage:
        start = int(cursor or 0)
        found = sorted((m for m in self.ledger if m.sku == sku), key=_name, reverse=True)
        more = str(start + limit) if len(found) >= start + limit else None
        return MovementPage(tuple(found[start : start + limit]), more)

    def wait_writes(self, order_id: str, placed_at: datetime, skus: Iterable[str]) -> list[Put]:
        rows = {(sku, placed_at, order_id) for sku in skus}
        return [lambda: self.line.update(rows)]

    def unwait_writes(self, order_id: str, placed_at: datetime, skus: Iterable[str]) -> list[Put]:
        rows = {(sku, placed_at, order_id) for sku in skus}
        return [lambda: self.line.difference_update(rows)]

    def waiting(self, sku: str, limit: int) -> tuple[WaitingOrder, ...]:
        rows = sorted(row for row in self.line if row[0] == sku)[:limit]
        return tuple(WaitingOrder(sku, order_id, placed_at) for sku, placed_at, order_id in rows)

    def scan_levels(self) -> Iterator[Level]:
        return iter(self.levels_by_item.values())

    def scan_balances(self, after: str | None = None) -> Iterator[Balance]:
        for sku in sorted({sku for sku, _ in self.levels_by_item if after is None or sku > after}):
            yield from self.balances(sku)

    def balances(self, sku: str) -> list[Balance]:
        sums = self.movement_sums(sku)
        return [
            Balance(level, sums[level.location], self._aside(level))
            for level in self.levels([sku])[sku]
        ]

    def _aside(self, level: Level) -> int:
        mine = (m for m in self.ledger if (m.sku, m.location) == (level.sku, level.location))
        claims = (claim for movement in mine for claim in movement.claims)
        return sum(units for reservation, units in claims if stands_aside(reservation))

    def movement_sums(self, sku: str) -> dict[str, Effect]:
        sums: dict[str, Effect] = {}
        for movement in self.ledger:
            if movement.sku == sku:
                so_far = sums.get(movement.location, NO_EFFECT)
                sums[movement.location] = so_far.plus(movement.effect)
        return sums

    def _try(self, change: StockChange) -> None:
        try:
            self.apply(change)
        except OutOfStock as error:
            if change.kind is not MovementKind.ALLOCATED:
                raise
            self.spent[change] = error.shortages
        else:
            self.spent[change] = None

    def _apply(self, changes: Sequence[StockChange], floors: Floors) -> None:
        for change in changes:
            moved = _movements(change)
            if {_name(m) for m in moved} & {_name(m) for m in self.ledger}:
                raise DuplicateMovement(change.kind, change.cause)
            self.ledger.extend(moved)
        self.levels_by_item |= self._after(changes, floors)

    def _after(
        self, changes: Sequence[StockChange], floors: Floors
    ) -> dict[tuple[str, str], Level]:
        """As the table does it: the net effect, and every refusal of the first one's class."""
        after: dict[tuple[str, str], Level] = {}
        refusals: list[Exception] = []
        for place, effect in net_effects(changes).items():
            level, floor = self.levels_by_item.get(place, Level(*place)), floors.get(place, 0)
            after[place] = level.moved(effect)
            least = floor if effect.available < 0 else 0
            if min(after[place].counters) < 0 or after[place].available < least:
                refusals.append(refusal(level, effect, floor))
        if refusals:
            raise reduce(_merged, refusals)
        return after


@dataclass
class LedgerFake:
    """What is told by hand, of the same stock."""

    stock: StockFake
    done: dict[str, tuple[str, int]] = field(default_factory=dict)
    freed: list[tuple[StockFreed, str]] = field(default_factory=list)

    def adjust(
        self,
        sku: str,
        location: str,
        quantity: int,
        reason: AdjustmentReason,
        *,
        at: datetime,
        actor: str,
        note: str = "",
        idempotency_key: str | None = None,
    ) -> None:
        told = Told(
            MovementKind.ADJUSTED, sku, location, quantity, at, actor, reason, note, idempotency_key
        )
        self._once(told, quantity)

    def count(
        self,
        sku: str,
        location: str,
        counted: int,
        *,
        at: datetime,
        actor: str,
        note: str = "",
        idempotency_key: str | None = None,
    ) -> int:
        told = Told(
            MovementKind.COUNTED, sku, location, counted, at, actor, "", note, idempotency_key
        )
        level = self.stock.levels_by_item.get((sku, location), Level(sku, location))
        if counted < level.reserved and (told.once or "") not in self.done:
            named = of_location(self.standing(sku).reservations, location)
            raise CountedTooFew(level, counted, [str(each) for each in named])
        return self._once(told, counted - level.on_hand)

    def standing(self, sku: str) -> Standing:
        levels = self.stock.levels([sku])[sku]
        found = open_reservations(levels, self._newest_first(sku))
        return Standing(levels, found.found, not found.missing)

    def levels_at(self, sku: str, at: datetime) -> tuple[Level, ...]:
        return tuple(
            replace(
                Level(sku, level.location),
                **sum_of(
                    m
                    for m in self._newest_first(sku)
                    if m.location == level.location and m.at <= at
                )._asdict(),
            )
            for level in self.stock.levels([sku])[sku]
        )

    def movements(
        self,
        sku: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        location: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> MovementPage:
        found = [
            m
            for m in self._newest_first(sku)
            if location in (None, m.location)
            and (since is None or since <= m.at)
            and (until is None or m.at < until)
        ]
        start = int(cursor or 0)
        more = str(start + limit) if len(found) > start + limit else None
        return MovementPage(tuple(found[start : start + limit]), more)

    def _newest_first(self, sku: str) -> list[Movement]:
        return sorted((m for m in self.stock.ledger if m.sku == sku), key=_name, reverse=True)

    def _once(self, told: Told, quantity: int) -> int:
        if known := self.done.get(told.once or ""):
            if known[0] != told.fingerprint:
                raise IdempotencyConflict
            return known[1]
        if told.location not in self.stock.places:
            raise UnknownLocation(told.location)
        self.stock.apply(told.change(quantity, f"{told.kind} {len(self.stock.ledger)}"))
        if told.once:
            self.done[told.once] = (told.fingerprint, quantity)
        if quantity > 0:
            why = told.reason or told.kind
            freed = StockFreed(told.sku, told.location, quantity, why)
            self.freed.append((freed, told.actor))
        return quantity


def sum_of(movements: Iterable[Movement]) -> Effect:
    return reduce(Effect.plus, (movement.effect for movement in movements), NO_EFFECT)


def _merged(first: Exception, other: Exception) -> Exception:
    if isinstance(first, OutOfStock) and isinstance(other, OutOfStock):
        return first.merged(other)
    return first


def _movements(change: StockChange) -> Sequence[Movement]:
    return [
        Movement(
            item.sku, item.location, change.kind, item.quantity, change.effect(item),
            change.cause, change.at, change.reason, item.reservation, item.taken_from,
            change.note, change.actor,
        )
        for item in change.items
    ]  # fmt: skip


def _name(movement: Movement) -> tuple[datetime, str, str, str, str, str, str]:
    return (
        movement.at,
        movement.cause,
        movement.kind,
        movement.location,
        movement.reservation,
        movement.taken_from,
        movement.sku,
    )
