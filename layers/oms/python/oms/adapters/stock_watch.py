"""Levels that are watched: told once when they fall to their threshold, once when they are empty.

    SKU#<item> / ITEM                the item, whose policy has the threshold
    SKU#<item> / LEVEL#<location>    `watch` the threshold, `alert` what has been told of it

A level is told of as it is now, under the condition that it still is so: records of the stream
that come twice, late or in another order than they happened tell nothing twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
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
    unpack,
)
from oms.adapters.stock_rows import LEVEL, event_row, item_key, level_key, partition, sku_of
from oms.contracts import codec
from oms.domain.errors import Contended, OmsError
from oms.domain.events import StockLow, StockOut
from oms.domain.items import StockItem
from oms.domain.stock_alerts import Alert, WatchedLevel
from oms.settings import setting

ACTOR = "system"
ATTEMPTS = 10
ABSENT = "attribute_not_exists(PK)"


class Overtaken(OmsError):
    """The level, or its item's policy, is another one by now."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The threshold of an item's levels, and the condition that it still is this one."""

    threshold: int | None
    check: Write

    def is_followed(self, level: Item) -> bool:
        return self.threshold == (number(level, "watch") if "watch" in level else None)


class StockWatch:
    def __init__(self, client: DynamoDB, table_name: str, pause: Pause = time.sleep) -> None:
        self._client, self._table, self._pause = client, table_name, pause

    def follow(self, item: str) -> int:
        """Watch every level of the stock item as its policy says now; how many have changed."""
        policy = self._policy(item)
        rows = [row for row in self._level_rows(item) if not policy.is_followed(row)]
        for row in rows:
            self._set(row, policy)
        return len(rows)

    def look(self, item: str, location: str, at: datetime) -> bool:
        """Tell what is to be told of the level now; whether anything was.

        A level that is not watched is new: perhaps it should be.
        """
        where = level_key(item, location)
        for attempt in range(ATTEMPTS):
            row = self._row(where)
            if row is None:
                return False
            try:
                return self._tell(row, at)
            except Overtaken:
                self._pause(full_jitter(attempt))
        raise Contended(f"{item} at {location} changes all the time")

    def _tell(self, row: Item, at: datetime) -> bool:
        """A level that is watched from now on comes again: its row was changed."""
        if "watch" not in row:
            policy = self._policy(sku_of(row))
            if policy.threshold is not None:
                self._set(row, policy)
            return False
        return self._told(row, read_watched(row), at)

    def _told(self, row: Item, level: WatchedLevel, at: datetime) -> bool:
        if level.now is level.told:
            return False
        event = level.event
        told = [self._put(event_row(event, _identity(event), at, ACTOR))] if event else []
        transact(self._client, [self._alert(row, level), *told])
        return bool(event)

    def _alert(self, row: Item, level: WatchedLevel) -> Write:
        before = "alert = :told" if "alert" in row else "attribute_not_exists(alert)"
        update = {
            **self._at(row),
            "UpdateExpression": "SET alert = :now",
            "ConditionExpression": f"available = :available AND watch = :watch AND {before}",
            "ExpressionAttributeValues": {
                ":now": s(level.now),
                ":available": n(level.available),
                ":watch": n(level.threshold),
                **({":told": s(level.told)} if "alert" in row else {}),
            },
        }
        return Write({"Update": update}, lambda _: Overtaken())

    def _put(self, row: Item) -> Write:
        put = {"TableName": self._table, "Item": row, "ConditionExpression": ABSENT}
        return Write({"Put": put}, lambda _: Overtaken())

    def _set(self, row: Item, policy: Policy) -> None:
        """Unless the policy is another one meanwhile: then that is followed, everywhere."""
        how: dict[str, Any] = {"UpdateExpression": "REMOVE watch, alert"}
        if policy.threshold is not None:
            how = {"UpdateExpression": "SET watch = :watch"}
            how |= {"ExpressionAttributeValues": {":watch": n(policy.threshold)}}
        update = {**self._at(row), **how}
        with suppress(Overtaken):
            transact(self._client, [policy.check, Write({"Update": update})])

    def _policy(self, item: str) -> Policy:
        row = self._row(item_key(item)) or {}
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(version)"}
        if "version" in row:
            condition = {"ConditionExpression": "version = :version"}
            condition |= {"ExpressionAttributeValues": {":version": row["version"]}}
        check = {"TableName": self._table, "Key": item_key(item), **condition}
        return Policy(_threshold(row), Write({"ConditionCheck": check}, lambda _: Overtaken()))

    def _level_rows(self, item: str) -> Iterator[Item]:
        return query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :level)",
            ExpressionAttributeValues={":pk": s(partition(item)), ":level": s(LEVEL)},
            ConsistentRead=True,
        )

    def _row(self, where: Item) -> Item | None:
        return get_row(self._client, self._table, where)

    def _at(self, row: Item) -> dict[str, Any]:
        return {"TableName": self._table, "Key": {"PK": row["PK"], "SK": row["SK"]}}


@cache
def stock_watch() -> StockWatch:
    return StockWatch(client(), setting("STOCK_TABLE"))


def read_watched(row: Item) -> WatchedLevel:
    return WatchedLevel(
        sku=sku_of(row),
        location=text(row, "SK").removeprefix(LEVEL),
        available=number(row, "available"),
        threshold=number(row, "watch"),
        told=Alert(text(row, "alert")) if "alert" in row else Alert.NONE,
    )


def _threshold(row: Item) -> int | None:
    """`low_stock` of the item's policy."""
    if "body" not in row:
        return None
    return codec.decode(unpack(row["body"]), StockItem).policy.low_stock


def _identity(event: StockLow | StockOut) -> str:
    return f"{type(event).__name__}#{event.location_id}"
