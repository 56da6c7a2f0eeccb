"""Stock: levels per SKU and location, the movements that change them, and what is refused.

`on_hand = available + reserved` holds at every level, always, and no counter is ever below zero.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Self

from oms.domain.errors import Conflict, NotFound, OmsError, Refused

MAX_ITEMS_PER_TRANSACTION = 40  # two rows each, which leaves room for an order's own rows
MAX_ROWS = 84  # of stock, fulfillment orders and parcels; the rest of 100 is the order's own


class MovementKind(StrEnum):
    RECEIVED = "received"
    ALLOCATED = "allocated"
    CONSUMED = "consumed"
    RELEASED = "released"
    ADJUSTED = "adjusted"


class Effect(NamedTuple):
    """What a movement adds to each counter."""

    on_hand: int
    available: int
    reserved: int

    def times(self, quantity: int) -> "Effect":
        return Effect(self.on_hand * quantity, self.available * quantity, self.reserved * quantity)

    def plus(self, other: "Effect") -> "Effect":
        return Effect(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


NO_EFFECT = Effect(0, 0, 0)

EFFECT_OF_ONE = {
    MovementKind.RECEIVED: Effect(+1, +1, 0),
    MovementKind.ALLOCATED: Effect(0, -1, +1),
    MovementKind.CONSUMED: Effect(-1, 0, -1),
    MovementKind.RELEASED: Effect(0, +1, -1),
    MovementKind.ADJUSTED: Effect(+1, +1, 0),
}


@dataclass(frozen=True, slots=True)
class Level:
    sku: str
    location: str
    on_hand: int = 0
    available: int = 0
    reserved: int = 0

    @property
    def is_sound(self) -> bool:
        counters = (self.on_hand, self.available, self.reserved)
        return min(counters) >= 0 and self.on_hand == self.available + self.reserved

    def moved(self, effect: Effect) -> "Level":
        return replace(
            self,
            on_hand=self.on_hand + effect.on_hand,
            available=self.available + effect.available,
            reserved=self.reserved + effect.reserved,
        )


@dataclass(frozen=True, slots=True)
class StockItemChange:
    """Units of one SKU at one location; only an adjustment may be negative."""

    sku: str
    location: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StockChange:
    """One movement of stock for one cause, each stock item at most once.

    `cause` and `at` name the movements for ever: told again with both the same, a change counts
    once. So `at` is when the cause happened, never when somebody gets round to writing it.
    """

    kind: MovementKind
    cause: str
    at: datetime
    items: tuple[StockItemChange, ...]
    reason: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a stock change happens at an aware instant")
        if self.kind is not MovementKind.ADJUSTED and any(i.quantity <= 0 for i in self.items):
            raise ValueError(f"quantities {self.kind} must be positive")
        object.__setattr__(self, "items", summed(self.items))

    def effect(self, item: StockItemChange) -> Effect:
        return EFFECT_OF_ONE[self.kind].times(item.quantity)

    def part(self, items: Iterable[StockItemChange]) -> "StockChange":
        return replace(self, items=tuple(items))


@dataclass(frozen=True, slots=True)
class Movement:
    """One line of the ledger, as it was written with the counters."""

    sku: str
    location: str
    kind: MovementKind
    quantity: int
    effect: Effect
    cause: str
    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """A level beside the sum of its movements: equal, or somebody has cooked the books."""

    level: Level
    moved: Effect

    @property
    def is_even(self) -> bool:
        counters = (self.level.on_hand, self.level.available, self.level.reserved)
        return self.level.is_sound and counters == self.moved


@dataclass(frozen=True, slots=True)
class Receipt:
    receipt_id: str
    sku: str
    location: str
    quantity: int
    at: datetime

    def change(self, reason: str = "") -> StockChange:
        item = StockItemChange(self.sku, self.location, self.quantity)
        return StockChange(MovementKind.RECEIVED, self.receipt_id, self.at, (item,), reason)


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order that stands in line for a SKU, oldest first."""

    sku: str
    order_id: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Shortage:
    sku: str
    location: str
    requested: int
    available: int


class OutOfStock(Refused):
    """Less is available than was asked for; every short item is named, not only the first."""

    def __init__(self, shortages: Sequence[Shortage]) -> None:
        short = (
            f"{s.requested} of {s.sku} at {s.location}, {s.available} available" for s in shortages
        )
        super().__init__("; ".join(short) or "the stock was given back")
        self.shortages = tuple(shortages)

    def merged(self, other: Self) -> "OutOfStock":
        return OutOfStock(self.shortages + other.shortages)


class NotReserved(Refused):
    """Shipping or giving back more than is reserved: somebody has done it before."""

    def __init__(self, sku: str, location: str, requested: int, reserved: int) -> None:
        super().__init__(f"{requested} of {sku} at {location} asked for, {reserved} reserved")
        self.sku, self.location = sku, location
        self.requested, self.reserved = requested, reserved


class DuplicateMovement(OmsError):
    """The ledger has this movement already; nothing was done a second time."""

    def __init__(self, kind: MovementKind, cause: str) -> None:
        super().__init__(f"{cause} has {kind} its stock already")
        self.kind, self.cause = kind, cause


class IdempotencyConflict(Conflict):
    """One Idempotency-Key, two different requests."""

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used before for another request")


class UnknownSku(NotFound):
    def __init__(self, sku: str) -> None:
        super().__init__("sku", sku)


class UnknownLocation(NotFound):
    def __init__(self, location: str) -> None:
        super().__init__("location", location)


def summed(items: Iterable[StockItemChange]) -> tuple[StockItemChange, ...]:
    """One entry per stock item, in a stable order: two lines of one SKU are one demand."""
    totals: dict[tuple[str, str], int] = {}
    for item in items:
        totals[item.sku, item.location] = totals.get((item.sku, item.location), 0) + item.quantity
    return tuple(StockItemChange(*key, total) for key, total in sorted(totals.items()) if total)


def fits(items: int, others: int) -> bool:
    """Whether a change of so many stock items fits into the order's own transaction, together
    with so many rows of fulfillment orders and parcels."""
    return items <= MAX_ITEMS_PER_TRANSACTION and 2 * items + others <= MAX_ROWS


def apply(level: Level, change: StockChange) -> Level:
    """The level after the change, or the refusal: what every store of stock must do as well."""
    for item in change.items:
        if (item.sku, item.location) == (level.sku, level.location):
            level = _moved(level, change, item)
    return level


def refusal(level: Level, change: StockChange, item: StockItemChange) -> Refused:
    """Why this level, too low, cannot bear the item's movement."""
    if change.effect(item).available < 0:
        shortage = Shortage(item.sku, item.location, abs(item.quantity), level.available)
        return OutOfStock((shortage,))
    return NotReserved(item.sku, item.location, item.quantity, level.reserved)


def _moved(level: Level, change: StockChange, item: StockItemChange) -> Level:
    moved = level.moved(change.effect(item))
    if min(moved.on_hand, moved.available, moved.reserved) < 0:
        raise refusal(level, change, item)
    return moved
