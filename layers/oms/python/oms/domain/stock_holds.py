"""Units that are kept for a cart: until its deadline, until it lets go, or until its order takes
them.

The units of a hold are reserved, in its own name. An order that was placed with it takes them over
where it ships from (`carried`) and lets go of the others; in between they are never free.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain.errors import IllegalTransition, NotFound, OmsError, Refused
from oms.domain.inventory import (
    EFFECT_OF_ONE,
    MAX_ROWS,
    Level,
    MovementKind,
    StockChange,
    StockItemChange,
    net_effects,
)
from oms.domain.lines import Part
from oms.domain.order import MAX_QUEUES, Order
from oms.domain.order.stock import DEADLINES_OF_THE_REST

MAX_ITEMS = 25  # distinct stock items of a hold, or of an order that is placed with one
MAX_UNITS = 30  # stock items by location: each may have to be given back with three rows
MAX_ROWS_OF_CHANGE = 96  # of a transaction's 100; the hold and its deadlines are the rest
MAX_ORDERS = 20  # that may be tried with one hold
LONGEST = timedelta(days=7)
SPOKEN_FOR = timedelta(minutes=5)  # between two looks at a hold that an order still wants

Where = tuple[str, str]  # stock item and location


class HoldState(StrEnum):
    HELD = "held"
    RELEASED = "released"
    EXPIRED = "expired"
    CARRIED = "carried"


class StockHoldNotFound(NotFound):
    def __init__(self, hold_id: str) -> None:
        super().__init__("stock hold", hold_id)


class HoldNotUsable(Refused):
    """An order cannot be placed with this hold."""

    def __init__(self, hold_id: str, reason: str) -> None:
        super().__init__(f"{hold_id} {reason}")
        self.hold_id, self.reason = hold_id, reason


class HoldTooLarge(OmsError):
    """More stock items, at more locations, than one transaction can take or give back."""


class HoldChanged(Refused):
    """Somebody wrote the hold since it was read; read it again."""


@dataclass(frozen=True, slots=True)
class HeldLine:
    """As the cart says it. `takes` are the stock items of one unit, as they were when it was held;
    empty: one of the item that is called like the SKU."""

    sku: str
    quantity: int
    takes: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        return self.takes or (Part(self.sku),)


@dataclass(frozen=True, slots=True)
class Units:
    item: str
    location: str
    quantity: int


@dataclass(frozen=True, slots=True)
class StockHold:
    """`units` are reserved in its name. `due_at` is when somebody looks whether it has expired:
    its deadline, or later while one of `orders`, which were placed with it, may still take it.

    Units that are left of a carried hold are being given back.
    """

    hold_id: str
    channel: str
    created_at: datetime
    expires_at: datetime
    due_at: datetime
    lines: tuple[HeldLine, ...]
    units: tuple[Units, ...]
    state: HoldState = HoldState.HELD
    version: int = 1
    orders: tuple[str, ...] = ()
    carried_by: str = ""

    @property
    def is_held(self) -> bool:
        return self.state is HoldState.HELD

    @property
    def held(self) -> dict[Where, int]:
        return {(each.item, each.location): each.quantity for each in self.units}

    def extended(self, expires_at: datetime) -> StockHold:
        self.must_be_held("be extended")
        if expires_at > self.created_at + LONGEST:
            raise Refused(f"{self.hold_id} would last longer than {LONGEST.days} days")
        return self._next(expires_at=expires_at, due_at=expires_at)

    def changed(self, lines: tuple[HeldLine, ...], units: Mapping[Where, int]) -> StockHold:
        self.must_be_held("be changed")
        return self._next(lines=lines, units=units_of(units))

    def ended(self, state: HoldState) -> StockHold:
        return self._next(state=state, units=())

    def emptied(self) -> StockHold:
        """What was left of it is given back."""
        return self._next(units=())

    def postponed(self, now: datetime) -> StockHold:
        return self._next(due_at=now + SPOKEN_FOR)

    def must_be_held(self, wish: str) -> None:
        if not self.is_held:
            raise IllegalTransition(self.hold_id, self.state, wish)

    def carried(self, order_id: str, left: tuple[Units, ...], at: datetime) -> StockHold:
        """What is left is given back at once, by whoever looks after deadlines."""
        due_at = at if left else self.due_at
        return self._next(state=HoldState.CARRIED, units=left, carried_by=order_id, due_at=due_at)

    def _next(self, **changes: object) -> StockHold:
        return replace(self, version=self.version + 1, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Carriage:
    """How an order that is routed takes its units: `carried` from the hold, `allocated` from what
    is free, and `released` what of the hold it does not want."""

    carried: StockChange
    allocated: StockChange
    released: StockChange

    @property
    def lets_go_at_once(self) -> bool:
        """Whether what is not wanted can be given back in the order's own transaction."""
        return self._fits(self.carried, self.allocated, self.released)

    @property
    def fits(self) -> bool:
        return self._fits(self.carried, self.allocated)

    @property
    def moved(self) -> tuple[StockChange, ...]:
        """Of the hold itself, now."""
        return (self.carried, self.released) if self.lets_go_at_once else (self.carried,)

    @property
    def left(self) -> tuple[Units, ...]:
        """Of the hold itself, for later."""
        items = () if self.lets_go_at_once else self.released.items
        return tuple(Units(x.sku, x.location, x.quantity) for x in items)

    def _fits(self, *changes: StockChange) -> bool:
        boxes = {x.reservation for x in (*self.carried.items, *self.allocated.items)}
        of_the_order = OF_A_BOX * len(boxes) + OF_THE_REST
        return rows_of(changes) + of_the_order + OF_THE_HOLD <= MAX_ROWS


OF_THE_HOLD = 3  # its own row, the deadline that it had and the one that it gets
OF_A_BOX = 3  # its own row, the day whose capacity it takes, the deadline by which it leaves
OF_THE_REST = 2 * MAX_QUEUES + DEADLINES_OF_THE_REST  # lines that the order leaves and joins


def carry(hold: StockHold, wanted: StockChange) -> Carriage:
    left, carried, allocated = hold.held, [], []
    for item in wanted.items:
        where = (item.sku, item.location)
        own = min(item.quantity, left.get(where, 0))
        if own:
            left[where] -= own
            carried.append(replace(item, quantity=own, taken_from=hold.hold_id))
        if item.quantity > own:
            allocated.append(replace(item, quantity=item.quantity - own))
    released = _items(hold.hold_id, left)
    return Carriage(
        replace(wanted, kind=MovementKind.CARRIED, items=tuple(carried)),
        wanted.part(allocated),
        replace(wanted, kind=MovementKind.RELEASED, items=released),
    )


def movements(
    before: StockHold | None, after: StockHold, at: datetime
) -> tuple[StockChange, StockChange]:
    """What a hold takes and what it gives back by becoming what it is now."""
    had, has = Counter(before.held if before else {}), Counter(after.held)
    cause = f"{after.hold_id}#{after.version:06d}"
    return (
        StockChange(MovementKind.HELD, cause, at, _items(after.hold_id, has - had)),
        StockChange(MovementKind.RELEASED, cause, at, _items(after.hold_id, had - has)),
    )


def rows_of(changes: Iterable[StockChange]) -> int:
    """Movements, levels, and an event for whatever is free again."""
    listed = list(changes)
    freed = sum(len(x.items) for x in listed if x.kind is MovementKind.RELEASED)
    return sum(len(x.items) for x in listed) + len(net_effects(listed)) + freed


def check_size(before: StockHold | None, after: StockHold) -> None:
    if len({each.item for each in after.units}) > MAX_ITEMS or len(after.units) > MAX_UNITS:
        raise HoldTooLarge(f"a hold has {MAX_ITEMS} stock items and {MAX_UNITS} places at most")
    if rows_of(movements(before, after, after.created_at)) > MAX_ROWS_OF_CHANGE:
        raise HoldTooLarge("so much cannot be exchanged at once: change the cart in two steps")


def with_own(
    levels: Mapping[str, Sequence[Level]], held: Mapping[Where, int]
) -> dict[str, tuple[Level, ...]]:
    """The levels as the holder may count on them: what it holds is available to it."""
    one_back = EFFECT_OF_ONE[MovementKind.RELEASED]
    return {
        item: tuple(
            level.moved(one_back.times(held.get((item, level.location), 0))) for level in of_item
        )
        for item, of_item in levels.items()
    }


def may_be_taken_by(order: Order) -> bool:
    """Whether an order that was placed with a hold may still come to be routed with it."""
    return not order.is_final and not order.fulfillment_orders


def units_of(held: Mapping[Where, int]) -> tuple[Units, ...]:
    return tuple(Units(*where, quantity) for where, quantity in sorted(held.items()) if quantity)


def _items(hold_id: str, held: Mapping[Where, int]) -> tuple[StockItemChange, ...]:
    return tuple(
        StockItemChange(item, location, quantity, hold_id)
        for (item, location), quantity in sorted(held.items())
        if quantity > 0
    )
