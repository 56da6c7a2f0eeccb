"""What can be promised, read from the tables: of which SKU, to whom, from where, by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from oms.adapters.capacity_slots import CapacitySlots
from oms.adapters.channels_table import ChannelsTable
from oms.adapters.items_table import ItemsTable
from oms.adapters.network_table import NetworkTable
from oms.adapters.stock_table import StockTable
from oms.adapters.supply_table import SupplyTable
from oms.contracts.api.inventory import (
    AvailabilityItem,
    BackorderView,
    IncomingView,
    PlaceAvailability,
    PromiseView,
)
from oms.domain.availability import EVERYWHERE, Channel, Levels, Offer, Stock, offer
from oms.domain.items import StockItem
from oms.domain.locations import Location
from oms.domain.network.promising import Asked, Promise, promises
from oms.domain.network.rates import Load
from oms.domain.routing import Destination

DAYS_AHEAD = 14  # of the locations' capacity


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where it is read."""

    items: ItemsTable
    stock: StockTable
    channels: ChannelsTable
    supply: SupplyTable
    network: NetworkTable
    slots: CapacitySlots


@dataclass(frozen=True, slots=True)
class Offers:
    """`offers` are of the SKUs that are known; `items` by SKU, `locations` are all."""

    offers: Mapping[str, Offer]
    items: Mapping[str, StockItem]
    channel: Channel
    locations: Sequence[Location]


def offers(shelves: Shelves, skus: Iterable[str], channel: str | None) -> Offers:
    """One look after another, two where nothing is expected; what needs no other goes on beside."""
    with ThreadPoolExecutor(3) as threads:
        places = threads.submit(shelves.network.locations)
        named = threads.submit(shelves.channels.get, channel) if channel else None
        items = shelves.items.resolve(skus)
        parts = sorted({part.item for item in items.values() for part in item.parts})
        known = threads.submit(_of, shelves.items, items, parts)
        levels = shelves.stock.levels(parts)
        expected = shelves.supply.expected(_arriving(levels))
        sold_by = named.result() if named else EVERYWHERE
        locations = places.result()
    open_ = [each.location_id for each in locations if each.active]
    stock = Stock(known.result(), levels, open_, expected)
    found = {sku: offer(item, sold_by, stock) for sku, item in items.items()}
    return Offers(found, items, sold_by, locations)


def _of(
    table: ItemsTable, items: Mapping[str, StockItem], wanted: Iterable[str]
) -> dict[str, StockItem]:
    """By identity; only the components of kits have not been read yet."""
    known = {item.item: item for item in items.values()}
    return known | table.of(each for each in wanted if each not in known)


def _arriving(levels: Levels) -> list[str]:
    return [item for item, of in levels.items() if any(level.incoming for level in of)]


def promised(
    shelves: Shelves, found: Offers, skus: Sequence[str], destination: Destination, at: datetime
) -> list[PromiseView]:
    """Of one unit of each; nothing, if one of them cannot be promised."""
    if not set(skus) <= found.offers.keys():
        return []
    asked = [Asked(_load(found.items[sku]), dict(found.offers[sku].locations)) for sku in skus]
    selling = [each for each in found.locations if found.channel.sells_from(each.location_id)]
    days = [at.date() + timedelta(ahead) for ahead in range(DAYS_AHEAD)]
    left = shelves.slots.left(selling, days)
    tables = shelves.network.tables()
    return [_view(each) for each in promises(destination, asked, selling, tables, at, left)]


def answer(sku: str, found: Offers, *, by_location: bool) -> AvailabilityItem:
    if (known := found.offers.get(sku)) is None:
        return AvailabilityItem(sku, 0, locations=[] if by_location else None)
    places = [PlaceAvailability(*each) for each in known.locations]
    return AvailabilityItem(
        sku,
        known.available,
        locations=places if by_location else None,
        incoming=[IncomingView(*each) for each in known.incoming],
        backorder=BackorderView(known.backorders.mode, known.expected_on, known.backorders.limit),
    )


def _load(item: StockItem) -> Load:
    attributes = item.attributes
    sizes = (
        attributes.weight_g,
        attributes.length_mm,
        attributes.width_mm,
        attributes.height_mm,
    )
    return Load(1, *(size or 0 for size in sizes))


def _view(each: Promise) -> PromiseView:
    return PromiseView(
        each.method, each.ship_by, each.deliver_by, each.cost, list(each.location_ids)
    )
