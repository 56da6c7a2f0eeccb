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
    """A reservation begins with `allocated` (an order), `held` (a cart) or `leased` (a flash sale)
    and ends with `consumed`, `released` or `missing`; `carried` moves it to another holder."""

    RECEIVED = "received"
    ALLOCATED = "allocated"
    CONSUMED = "consumed"
    RELEASED = "released"
    ADJUSTED = "adjusted"
    COUNTED = "counted"
    MISSING = "missing"
    HELD = "held"
    LEASED = "leased"
    CARRIED = "carried"
    EXPECTED = "expected"
    UNEXPECTED = "unexpected"
    ARRIVED = "arrived"
    SENT = "sent"


class AdjustmentReason(StrEnum):
    DAMAGED = "damaged"
    LOST = "lost"
    FOUND = "found"
    THEFT = "theft"
    EXPIRED = "expired"
    SAMPLE = "sample"
    CORRECTION = "correction"
    RETURNED_TO_VENDOR = "returned_to_vendor"
    CUSTOMER_RETURN = "customer_return"
    OWN_USE = "own_use"
    DONATED = "donated"


class Effect(NamedTuple):
    """What a movement adds to each counter."""

    on_hand: int
    available: int
    reserved: int
    incoming: int = 0

    def times(self, quantity: int) -> "Effect":
        return Effect(*(each * quantity for each in self))

    def plus(self, other: "Effect") -> "Effect":
        return Effect(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


NO_EFFECT = Effect(0, 0, 0)

EFFECT_OF_ONE = {
    MovementKind.RECEIVED: Effect(+1, +1, 0),
    MovementKind.ALLOCATED: Effect(0, -1, +1),
    MovementKind.CONSUMED: Effect(-1, 0, -1),
    MovementKind.RELEASED: Effect(0, +1, -1),
    MovementKind.ADJUSTED: Effect(+1, +1, 0),
    MovementKind.COUNTED: Effect(+1, +1, 0),
    MovementKind.MISSING: Effect(-1, 0, -1),
    MovementKind.HELD: Effect(0, -1, +1),
    MovementKind.LEASED: Effect(0, -1, +1),
    MovementKind.CARRIED: Effect(0, 0, 0),
    MovementKind.EXPECTED: Effect(0, 0, 0, +1),
    MovementKind.UNEXPECTED: Effect(0, 0, 0, -1),
    MovementKind.ARRIVED: Effect(+1, +1, 0, -1),
    MovementKind.SENT: Effect(-1, -1, 0),
}
SIGNED = frozenset({MovementKind.ADJUSTED, MovementKind.COUNTED})  # a count may find nothing new


@dataclass(frozen=True, slots=True)
class Level:
    sku: str
    location: str
    on_hand: int = 0
    available: int = 0
    reserved: int = 0
    incoming: int = 0

    @property
    def counters(self) -> Effect:
        return Effect(self.on_hand, self.available, self.reserved, self.incoming)

    @property
    def is_sound(self) -> bool:
        return min(self.counters) >= 0 and self.on_hand == self.available + self.reserved

    def moved(self, effect: Effect) -> "Level":
        return Level(self.sku, self.location, *self.counters.plus(effect))


@dataclass(frozen=True, slots=True)
class StockItemChange:
    """Units of one stock item at one location; only adjustments and counts may be negative.

    `sku` is the item's identity: the SKU that it was first received under, whatever it is called
    since. `reservation` says whose units they are: of a fulfillment order, a cart's hold, a lease.
    """

    sku: str
    location: str
    quantity: int
    reservation: str = ""
    taken_from: str = ""


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
    note: str = ""
    actor: str = ""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a stock change happens at an aware instant")
        if self.kind not in SIGNED and any(i.quantity <= 0 for i in self.items):
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
    reservation: str = ""
    taken_from: str = ""
    note: str = ""
    actor: str = ""

    @property
    def claims(self) -> tuple[tuple[str, int], ...]:
        return claims(
            self.kind, self.quantity, self.effect.reserved, self.reservation, self.taken_from
        )


@dataclass(frozen=True, slots=True)
class Balance:
    """A level beside the sum of its movements: equal, or somebody has cooked the books.

    `aside` are units of carts and leases, by the movements; `overdrawn` are reservations that have
    given more than they had, with how many units.
    """

    level: Level
    moved: Effect
    aside: int = 0
    overdrawn: tuple[tuple[str, int], ...] = ()

    @property
    def is_even(self) -> bool:
        agrees = self.level.counters == self.moved and not self.overdrawn
        return self.level.is_sound and agrees

    @property
    def allocated(self) -> int:
        """Reserved units that belong to orders."""
        return self.level.reserved - self.aside


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


class NotExpected(Refused):
    """More arrives, or is called off, than was announced."""

    def __init__(self, sku: str, location: str, requested: int, incoming: int) -> None:
        super().__init__(f"{requested} of {sku} at {location} asked for, {incoming} expected")
        self.sku, self.location = sku, location
        self.requested, self.incoming = requested, incoming


class CountedTooFew(Refused):
    """Less was counted than is promised: somebody must decide whose units are not there."""

    def __init__(self, level: Level, counted: int, promised: Sequence[str]) -> None:
        whose = "; ".join(promised)
        super().__init__(
            f"{counted} of {level.sku} at {level.location} counted, {level.reserved} reserved: "
            f"{whose}"
        )
        self.level, self.counted = level, counted


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
    """One entry per stock item and reservation, in a stable order: two lines of one SKU are one
    demand."""
    totals: dict[tuple[str, str, str, str], int] = {}
    for item in items:
        key = (item.sku, item.location, item.reservation, item.taken_from)
        totals[key] = totals.get(key, 0) + item.quantity
    return tuple(
        StockItemChange(sku, location, total, reservation, taken_from)
        for (sku, location, reservation, taken_from), total in sorted(totals.items())
    )


def net_effects(changes: Iterable[StockChange]) -> dict[tuple[str, str], Effect]:
    """By stock item and location, in a stable order; levels that stay as they are left out."""
    net: dict[tuple[str, str], Effect] = {}
    for change in changes:
        for item in change.items:
            at = (item.sku, item.location)
            net[at] = net.get(at, NO_EFFECT).plus(change.effect(item))
    return {at: effect for at, effect in sorted(net.items()) if effect != NO_EFFECT}


def claims(
    kind: MovementKind, quantity: int, reserved: int, reservation: str, taken_from: str
) -> tuple[tuple[str, int], ...]:
    """What a movement, which adds so much to `reserved`, adds to each reservation."""
    if kind is MovementKind.CARRIED:
        return (reservation, quantity), (taken_from, -quantity)
    return ((reservation, reserved),) if reserved else ()


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


def refusal(level: Level, effect: Effect, floor: int = 0) -> Refused:
    """Why this level, too low, cannot bear the effect; `floor` units must remain available."""
    if level.available + effect.available < (floor if effect.available < 0 else 0):
        free = max(0, level.available - floor)
        return OutOfStock((Shortage(level.sku, level.location, -effect.available, free),))
    if level.incoming + effect.incoming < 0:
        return NotExpected(level.sku, level.location, -effect.incoming, level.incoming)
    return NotReserved(level.sku, level.location, -effect.reserved, level.reserved)


def _moved(level: Level, change: StockChange, item: StockItemChange) -> Level:
    moved = level.moved(change.effect(item))
    if min(moved.counters) < 0:
        raise refusal(level, change.effect(item))
    return moved
