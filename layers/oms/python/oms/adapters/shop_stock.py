"""What a shop can sell now, of each SKU: in all, or at each of the locations that it knows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from oms.adapters.channels.shop_api import Stocked
from oms.adapters.channels_table import ChannelsTable, channels_table
from oms.adapters.dynamodb import DynamoDB, client, query, s, text
from oms.adapters.items_table import ItemsTable, items_table
from oms.adapters.network_table import NetworkTable, network_table
from oms.adapters.stock_table import StockTable, stock_table
from oms.domain.availability import Offer, Stock, offer
from oms.domain.shops import Shop
from oms.settings import setting

FRESH_SECONDS = 300.0


class TheirNames:
    """What shops call our SKUs, where it was mapped; read again after five minutes."""

    def __init__(
        self, client: DynamoDB, table: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client, self._table, self._clock = client, table, clock
        self._known: dict[str, tuple[float, Mapping[str, Sequence[str]]]] = {}

    def of(self, shop: str) -> Mapping[str, Sequence[str]]:
        """By SKU; a shop may sell the same under several names."""
        until, found = self._known.get(shop, (-1.0, {}))
        if self._clock() >= until:
            found = self._by_sku(shop)
            self._known[shop] = self._clock() + FRESH_SECONDS, found
        return found

    def _by_sku(self, shop: str) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for sku, name in self._read(shop):
            found.setdefault(sku, []).append(name)
        return found

    def _read(self, shop: str) -> Iterator[tuple[str, str]]:
        rows = query(
            self._client,
            TableName=self._table,
            KeyConditionExpression="PK = :pk",
            ExpressionAttributeValues={":pk": s(f"SKUS#{shop}")},
        )
        return ((text(row, "sku"), text(row, "SK")) for row in rows)


@dataclass(frozen=True, slots=True)
class ShopStock:
    items: ItemsTable
    stock: StockTable
    channels: ChannelsTable
    network: NetworkTable
    names: TheirNames

    def levels(self, shop: Shop, skus: Iterable[str]) -> dict[str, list[Stocked]]:
        """Of those SKUs that stand for something; one that is not sold any more has none left."""
        items = self.items.fresh(skus)
        parts = sorted({part.item for item in items.values() for part in item.parts})
        known = {item.item: item for item in items.values()}
        known |= self.items.of(part for part in parts if part not in known)
        places = [each.location_id for each in self.network.locations() if each.active]
        now = Stock(known, self.stock.levels(parts), places, {})
        channel, names = self.channels.get(shop.name), self.names.of(shop.name)
        return {
            sku: [
                level
                for name in names.get(sku, ("",))
                for level in _stocked(shop, offer(item, channel, now), sku, name)
            ]
            for sku, item in items.items()
        }


def _stocked(shop: Shop, found: Offer, sku: str, item: str) -> Iterator[Stocked]:
    """What lies in several of ours that are one of theirs is told together, as of the first."""
    if not shop.locations:
        yield Stocked(sku, found.available, item=item)
        return
    at = dict(found.locations)
    ours: dict[str, list[str]] = {}
    for our, their in shop.locations:
        ours.setdefault(their, []).append(our)
    for places in ours.values():
        yield Stocked(sku, sum(at.get(place, 0) for place in places), places[0], item)


@cache
def their_names() -> TheirNames:
    return TheirNames(client(), setting("CHANNELS_TABLE"))


@cache
def shop_stock() -> ShopStock:
    tables = items_table(), stock_table(), channels_table(), network_table()
    return ShopStock(*tables, their_names())
