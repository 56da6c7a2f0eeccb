"""Stock in DynamoDB: the only code that changes a level, and every change leaves its movement.

A level's counters are written under a condition, in the same transaction as the movement that
says why: nothing is read, compared and written back.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import groupby
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
from oms.adapters.stock_batches import Batches
from oms.adapters.stock_rows import (
    LEVEL,
    LOCATIONS,
    MOVE,
    WAIT,
    counters,
    item_key,
    level_key,
    location_key,
    location_row,
    movement_row,
    partition,
    read_effect,
    read_level,
    read_levels,
    read_location,
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
from oms.domain.locations import Location
from oms.settings import setting

MAX_QUERIES = 10  # of levels, for more SKUs than this whole batches of keys are asked for
MAX_KNOWN = 100_000

Floors = Mapping[tuple[str, str], int]  # by stock item and location


@dataclass(frozen=True, slots=True)
class MovementPage:
    """Newest first; `cursor` leads to the next page, and is None on the last."""

    movements: tuple[Movement, ...]
    cursor: str | None


class StockTable:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name
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

    def apply(self, change: StockChange) -> None:
        """The change alone, in one transaction."""
        transact(self._client, self.writes(change))

    def apply_in_batches(self, change: StockChange) -> None:
        """A change of any size, all or given back; safe to be asked for again after a crash.

        After `OutOfStock` the change is spent: another try needs another `cause` or `at`.
        """
        self._batches.apply(change)

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
        receipt = Receipt(_receipt_id(once), sku, location, quantity, at)
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
        """Those of the SKUs that were ever received; what is known once is known for good."""
        asked = set(skus)
        if unsure := sorted(asked - self._known):
            keys = (item_key(sku) for sku in unsure)
            how: dict[str, Any] = {"ProjectionExpression": "PK", "ConsistentRead": True}
            found = {sku_of(item) for item in batch_get(self._client, self._table, keys, **how)}
            return (asked & self._known) | self._remembered(found)
        return asked

    def locations(self) -> tuple[Location, ...]:
        return tuple(map(read_location, self._rows(LOCATIONS, "", consistent=True)))

    def put_location(self, location: Location) -> None:
        self._client.put_item(TableName=self._table, Item=location_row(location))

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
        """Who stands in line, first come first."""
        request = self._begins_with(partition(sku), WAIT)
        answer = self._client.query(**request, Limit=limit, ConsistentRead=True)
        return tuple(map(read_waiting, answer["Items"]))

    def scan_levels(self) -> Iterator[Level]:
        return map(read_level, self._scan("begins_with(SK, :level)", {":level": s(LEVEL)}))

    def scan_balances(self) -> Iterator[Balance]:
        """Every stock item beside its movements, in one pass and bounded memory.

        A scan is no snapshot: a SKU that looks uneven is read again before it is called so.
        """
        sought = {":level": s(LEVEL), ":move": s(MOVE)}
        rows = self._scan("begins_with(SK, :level) OR begins_with(SK, :move)", sought)
        for sku, of_sku in groupby(rows, key=sku_of):
            found = _balances(sku, of_sku)
            yield from found if all(b.is_even for b in found) else self.balances(sku)

    def balances(self, sku: str) -> list[Balance]:
        return _balances(sku, self._rows(partition(sku), "", consistent=True))

    def movement_sums(self, sku: str) -> dict[str, Effect]:
        sums: dict[str, Effect] = {}
        for movement in self._rows(partition(sku), MOVE, consistent=True):
            _add(sums, movement)
        return sums

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
        change = receipt.change(reason)
        return [
            *([self._request(key, receipt)] if key else []),
            self._known_location(receipt.location),
            self._stock_item(receipt),
            *self.writes(change),
            self._put(received_row(receipt, actor)),
        ]

    def _request(self, key: str, receipt: Receipt) -> Write:
        put = self._put(request_row(key, receipt), "attribute_not_exists(PK)")
        return Write(put.item, _AlreadyReceived)

    def _known_location(self, location: str) -> Write:
        check = {
            "TableName": self._table,
            "Key": location_key(location),
            "ConditionExpression": "attribute_exists(PK)",
        }
        return Write({"ConditionCheck": check}, lambda _: UnknownLocation(location))

    def _stock_item(self, receipt: Receipt) -> Write:
        update = {
            "TableName": self._table,
            "Key": item_key(receipt.sku),
            "UpdateExpression": "SET sku = :sku, created_at = if_not_exists(created_at, :at)",
            "ExpressionAttributeValues": {":sku": s(receipt.sku), ":at": s(stamp(receipt.at))},
        }
        return Write({"Update": update})

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

    def _scan(self, sought: str, values: Item) -> Iterator[Item]:
        return scan(
            self._client,
            TableName=self._table,
            FilterExpression=sought,
            ExpressionAttributeValues=values,
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


def _receipt_id(once: str | None) -> str:
    seed = once.encode() if once else uuid.uuid4().bytes
    return "rcp_" + base64.b32encode(hashlib.sha256(seed).digest()).decode()[:26].lower()


def _balances(sku: str, rows: Iterable[Item]) -> list[Balance]:
    """Of one SKU; movements without a level count against an empty one."""
    levels: dict[str, Level] = {}
    sums: dict[str, Effect] = {}
    for row in rows:
        if text(row, "SK").startswith(LEVEL):
            level = read_level(row)
            levels[level.location] = level
        elif text(row, "SK").startswith(MOVE):
            _add(sums, row)
    return [
        Balance(levels.get(location, Level(sku, location)), sums.get(location, NO_EFFECT))
        for location in sorted(levels.keys() | sums.keys())
    ]


def _add(sums: dict[str, Effect], movement: Item) -> None:
    location = text(movement, "location")
    sums[location] = sums.get(location, NO_EFFECT).plus(read_effect(movement))


def _sort_key(cursor: str) -> str:
    sort_key = decode_cursor(cursor).get("SK", "")
    if not sort_key.startswith(MOVE):
        raise BadCursor
    return sort_key
