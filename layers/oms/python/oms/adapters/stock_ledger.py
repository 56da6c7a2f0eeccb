"""The ledger by hand: adjustments and counts; and read: whose units are reserved, what lay when.

A level changes only with its movement, in one transaction, under a condition on the level; so does
what is written here, by the stock table's own writes.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Pause,
    Write,
    client,
    full_jitter,
    get_row,
    n,
    number,
    query,
    s,
    text,
    transact,
)
from oms.adapters.stock_rows import (
    MOVE,
    event_row,
    level_key,
    partition,
    read_movement,
    request_key,
    stamp,
)
from oms.adapters.stock_table import MovementPage, StockTable, id_of
from oms.contracts.cursors import BadCursor, decode_cursor, encode_cursor
from oms.domain.errors import Contended, OmsError, Refused
from oms.domain.events import StockFreed
from oms.domain.inventory import (
    NO_EFFECT,
    AdjustmentReason,
    CountedTooFew,
    Effect,
    IdempotencyConflict,
    Level,
    Movement,
    MovementKind,
    StockChange,
    StockItemChange,
)
from oms.domain.reservations import Reservation, of_location, open_reservations
from oms.settings import setting

ATTEMPTS = 8  # of a count at a level that moves all the time
LOOKS = 4  # at levels and movements, until nothing has moved between them
MAX_WALKED = 20_000  # movements, to name what is reserved
MAX_REWOUND = 200_000  # movements, to tell what lay where
MAX_NAMED = 20  # reservations in a refusal
PAGE = 500  # movements a query looks at when it seeks those of one location
LAST = "$"  # sorts after "#", and so after all that has the same prefix


class TooFarBack(Refused):
    def __init__(self, at: datetime) -> None:
        super().__init__(f"more than {MAX_REWOUND:,} movements since {at.isoformat()}")


class _Moved(OmsError):
    """The level is another one than the count was compared with."""


class _AlreadyDone(Exception):
    def __init__(self, row: Item) -> None:
        super().__init__()
        self.row = row


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody tells of one level: `quantity` is what changes, or what was counted."""

    kind: MovementKind
    sku: str
    location: str
    quantity: int
    at: datetime
    actor: str
    reason: str = ""
    note: str = ""
    idempotency_key: str | None = None

    @property
    def once(self) -> str | None:
        """Each actor has keys of its own, and each kind of deed."""
        if self.idempotency_key is None:
            return None
        return f"{self.actor}\x1f{self.kind}\x1f{self.idempotency_key}"

    @property
    def fingerprint(self) -> str:
        said = [self.sku, self.location, self.quantity, self.reason, self.note]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]

    def change(self, quantity: int, cause: str) -> StockChange:
        item = StockItemChange(self.sku, self.location, quantity)
        return StockChange(self.kind, cause, self.at, (item,), self.reason, self.note, self.actor)


@dataclass(frozen=True, slots=True)
class Standing:
    """Levels, and whose the reserved units are; `is_whole` False where the ledger was too long."""

    levels: tuple[Level, ...]
    reservations: tuple[Reservation, ...]
    is_whole: bool


class StockLedger:
    def __init__(self, client: DynamoDB, table_name: str, pause: Pause = time.sleep) -> None:
        self._client, self._table, self._pause = client, table_name, pause
        self._stock = StockTable(client, table_name)

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
        """Units that are there and were not, or the other way round; of reserved ones none."""
        told = Told(
            MovementKind.ADJUSTED, sku, location, quantity, at, actor, reason, note, idempotency_key
        )
        cause = id_of("adj", told.once)
        writes = self._stock.writes(told.change(quantity, cause))
        self._once(told, cause, quantity, writes)

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
        """Set the level to what was counted; the variance, which may be 0 and is recorded as well.

        Under the condition that nothing has moved since the level was read; read again if so.
        """
        told = Told(
            MovementKind.COUNTED, sku, location, counted, at, actor, "", note, idempotency_key
        )
        cause = id_of("cnt", told.once)
        for attempt in range(ATTEMPTS):
            level = self._level(sku, location)
            if counted < level.reserved and not self._is_done(told):
                raise CountedTooFew(level, counted, self._named(level))
            variance = counted - level.on_hand
            try:
                return self._once(told, cause, variance, self._set(level, told, variance, cause))
            except _Moved:
                self._pause(full_jitter(attempt))
        raise Contended(f"{sku} moves at {location} all the time")

    def standing(self, sku: str) -> Standing:
        """Read again when units moved between the look at levels and the look at movements."""
        for _ in range(LOOKS):
            levels = self._stock.levels([sku])[sku]
            found = open_reservations(levels, islice(self._movements(sku), MAX_WALKED))
            if not found.missing or found.walked == MAX_WALKED:
                break
        return Standing(levels, found.found, not found.missing)

    def levels_at(self, sku: str, at: datetime) -> tuple[Level, ...]:
        """What lay where at an instant: what lies there now without all movements since.

        A movement belongs to the instant of its cause. Levels are read before and after: when they
        differ, units have moved meanwhile and it is done again.
        """
        for _ in range(LOOKS):
            now = self._stock.levels([sku])[sku]
            since = self._effects_since(sku, at)
            if self._stock.levels([sku])[sku] == now:
                return tuple(
                    level.moved(since.get(level.location, NO_EFFECT).times(-1)) for level in now
                )
        raise Contended(f"{sku} moves all the time")

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
        """Newest first; `until` is not included. A page of one location may be short: its cursor
        leads on as long as there is more to look at."""
        request = self._between(sku, since, until)
        request |= _only(location, request)
        start = {"ExclusiveStartKey": _start(cursor, request)} if cursor else {}
        size = {"Limit": max(limit, PAGE) if location else limit, "ScanIndexForward": False}
        answer = self._client.query(**request, **start, **size)
        rows, last = answer["Items"][:limit], answer.get("LastEvaluatedKey")
        if len(answer["Items"]) > limit:
            last = rows[-1]
        onward = encode_cursor({"SK": text(last, "SK")}) if last else None
        return MovementPage(tuple(map(read_movement, rows)), onward)

    def _once(self, told: Told, cause: str, quantity: int, writes: Sequence[Write]) -> int:
        """Write it, or answer what was written under the same key before."""
        request, there = self._request(told, quantity), self._stock.known_location(told.location)
        freed = [self._freed(told, cause, quantity)] if quantity > 0 else []
        try:
            transact(self._client, [*request, there, *writes, *freed])
        except _AlreadyDone as done:
            return _answered(told, done.row)
        return quantity

    def _set(self, level: Level, told: Told, variance: int, cause: str) -> list[Write]:
        movement, *rest = self._stock.writes(told.change(variance, cause))
        return [movement, *([_guarded(rest[0], level)] if rest else [self._unmoved(level)])]

    def _unmoved(self, level: Level) -> Write:
        check = {"TableName": self._table, "Key": level_key(level.sku, level.location)}
        return Write({"ConditionCheck": check | _as_it_was(level)}, lambda _: _Moved(level.sku))

    def _level(self, sku: str, location: str) -> Level:
        levels = self._stock.levels([sku])[sku]
        at = (level for level in levels if level.location == location)
        return next(at, Level(sku, location))

    def _named(self, level: Level) -> list[str]:
        found = of_location(self.standing(level.sku).reservations, level.location)
        more = [f"and {len(found) - MAX_NAMED} more"] if len(found) > MAX_NAMED else []
        return [*map(str, found[:MAX_NAMED]), *more]

    def _request(self, told: Told, quantity: int) -> list[Write]:
        if told.once is None:
            return []
        row = {
            **request_key(told.once),
            "fingerprint": s(told.fingerprint),
            "quantity": n(quantity),
        }
        put = {
            "TableName": self._table,
            "Item": row,
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        return [Write({"Put": put}, lambda old: _AlreadyDone(old or {}))]

    def _is_done(self, told: Told) -> bool:
        if told.once is None:
            return False
        return get_row(self._client, self._table, request_key(told.once)) is not None

    def _freed(self, told: Told, cause: str, quantity: int) -> Write:
        why = told.reason or told.kind
        freed = StockFreed(told.sku, told.location, quantity, why)
        row = event_row(freed, cause, told.at, told.actor)
        return Write({"Put": {"TableName": self._table, "Item": row}})

    def _effects_since(self, sku: str, at: datetime) -> Mapping[str, Effect]:
        sums: dict[str, Effect] = {}
        rows = query(self._client, **self._after(sku, at), ConsistentRead=True)
        for walked, movement in enumerate(map(read_movement, rows), 1):
            if walked > MAX_REWOUND:
                raise TooFarBack(at)
            so_far = sums.get(movement.location, NO_EFFECT)
            sums[movement.location] = so_far.plus(movement.effect)
        return sums

    def _movements(self, sku: str) -> Iterator[Movement]:
        """All of them, newest first."""
        request = self._between(sku, None, None)
        rows = query(self._client, **request, ScanIndexForward=False, ConsistentRead=True)
        return map(read_movement, rows)

    def _after(self, sku: str, at: datetime) -> dict[str, Any]:
        return self._range(sku, f"{MOVE}{stamp(at)}{LAST}", MOVE[:-1] + LAST)

    def _between(self, sku: str, since: datetime | None, until: datetime | None) -> dict[str, Any]:
        first = f"{MOVE}{stamp(since)}" if since else MOVE
        return self._range(sku, first, f"{MOVE}{stamp(until)}" if until else MOVE[:-1] + LAST)

    def _range(self, sku: str, first: str, last: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "PK = :pk AND SK BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": s(partition(sku)),
                ":first": s(first),
                ":last": s(last),
            },
        }


@cache
def stock_ledger() -> StockLedger:
    return StockLedger(client(), setting("STOCK_TABLE"))


def _answered(told: Told, row: Item) -> int:
    if text(row, "fingerprint") != told.fingerprint:
        raise IdempotencyConflict from None
    return number(row, "quantity")


def _guarded(write: Write, level: Level) -> Write:
    """The write of a level, on condition that it is still as it was read: that says more than the
    condition it had."""
    update = {**write.item["Update"]}
    guard = _as_it_was(level)
    values = {**update["ExpressionAttributeValues"], **guard.get("ExpressionAttributeValues", {})}
    used = {name: value for name, value in values.items() if not name.startswith(":least_")}
    return Write(
        {"Update": update | guard | {"ExpressionAttributeValues": used}},
        lambda _: _Moved(level.sku),
    )


def _as_it_was(level: Level) -> dict[str, Any]:
    """`available` follows from the two; a level at which nothing lay may not have been written."""
    same = "on_hand = :was_on_hand AND reserved = :was_reserved"
    was_empty = level.on_hand == level.reserved == 0
    was = {":was_on_hand": n(level.on_hand), ":was_reserved": n(level.reserved)}
    return {
        "ConditionExpression": f"attribute_not_exists(PK) OR ({same})" if was_empty else same,
        "ExpressionAttributeValues": was,
    }


def _only(location: str | None, request: Mapping[str, Any]) -> dict[str, Any]:
    if location is None:
        return {}
    return {
        "FilterExpression": "#at = :location",
        "ExpressionAttributeNames": {"#at": "location"},
        "ExpressionAttributeValues": {
            **request["ExpressionAttributeValues"],
            ":location": s(location),
        },
    }


def _start(cursor: str, request: Mapping[str, Any]) -> Item:
    """A key beyond what is asked for is an error of the table's, not an empty page."""
    asked, sort_key = request["ExpressionAttributeValues"], decode_cursor(cursor).get("SK", "")
    if not (sort_key.startswith(MOVE) and asked[":first"]["S"] <= sort_key <= asked[":last"]["S"]):
        raise BadCursor
    return {"PK": asked[":pk"], "SK": s(sort_key)}
