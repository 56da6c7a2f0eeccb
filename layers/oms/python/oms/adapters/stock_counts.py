"""Counts: a level is set to what somebody has counted, if nobody has moved it meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from oms.adapters.dynamodb import (
    DynamoDB,
    Item,
    Write,
    batch_get,
    client,
    key,
    n,
    s,
    text,
    unpack,
)
from oms.adapters.items_table import ItemsTable
from oms.adapters.stock_rows import ALWAYS, LEVEL, item_key, level_key, read_level, sku_of
from oms.adapters.stock_table import StockTable
from oms.contracts import codec
from oms.domain.errors import OmsError
from oms.domain.inventory import Level, MovementKind, StockChange, StockItemChange
from oms.domain.items import StockItem
from oms.settings import setting

Place = tuple[str, str]  # stock item, location
SAID = ("body", "kit", "means")  # attributes of stock items that somebody has said something of


class Moved(OmsError):
    """The level is another one than the count was compared with."""


@dataclass(frozen=True, slots=True)
class Stand:
    """The stock item that a SKU stands for, or why there is none to count."""

    item: str
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """`cause` names it for ever: told again with the same `at`, it counts once."""

    level: Level
    on_hand: int
    cause: str
    at: datetime
    note: str = ""
    actor: str = ""

    @property
    def variance(self) -> int:
        return self.on_hand - self.level.on_hand

    @property
    def change(self) -> StockChange:
        item = StockItemChange(self.level.sku, self.level.location, self.variance)
        return StockChange(
            MovementKind.COUNTED, self.cause, self.at, (item,), "", self.note, self.actor
        )


@dataclass(frozen=True, slots=True)
class LevelPage:
    """Levels with the SKU that each is called now; `after` is None on the last page."""

    levels: tuple[tuple[str, Level], ...]
    after: list[str] | None


class StockCounts:
    def __init__(self, client: DynamoDB, table_name: str) -> None:
        self._client, self._table = client, table_name
        self._stock = StockTable(client, table_name)
        self._items = ItemsTable(client, table_name)

    def locations(self) -> frozenset[str]:
        return frozenset(location.location_id for location in self._stock.locations())

    def stands(self, skus: Iterable[str]) -> dict[str, Stand]:
        """What each SKU stands for now; what nobody ever had begins as a stock item of its name."""
        asked = dict.fromkeys(skus)
        keys = map(item_key, asked)
        rows = batch_get(self._client, self._table, keys, ConsistentRead=True)
        said = {sku_of(row) for row in rows if any(name in row for name in SAID)}
        items = self._items.fresh(said) if said else {}
        return {sku: _stand(sku, items.get(sku), known=sku in said) for sku in asked}

    def levels(self, places: Iterable[Place]) -> dict[Place, Level | None]:
        """None where nothing ever lay."""
        asked = dict.fromkeys(places)
        keys = [level_key(item, location) for item, location in asked]
        rows = batch_get(self._client, self._table, keys, ConsistentRead=True)
        found = {(level.sku, level.location): level for level in map(read_level, rows)}
        return {place: found.get(place) for place in asked}

    def writes(self, count: Count, *, is_new: bool) -> list[Write]:
        """The movement and the level; nothing for a count that finds what is known."""
        if not count.variance and not is_new:
            return []
        movement, *level = self._stock.writes(count.change)
        guarded = [_guarded(write, count.level, is_new=is_new) for write in level]
        return [movement, *(guarded or [self._empty(count.level)])]

    def beginnings(self, items: Iterable[str], at: datetime) -> list[Write]:
        """Stock items begin with their first level, as with their first receipt."""
        return [self._beginning(item, at) for item in sorted(set(items))]

    def page(self, segment: int, of: int, after: list[str] | None) -> LevelPage:
        """Levels of a part of the table, but for retired items: another may have their name."""
        start = {"ExclusiveStartKey": key(*after[:2])} if after else {}
        answer = self._client.scan(
            TableName=self._table,
            Segment=segment,
            TotalSegments=of,
            FilterExpression="begins_with(SK, :level) OR SK = :item",
            ExpressionAttributeValues={":level": s(LEVEL), ":item": s("ITEM")},
            **start,
        )
        names = {after[0]: after[2]} if after else {}
        levels = tuple(_named(answer["Items"], names))
        last = answer.get("LastEvaluatedKey")
        if not last:
            return LevelPage(levels, None)
        partition = text(last, "PK")
        onward = [partition, text(last, "SK"), names.get(partition, "")]
        return LevelPage(levels, onward)

    def _beginning(self, item: str, at: datetime) -> Write:
        return replace(self._stock.begin_item(item, at), refusal=lambda _: Moved(item))

    def _empty(self, level: Level) -> Write:
        """A level at which nothing was found, and that nobody knew."""
        counters = {name: n(0) for name in ALWAYS}
        put = {
            "TableName": self._table,
            "Item": {**level_key(level.sku, level.location), **counters},
            "ConditionExpression": "attribute_not_exists(PK)",
        }
        return Write({"Put": put}, lambda _: Moved(level.sku))


@cache
def stock_counts() -> StockCounts:
    return StockCounts(client(), setting("STOCK_TABLE"))


def _stand(sku: str, item: StockItem | None, *, known: bool) -> Stand:
    if item is None:
        return Stand(sku, "stands for no stock item any more" if known else "")
    return Stand(item.item, "is a kit: its components have the stock" if item.is_kit else "")


def _named(rows: Iterable[Item], names: dict[str, str]) -> Iterator[tuple[str, Level]]:
    """An item's row comes before its levels; `names` of those that were seen, by partition."""
    for row in rows:
        partition = text(row, "PK")
        if text(row, "SK") == "ITEM":
            names[partition] = _name(row)
        elif name := names.get(partition, sku_of(row)):
            yield name, read_level(row)


def _name(row: Item) -> str:
    """What it is called now; nothing, if it is retired."""
    if "body" not in row:
        return sku_of(row)
    item = codec.decode(unpack(row["body"]), StockItem)
    return item.sku if item.active else ""


def _guarded(write: Write, level: Level, *, is_new: bool) -> Write:
    """The write of a level, on condition that it still is as it was read."""
    update = dict(write.item["Update"])
    if is_new:
        update["ConditionExpression"] = "attribute_not_exists(PK)"
    else:
        others = [update["ConditionExpression"]] if "ConditionExpression" in update else []
        update["ConditionExpression"] = " AND ".join([*others, "on_hand = :was"])
        update["ExpressionAttributeValues"] |= {":was": n(level.on_hand)}
    return Write({"Update": update}, lambda _: Moved(level.sku))
