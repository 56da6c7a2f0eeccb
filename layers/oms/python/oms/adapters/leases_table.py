"""Leases in DynamoDB: units leave the level for a lease, an order or another lease takes them from
there, and what is left goes back. Each step is one transaction with its movement.

A lease that has ended has no row: whoever would still sell from it is refused.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Pause,
    Refusal,
    Write,
    batch_get,
    client,
    get_row,
    n,
    query,
    s,
    text,
    transact,
)
from oms.adapters.freed_stock import freed_writes
from oms.adapters.lease_rows import (
    LEASES,
    found_key,
    found_prefix,
    lease_key,
    lease_row,
    read_lease,
)
from oms.adapters.stock_rows import stamp
from oms.adapters.stock_table import StockTable, stock_table
from oms.domain.errors import Refused
from oms.domain.inventory import MovementKind, StockChange, StockItemChange
from oms.domain.leases import Lease
from oms.settings import setting

ENDED = "lease_ended"
JUST_BEFORE = timedelta(microseconds=1)
ATTEMPTS = 5
ABSENT, PRESENT = "attribute_not_exists(PK)", "attribute_exists(PK)"


class LeaseMoved(Refused):
    """Units of the lease were sold, handed over or given back since it was read."""

    def __init__(self, lease_id: str, row: Item | None) -> None:
        super().__init__(f"lease {lease_id} is not what it was")
        self.found = read_lease(row) if row else None


class LeasesTable:
    def __init__(
        self, client: DynamoDB, table: str, stock: StockTable, pause: Pause = time.sleep
    ) -> None:
        self._client, self._table, self._stock, self._pause = client, table, stock, pause

    def lease(
        self, known: Lease | None, more: Lease, floor: int, at: datetime | None = None
    ) -> Lease:
        """Lease `more.units` of the level, above its floor, on top of a lease that is known.

        `at` is when the first of them is sold: the ledger has the lease just before that.
        """
        item = StockItemChange(*more.level, more.units, more.lease_id)
        cause = f"{more.lease_id}#{stamp(more.used_at)}"
        leased = StockChange(
            MovementKind.LEASED, cause, (at or more.used_at) - JUST_BEFORE, (item,)
        )
        writes = self._stock.writes(leased, floors={more.level: floor})
        self._transact([*self._grown(known, more), *writes])
        return replace(more, units=more.units + known.units if known else more.units)

    def hand_over(self, giver: Lease, known: Lease | None, taker: Lease) -> Lease:
        """Let the taker have some of the giver's units; a giver that has none left ends."""
        item = StockItemChange(*taker.level, taker.units, taker.lease_id, giver.lease_id)
        carried = StockChange(MovementKind.CARRIED, taker.lease_id, taker.used_at, (item,))
        given = self._ended(giver) if giver.units == taker.units else [self._less(giver, taker)]
        self._transact([*given, *self._grown(known, taker), *self._stock.writes(carried)])
        return replace(taker, units=taker.units + known.units if known else taker.units)

    def sale(self, lease: Lease, change: StockChange, refusal: Refusal) -> list[Write]:
        """The lease's row first: what it has sold, then the movements that say to whom."""
        sold = replace(lease, units=sum(item.quantity for item in change.items))
        return [self._sold(sold, change.at, refusal), *self._stock.writes(change)]

    def give_back(self, lease: Lease, at: datetime) -> int:
        """End it, whatever it sells meanwhile; how many units went back to the level."""
        found: Lease | None = lease
        for _ in range(ATTEMPTS):
            if found is None:
                return 0
            try:
                return self._end(found, at)
            except LeaseMoved as moved:
                found = moved.found
        return 0  # it is alive: it will end itself, or be found again

    def end_if_unused(self, lease: Lease, at: datetime) -> int:
        """Nothing goes back when anything was sold since the lease was read."""
        try:
            return self._end(lease, at)
        except LeaseMoved:
            return 0

    def get(self, lease_id: str) -> Lease | None:
        row = get_row(self._client, self._table, lease_key(lease_id))
        return read_lease(row) if row else None

    def open(self, item: str | None = None) -> list[Lease]:
        """All leases, or those of an item."""
        ids = [text(row, "lease_id") for row in self._found(item)]
        keys = map(lease_key, ids)
        rows = batch_get(self._client, self._table, keys, ConsistentRead=True)
        return [read_lease(row) for row in rows]

    def _found(self, item: str | None) -> Iterator[Item]:
        """An item may be called like the beginning of another: the row says which it is."""
        prefix = found_prefix(item) if item is not None else ""
        narrowed = " AND begins_with(SK, :sk)" if prefix else ""
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk" + narrowed,
            ExpressionAttributeValues={":pk": s(LEASES), **({":sk": s(prefix)} if prefix else {})},
            ConsistentRead=True,
        )
        return (row for row in rows if item in (None, text(row, "item")))

    def _end(self, lease: Lease, at: datetime) -> int:
        back = self._back(lease, at) if lease.units else []
        self._transact([*self._ended(lease), *back])
        return lease.units

    def _back(self, lease: Lease, at: datetime) -> list[Write]:
        item = StockItemChange(*lease.level, lease.units, lease.lease_id)
        released = StockChange(MovementKind.RELEASED, lease.lease_id, at, (item,))
        return [*self._stock.writes(released), *freed_writes(self._table, [released], ENDED)]

    def _grown(self, known: Lease | None, more: Lease) -> list[Write]:
        if known is None:
            found = {**found_key(more), "lease_id": s(more.lease_id), "item": s(more.item)}
            return [self._put(lease_row(more), ABSENT), self._put(found)]
        return [self._add(more.lease_id, more.units, more.used_at, PRESENT)]

    def _less(self, giver: Lease, taker: Lease) -> Write:
        """A giver stays as long unused as it was."""
        return self._add(giver.lease_id, -taker.units, giver.used_at, "units >= :least")

    def _sold(self, sold: Lease, at: datetime, refusal: Refusal) -> Write:
        write = self._add(sold.lease_id, -sold.units, at, "units >= :least")
        return Write(write.item, refusal)

    def _add(self, lease_id: str, units: int, at: datetime, condition: str) -> Write:
        least = {":least": n(-units)} if ":least" in condition else {}
        update = {
            "TableName": self._table,
            "Key": lease_key(lease_id),
            "UpdateExpression": "SET used_at = :at ADD units :units",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":at": s(stamp(at)), ":units": n(units), **least},
        }
        return Write({"Update": update}, lambda row: LeaseMoved(lease_id, row))

    def _ended(self, lease: Lease) -> list[Write]:
        delete = {
            "TableName": self._table,
            "Key": lease_key(lease.lease_id),
            "ConditionExpression": "units = :units",
            "ExpressionAttributeValues": {":units": n(lease.units)},
        }
        found = {"TableName": self._table, "Key": found_key(lease)}
        refusal = Write({"Delete": delete}, lambda row: LeaseMoved(lease.lease_id, row))
        return [refusal, Write({"Delete": found})]

    def _put(self, row: Item, condition: str = "") -> Write:
        guarded = {"ConditionExpression": condition} if condition else {}
        return Write({"Put": {"TableName": self._table, "Item": row, **guarded}})

    def _transact(self, writes: list[Write]) -> None:
        transact(self._client, writes, self._pause)


@cache
def leases_table() -> LeasesTable:
    return LeasesTable(client(), setting("STOCK_TABLE"), stock_table())
