"""Stock items beside their movements, for who checks the books: one item at a time.

An item takes no more memory however many movements it has, and of its open reservations no more
than MOST are added up at once: those of the others are read in further passes over the item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import groupby
from zlib import crc32

from oms.adapters import dynamodb as db
from oms.adapters.dynamodb import DynamoDB, Item, Write
from oms.adapters.stock_rows import (
    LEVEL,
    MOVE,
    level_key,
    movement_row,
    partition,
    read_claims,
    read_effect,
    read_level,
    sku_of,
)
from oms.domain.books.reservations import Whose
from oms.domain.books.units import Flows
from oms.domain.errors import Contended, OmsError, Refused
from oms.domain.inventory import (
    NO_EFFECT,
    AdjustmentReason,
    Balance,
    DuplicateMovement,
    Effect,
    Level,
    MovementKind,
    StockChange,
    StockItemChange,
)
from oms.domain.reservations import stands_aside
from oms.settings import setting

MOST = 20_000
BEHIND_ALL = "~"  # follows the sort keys of all rows of an item
ROWS = "begins_with(SK, :level) OR begins_with(SK, :move)"
SOUGHT = {":level": db.s(LEVEL), ":move": db.s(MOVE)}


class Unsound(Refused):
    """What the movements add up to cannot lie anywhere."""

    def __init__(self, sku: str, location: str) -> None:
        super().__init__(f"the movements of {sku} at {location} add up to no level: count it")


class _Moved(OmsError):
    """The level is another one than the movements were compared with."""


@dataclass(slots=True)
class ItemBook:
    """What an item has at each place. `reserved`: units by location and reservation, of part
    `part` of `parts`, or of the reservations that were asked for."""

    sku: str
    part: int = 0
    only: Collection[Whose] | None = None
    levels: dict[str, Level] = field(default_factory=dict)
    moved: dict[str, Effect] = field(default_factory=dict)
    flows: Flows = field(default_factory=Flows)
    aside: Counter[str] = field(default_factory=Counter)
    reserved: Counter[Whose] = field(default_factory=Counter)
    movements: int = 0

    @property
    def parts(self) -> int:
        return 1 + sum(max(0, each.reserved) for each in self.levels.values()) // MOST

    @property
    def on_hand(self) -> int:
        return sum(level.on_hand for level in self.levels.values())

    @property
    def is_even(self) -> bool:
        return all(balance.is_even for balance in self.balances)

    @property
    def balances(self) -> list[Balance]:
        """By location; movements without a level count against an empty one."""
        return [
            Balance(
                self.levels.get(location, Level(self.sku, location)),
                self.moved.get(location, NO_EFFECT),
                self.aside[location],
                self._overdrawn(location),
            )
            for location in sorted(self.levels.keys() | self.moved.keys())
        ]

    @property
    def of_orders(self) -> Counter[Whose]:
        """Without carts and leases; with the units that have no name."""
        return Counter(
            {whose: units for whose, units in self.reserved.items() if not stands_aside(whose[1])}
        )

    def add(self, row: Item) -> None:
        if db.text(row, "SK").startswith(LEVEL):
            level = read_level(row)
            self.levels[level.location] = level
        elif db.text(row, "SK").startswith(MOVE):
            self._add_movement(row)

    def _add_movement(self, row: Item) -> None:
        self.movements += 1
        location, effect = db.text(row, "location"), read_effect(row)
        self.moved[location] = self.moved.get(location, NO_EFFECT).plus(effect)
        reason = row.get("reason", {}).get("S", "")
        self.flows.add(MovementKind(db.text(row, "kind")), reason, effect.on_hand)
        for reservation, units in read_claims(row):
            if stands_aside(reservation):
                self.aside[location] += units
            if self._is_of_this_part((location, reservation)):
                self._claim((location, reservation), units)

    def _is_of_this_part(self, whose: Whose) -> bool:
        if self.only is not None:
            return whose in self.only
        return is_of_part(whose[1], self.part, self.parts)

    def _claim(self, whose: Whose, units: int) -> None:
        """One that has come to its end takes no memory."""
        now = self.reserved.pop(whose, 0) + units
        if now:
            self.reserved[whose] = now

    def _overdrawn(self, location: str) -> tuple[tuple[str, int], ...]:
        """Units without a name were reserved before reservations had names."""
        of_place = {name: units for (at, name), units in self.reserved.items() if at == location}
        below = sorted((name, -units) for name, units in of_place.items() if units < 0)
        unnamed = max(0, of_place.get("", 0))
        return tuple(below) if sum(units for _, units in below) > unnamed else ()


class ItemBooks:
    def __init__(self, client: DynamoDB, table: str) -> None:
        self._client, self._table = client, table

    def scan(self, after: str | None = None) -> Iterator[ItemBook]:
        """All items, or those that the pass meets after this one; the first part of each.

        A scan is no snapshot: an item that looks uneven is read again.
        """
        start = {"ExclusiveStartKey": db.key(partition(after), BEHIND_ALL)} if after else {}
        rows = db.scan(
            self._client,
            TableName=self._table,
            FilterExpression=ROWS,
            ExpressionAttributeValues=SOUGHT,
            **start,
        )
        for sku, of_sku in groupby(rows, key=sku_of):
            book = _filled(ItemBook(sku), of_sku)
            yield book if book.is_even else self.read(sku)

    def read(self, sku: str, part: int = 0, only: Collection[Whose] | None = None) -> ItemBook:
        rows = db.query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": db.s(partition(sku))},
            ConsistentRead=True,
        )
        return _filled(ItemBook(sku, part, only), rows)

    def restore(self, sku: str, location: str, cause: str, *, at: datetime, actor: str) -> bool:
        """Set the counters of a place to what its movements add up to, with a movement that says
        so; False when they are that."""
        for _ in range(3):
            book = self.read(sku)
            was = book.levels.get(location)
            level = Level(sku, location, *book.moved.get(location, NO_EFFECT))
            if was == level:
                return False
            if not level.is_sound:
                raise Unsound(sku, location)
            try:
                db.transact(self._client, self._corrections(was, level, cause, at, actor))
            except _Moved:
                continue
            except DuplicateMovement:
                return False
            return True
        raise Contended(f"{sku} moves at {location} all the time")

    def _corrections(
        self, was: Level | None, level: Level, cause: str, at: datetime, actor: str
    ) -> list[Write]:
        nothing = StockItemChange(level.sku, level.location, 0)
        note = _told(was or Level(level.sku, level.location), level)
        reason = AdjustmentReason.CORRECTION.value
        change = StockChange(MovementKind.COUNTED, cause, at, (nothing,), reason, note, actor)
        row = movement_row(change, nothing)
        put = {
            "TableName": self._table,
            "Item": row,
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        moved = Write({"Put": put}, lambda _: DuplicateMovement(change.kind, change.cause))
        return [moved, self._level(was, level)]

    def _level(self, was: Level | None, level: Level) -> Write:
        names = level.counters._asdict()
        read = was.counters._asdict() if was else {}
        values = {f":{name}": db.n(units) for name, units in names.items()}
        same = [_is(name, units) for name, units in read.items()]
        update = {
            "TableName": self._table,
            "Key": level_key(level.sku, level.location),
            "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in names),
            "ConditionExpression": " AND ".join(same) or "attribute_not_exists(PK)",
            "ExpressionAttributeValues": values
            | {f":was_{name}": db.n(units) for name, units in read.items()},
        }
        return Write({"Update": update}, lambda _: _Moved(level.sku))


@cache
def item_books() -> ItemBooks:
    return ItemBooks(db.client(), setting("STOCK_TABLE"))


def is_of_part(reservation: str, part: int, parts: int) -> bool:
    return parts == 1 or crc32(reservation.encode()) % parts == part


def _filled(book: ItemBook, rows: Iterable[Item]) -> ItemBook:
    """Levels come before movements, by their keys."""
    for row in rows:
        book.add(row)
    return book


def _is(name: str, units: int) -> str:
    """`incoming` is left out of many rows while it is 0."""
    same = f"{name} = :was_{name}"
    return f"(attribute_not_exists({name}) OR {same})" if units == 0 else same


def _told(was: Level, now: Level) -> str:
    old, new = was.counters._asdict(), now.counters._asdict()
    changed = (f"{name} {old[name]} to {new[name]}" for name in new if old[name] != new[name])
    return "; ".join(changed)
