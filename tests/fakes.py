"""Stores in memory with the adapters' verbs; they pass the adapters' own suites."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import datetime

from oms.adapters.stock_table import MovementPage
from oms.domain.events import StockReceived
from oms.domain.inventory import (
    NO_EFFECT,
    Balance,
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
    apply,
)
from oms.domain.locations import Location

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

    def writes(self, change: StockChange) -> list[Put]:
        return [lambda: self._apply(change)]

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

    def scan_balances(self) -> Iterator[Balance]:
        for sku in sorted({sku for sku, _ in self.levels_by_item}):
            yield from self.balances(sku)

    def balances(self, sku: str) -> list[Balance]:
        sums = self.movement_sums(sku)
        return [Balance(level, sums[level.location]) for level in self.levels([sku])[sku]]

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

    def _apply(self, change: StockChange) -> None:
        moved = _movements(change)
        if {_name(m) for m in moved} & {_name(m) for m in self.ledger}:
            raise DuplicateMovement(change.kind, change.cause)
        self.levels_by_item |= self._after(change)
        self.ledger.extend(moved)

    def _after(self, change: StockChange) -> dict[tuple[str, str], Level]:
        after: dict[tuple[str, str], Level] = {}
        refusals: list[Shortage] = []
        for item in change.items:
            place = item.sku, item.location
            try:
                after[place] = apply(self.levels_by_item.get(place, Level(*place)), change)
            except OutOfStock as error:
                refusals.extend(error.shortages)
        if refusals:
            raise OutOfStock(refusals)
        return after


def _movements(change: StockChange) -> Sequence[Movement]:
    return [
        Movement(
            item.sku, item.location, change.kind, item.quantity, change.effect(item),
            change.cause, change.at, change.reason,
        )
        for item in change.items
    ]  # fmt: skip


def _name(movement: Movement) -> tuple[datetime, str, str, str, str]:
    return movement.at, movement.cause, movement.kind, movement.location, movement.sku
