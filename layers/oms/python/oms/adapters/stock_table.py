"""Stock in DynamoDB: the only code that changes a level, and every change leaves its movement.

A level's counters are written under a condition, in the same transaction as the movement that
says why: nothing is read, compared and written back.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from itertools import groupby, islice
from typing import Any

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Write,
    batch_get,
    client,
    key,
    n,
    query,
    s,
    scan,
    text,
    transact,
)
from oms.adapters.network_rows import location_key
from oms.adapters.network_table import NetworkTable
from oms.adapters.stock_batches import Batches
from oms.adapters.stock_rows import (
    LEVEL,
    MOVE,
    WAIT,
    counters,
    item_key,
    level_key,
    movement_row,
    partition,
    read_claims,
    read_effect,
    read_level,
    read_levels,
    read_movement,
    read_receipt,
    read_waiting,
    received_row,
    request_row,
    sku_of,
    stamp,
    wait_key,
    wait_row,
)
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.availability import Floors
from oms.domain.inventory import (
    MAX_ITEMS_PER_TRANSACTION,
    NO_EFFECT,
    Balance,
    DuplicateMovement,
    Effect,
    IdempotencyConflict,
    Level,
    Movement,
    Receipt,
    StockChange,
    StockItemChange,
    UnknownLocation,
    WaitingOrder,
    net_effects,
    refusal,
)
from oms.domain.items import NotStocked, SkuTaken
from oms.domain.locations import Location
from oms.domain.reservations import stands_aside
from oms.settings import setting

MAX_QUERIES = 10  # of levels, for more SKUs than this whole batches of keys are asked for
MAX_KNOWN = 100_000
BEHIND_ALL = "~"  # follows the sort keys of all rows of an item
LINE_PAGE = 1_000  # who stands in line, at a time


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Newest first; `cursor` leads to the next page, and is None on the last."""

    movements: tuple[Movement, ...]
    cursor: str | None


class StockTable:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name
        self._network = NetworkTable(client, table_name)
        self._known: set[str] = set()
        self._batches = Batches(client, table_name, self.writes, MAX_ITEMS_PER_TRANSACTION)

    def writes(self, *changes: StockChange, floors: Floors | None = None) -> list[Write]:
        """One row per movement, then one write per level with the net effect of all of them.

        The movements come first: a duplicate is called one even when stock is out. A level that
        stays as it is, because units only change hands, is not written. `floors` are units that
        must remain available, by stock item and location.
        """
        movements = [self._movement(change, item) for change in changes for item in change.items]
        effects = net_effects(changes).items()
        levels = [self._level(*at, effect, (floors or {}).get(at, 0)) for at, effect in effects]
        return [*movements, *levels]

    def begin_item(self, item: str, at: datetime) -> Write:
        """A stock item begins, if there is none yet: unless its name is another's by now, or a
        kit's, which has no stock."""
        update = {
            "TableName": self._table,
            "Key": item_key(item),
            "UpdateExpression": "SET sku = if_not_exists(sku, :sku), "
            "created_at = if_not_exists(created_at, :at)",
            "ConditionExpression": "attribute_not_exists(kit) AND "
            "(attribute_not_exists(means) OR attribute_exists(created_at))",
            "ExpressionAttributeValues": {":sku": s(item), ":at": s(stamp(at))},
        }
        return Write({"Update": update}, lambda old: _no_stock(item, old or {}))

    def known_location(self, location: str) -> Write:
        check = {
            "TableName": self._table,
            "Key": location_key(location),
            "ConditionExpression": "attribute_exists(PK)",
        }
        return Write({"ConditionCheck": check}, lambda _: UnknownLocation(location))

    def apply(self, change: StockChange) -> None:
        """The change alone, in one transaction."""
        transact(self._client, self.writes(change))

    def apply_in_batches(self, change: StockChange, floors: Floors | None = None) -> None:
        """A change of any size, all or given back; safe to be asked for again after a crash.

        After `OutOfStock` the change is spent: another try needs another `cause` or `at`.
        """
        self._batches.apply(change, floors)

    def give_back_batches(self, change: StockChange) -> None:
        """Undo an allocation in batches, however far it came, before anything of it ships."""
        self._batches.give_back(change)

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
        """Take goods in, and tell the world; a new SKU begins with its first receipt.

        Each actor has idempotency keys of its own.
        """
        once = f"{actor}\x1f{idempotency_key}" if idempotency_key else None
        receipt = Receipt(id_of("rcp", once), sku, location, quantity, at)
        try:
            writes = self._receipt_writes(receipt, actor, once, reason)
            transact(self._client, writes)
        except _AlreadyReceived as known:
            return known.answer(receipt)
        return receipt

    def levels(
        self, skus: Iterable[str], *, consistent: bool = True
    ) -> dict[str, tuple[Level, ...]]:
        """What lies where, for each SKU that is asked for, in the order of location ids."""
        distinct = list(dict.fromkeys(skus))
        if len(distinct) > MAX_QUERIES:
            return self._many_levels(distinct, consistent)
        with ThreadPoolExecutor(max(1, len(distinct))) as threads:
            found = threads.map(lambda sku: self._levels_of(sku, consistent), distinct)
            return dict(zip(distinct, found, strict=True))

    def known(self, skus: Iterable[str]) -> set[str]:
        """Stock items, by identity, that were ever received; once known they are for good."""
        asked = set(skus)
        if unsure := sorted(asked - self._known):
            keys = (item_key(sku) for sku in unsure)
            how: dict[str, Any] = {"ProjectionExpression": "PK, created_at", "ConsistentRead": True}
            rows = batch_get(self._client, self._table, keys, **how)
            found = {sku_of(row) for row in rows if "created_at" in row}
            return (asked & self._known) | self._remembered(found)
        return asked

    def locations(self) -> tuple[Location, ...]:
        return self._network.locations()

    def put_location(self, location: Location) -> None:
        self._network.put_location(location)

    def movements(self, sku: str, limit: int = 50, cursor: str | None = None) -> MovementPage:
        start = {"ExclusiveStartKey": key(partition(sku), _sort_key(cursor))} if cursor else {}
        request = self._begins_with(partition(sku), MOVE)
        answer = self._client.query(**request, **start, Limit=limit, ScanIndexForward=False)
        last = answer.get("LastEvaluatedKey")
        movements = tuple(map(read_movement, answer["Items"]))
        return MovementPage(movements, encode_cursor({"SK": text(last, "SK")}) if last else None)

    def wait_writes(self, order_id: str, placed_at: datetime, skus: Iterable[str]) -> list[Write]:
        """Let the order stand in line for each SKU."""
        return [self._put(wait_row(sku, placed_at, order_id)) for sku in sorted(set(skus))]

    def unwait_writes(self, order_id: str, placed_at: datetime, skus: Iterable[str]) -> list[Write]:
        keys = (wait_key(sku, placed_at, order_id) for sku in sorted(set(skus)))
        return [Write({"Delete": {"TableName": self._table, "Key": key}}) for key in keys]

    def waiting(self, sku: str, limit: int) -> tuple[WaitingOrder, ...]:
        """Who stands in line, first come first; so many, however many pages that takes."""
        request = self._begins_with(partition(sku), WAIT) | {"Limit": min(limit, LINE_PAGE)}
        rows = query(self._client, **request, ConsistentRead=True)
        return tuple(map(read_waiting, islice(rows, limit)))

    def scan_levels(self) -> Iterator[Level]:
        return map(read_level, self._scan("begins_with(SK, :level)", {":level": s(LEVEL)}))

    def scan_balances(self, after: str | None = None) -> Iterator[Balance]:
        """Every stock item beside its movements, in one pass and bounded memory; or those that the
        pass meets after this one.

        A scan is no snapshot: a SKU that looks uneven is read again before it is called so.
        """
        sought = {":level": s(LEVEL), ":move": s(MOVE)}
        start = {"ExclusiveStartKey": key(partition(after), BEHIND_ALL)} if after else {}
        rows = self._scan("begins_with(SK, :level) OR begins_with(SK, :move)", sought, **start)
        for sku, of_sku in groupby(rows, key=sku_of):
            found = _balances(sku, of_sku)
            yield from found if all(b.is_even for b in found) else self.balances(sku)

    def balances(self, sku: str) -> list[Balance]:
        return _balances(sku, self._rows(partition(sku), "", consistent=True))

    def movement_sums(self, sku: str) -> dict[str, Effect]:
        moved = _balances(sku, self._rows(partition(sku), MOVE, consistent=True))
        return {balance.level.location: balance.moved for balance in moved}

    def _movement(self, change: StockChange, item: StockItemChange) -> Write:
        put = self._put(movement_row(change, item), "attribute_not_exists(PK)")
        return Write(put.item, lambda _: DuplicateMovement(change.kind, change.cause))

    def _level(self, sku: str, location: str, effect: Effect, floor: int) -> Write:
        """Each counter that goes down must have that much; the first units make the level."""
        deltas = counters(effect)
        falls = {name: -delta for name, delta in deltas.items() if delta < 0}
        if "available" in falls:
            falls["available"] += floor
        values = {f":{name}": n(delta) for name, delta in deltas.items()}
        values |= {f":least_{name}": n(least) for name, least in falls.items()}
        guard = " AND ".join(f"{name} >= :least_{name}" for name in falls)
        update = {
            "TableName": self._table,
            "Key": level_key(sku, location),
            "UpdateExpression": "ADD " + ", ".join(f"{name} :{name}" for name in deltas),
            "ExpressionAttributeValues": values,
            **({"ConditionExpression": guard} if guard else {}),
        }
        empty = Level(sku, location)
        return Write(
            {"Update": update},
            lambda old: refusal(read_level(old) if old else empty, effect, floor),
        )

    def _receipt_writes(
        self, receipt: Receipt, actor: str, key: str | None, reason: str
    ) -> list[Write]:
        change = replace(receipt.change(reason), actor=actor)
        return [
            *([self._request(key, receipt)] if key else []),
            self.known_location(receipt.location),
            self.begin_item(receipt.sku, receipt.at),
            *self.writes(change),
            self._put(received_row(receipt, actor)),
        ]

    def _request(self, key: str, receipt: Receipt) -> Write:
        put = self._put(request_row(key, receipt), "attribute_not_exists(PK)")
        return Write(put.item, _AlreadyReceived)

    def _put(self, row: Item, condition: str = "") -> Write:
        guarded = {"ConditionExpression": condition} if condition else {}
        return Write({"Put": {"TableName": self._table, "Item": row, **guarded}})

    def _levels_of(self, sku: str, consistent: bool) -> tuple[Level, ...]:
        return read_levels(self._rows(partition(sku), LEVEL, consistent=consistent))

    def _many_levels(self, skus: Sequence[str], consistent: bool) -> dict[str, tuple[Level, ...]]:
        locations = [location.location_id for location in self.locations()]
        keys = [level_key(sku, location) for sku in skus for location in locations]
        rows = batch_get(self._client, self._table, keys, ConsistentRead=consistent)
        by_sku = groupby(read_levels(rows), key=lambda level: level.sku)
        return dict.fromkeys(skus, ()) | {sku: tuple(levels) for sku, levels in by_sku}

    def _remembered(self, found: set[str]) -> set[str]:
        if len(self._known) + len(found) <= MAX_KNOWN:
            self._known |= found
        return found

    def _rows(self, partition: str, prefix: str, *, consistent: bool) -> Iterator[Item]:
        request = self._begins_with(partition, prefix)
        return query(self._client, **request, ConsistentRead=consistent)

    def _begins_with(self, partition: str, prefix: str) -> dict[str, Any]:
        values = {":pk": s(partition)} | ({":prefix": s(prefix)} if prefix else {})
        narrowed = " AND begins_with(SK, :prefix)" if prefix else ""
        return {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk" + narrowed,
            "ExpressionAttributeValues": values,
        }

    def _scan(self, sought: str, values: Item, **how: Any) -> Iterator[Item]:
        return scan(
            self._client,
            TableName=self._table,
            FilterExpression=sought,
            ExpressionAttributeValues=values,
            **how,
        )


@cache
def stock_table() -> StockTable:
    return StockTable(client(), setting("STOCK_TABLE"))


class _AlreadyReceived(Exception):
    """The request row was there: the receipt that it answers for."""

    def __init__(self, row: Item | None) -> None:
        super().__init__()
        self._row = row or {}

    def answer(self, asked: Receipt) -> Receipt:
        known = read_receipt(self._row)
        if replace(asked, at=known.at) != known:
            raise IdempotencyConflict from None
        return known


def _no_stock(sku: str, row: Item) -> Exception:
    return NotStocked(sku) if "kit" in row else SkuTaken(sku)


def id_of(prefix: str, once: str | None) -> str:
    """The same for the same request; `once` is None for one that has no key."""
    seed = once.encode() if once else uuid.uuid4().bytes
    return f"{prefix}_" + base64.b32encode(hashlib.sha256(seed).digest()).decode()[:26].lower()


def _balances(sku: str, rows: Iterable[Item]) -> list[Balance]:
    """Of one SKU; movements without a level count against an empty one."""
    levels: dict[str, Level] = {}
    sums: dict[str, Sums] = {}
    for row in rows:
        if text(row, "SK").startswith(LEVEL):
            level = read_level(row)
            levels[level.location] = level
        elif text(row, "SK").startswith(MOVE):
            sums.setdefault(text(row, "location"), Sums()).add(row)
    return [
        sums.get(location, Sums()).beside(levels.get(location, Level(sku, location)))
        for location in sorted(levels.keys() | sums.keys())
    ]


@dataclass(slots=True)
class Sums:
    """Of the movements at one place; a reservation that has come to its end takes no memory."""

    moved: Effect = NO_EFFECT
    reserved: dict[str, int] = field(default_factory=dict)

    def add(self, movement: Item) -> None:
        self.moved = self.moved.plus(read_effect(movement))
        for reservation, units in read_claims(movement):
            now = self.reserved.pop(reservation, 0) + units
            if now:
                self.reserved[reservation] = now

    def beside(self, level: Level) -> Balance:
        aside = sum(units for name, units in self.reserved.items() if stands_aside(name))
        return Balance(level, self.moved, aside, self._overdrawn())

    def _overdrawn(self) -> tuple[tuple[str, int], ...]:
        """Units without a name were reserved before reservations had names."""
        below = sorted((name, -units) for name, units in self.reserved.items() if units < 0)
        unnamed = self.reserved.get("", 0)
        return tuple(below) if sum(units for _, units in below) > max(0, unnamed) else ()


def _sort_key(cursor: str) -> str:
    sort_key = decode_cursor(cursor).get("SK", "")
    if not sort_key.startswith(MOVE):
        raise BadCursor
    return sort_key
