"""Stock has moved: the shops that are told of it are told the new levels at the end of a window.

A record says where to look, never what is there. What waits already is not written again, and this
environment remembers for a while what waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from oms.adapters.dynamodb import text
from oms.adapters.items_table import ItemsTable, items_table
from oms.adapters.kits_table import KitsTable, kits_table
from oms.adapters.known_shops import KnownShops, known_shops
from oms.adapters.shop_stock import TheirNames, their_names
from oms.adapters.shop_tasks import ShopTasks, shop_tasks
from oms.adapters.stock_rows import sku_of
from oms.domain.items import StockItem
from oms.domain.shop_tasks import Task, TaskKind, stock_window
from oms.domain.shops import Shop, Told
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = ("CHANNELS_TABLE", "STOCK_TABLE")

MOST_REMEMBERED = 50_000
MAPPED = "mapped"  # of a shop's setting `sells`: only SKUs that its own ids were mapped to
CLOCKS_DIFFER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Record:
    """Of a level, or of an item of which something was said; `is_kit`: one of several parts."""

    position: str
    item: str
    is_kit: bool


@dataclass(frozen=True, slots=True)
class Desk:
    """`waiting`: until when the level of a shop's SKU waits to be told, for all we know."""

    shops: KnownShops
    items: ItemsTable
    kits: KitsTable
    names: TheirNames
    tasks: ShopTasks
    clock: Callable[[], datetime]
    waiting: dict[tuple[str, str], datetime] = field(default_factory=dict)


@cache
def desk() -> Desk:
    return Desk(
        known_shops(),
        items_table(),
        kits_table(),
        their_names(),
        shop_tasks(),
        lambda: datetime.now(UTC),
    )


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    records = [record_of(each) for each in event["Records"]]
    try:
        queue_stock(records, desk())
    except Exception as error:  # noqa: BLE001  (whatever it is, the stream gives them again)
        logger().error("not queued", extra=describe(error))
        return {"batchItemFailures": [{"itemIdentifier": records[0].position}]}
    return {"batchItemFailures": []}


def record_of(raw: dict[str, Any]) -> Record:
    row = raw["dynamodb"]
    is_kit = text(row["Keys"], "SK") == "ITEM" and "kit" in row.get("NewImage", {})
    return Record(row["SequenceNumber"], sku_of(row["Keys"]), is_kit)


def queue_stock(records: Sequence[Record], desk: Desk) -> int:
    """How many levels are to be told. Kits are noted also while no shop is told of stock."""
    for kit in desk.items.of({each.item for each in records if each.is_kit}).values():
        desk.kits.note(kit)
    if not (shops := desk.shops.told_of(Told.STOCK)):
        return 0
    skus = sorted(item.sku for item in _concerned({each.item for each in records}, desk))
    return sum([_touch(shop, sku, desk) for shop in shops for sku in _sold(shop, skus, desk)])


def _sold(shop: Shop, skus: Sequence[str], desk: Desk) -> Sequence[str]:
    """Whatever is not said to be none of it is thought to be sold there."""
    if dict(shop.settings).get("sells") != MAPPED:
        return skus
    mapped = desk.names.of(shop.name)
    return [sku for sku in skus if sku in mapped]


def _concerned(items: set[str], desk: Desk) -> Iterable[StockItem]:
    """The items themselves, and the kits that they are a part of."""
    return desk.items.of(sorted(items | desk.kits.with_part(sorted(items)))).values()


def _touch(shop: Shop, sku: str, desk: Desk) -> int:
    now, where = desk.clock(), (shop.name, sku)
    if now + CLOCKS_DIFFER < desk.waiting.get(where, now):
        return 0
    task = Task(shop.name, TaskKind.STOCK, now, now + stock_window(shop), sku=sku)
    if len(desk.waiting) >= MOST_REMEMBERED:
        desk.waiting.clear()
    desk.waiting[where] = desk.tasks.touch(task)
    return 1
