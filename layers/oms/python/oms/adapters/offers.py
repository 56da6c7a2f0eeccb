"""What can be promised, read from the tables: of which SKU, to whom, from where, by when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from oms.adapters.capacity_slots import CapacitySlots, capacity_slots
from oms.adapters.channels_table import ChannelsTable, channels_table
from oms.adapters.items_table import ItemsTable, items_table
from oms.adapters.network_table import NetworkTable, network_table
from oms.adapters.stock_table import StockTable, stock_table
from oms.adapters.supply_table import SupplyTable, supply_table
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


def shelves() -> Shelves:
    return Shelves(
        items_table(),
        stock_table(),
        channels_table(),
        supply_table(),
        network_table(),
        capacity_slots(),
    )


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


def promised(
    shelves: Shelves,
    found: Offers,
    units: Mapping[str, int],
    destination: Destination,
    at: datetime,
) -> tuple[Promise, ...]:
    """Of so many units of each SKU; nothing, if one of them cannot be promised."""
    if not units.keys() <= found.offers.keys():
        return ()
    asked = [
        Asked(_load(found.items[sku], quantity), dict(found.offers[sku].locations))
        for sku, quantity in units.items()
    ]
    selling = [each for each in found.locations if found.channel.sells_from(each.location_id)]
    days = [at.date() + timedelta(ahead) for ahead in range(DAYS_AHEAD)]
    left = shelves.slots.left(selling, days)
    return promises(destination, asked, selling, shelves.network.tables(), at, left)


def _of(
    table: ItemsTable, items: Mapping[str, StockItem], wanted: Iterable[str]
) -> dict[str, StockItem]:
    """By identity; only the components of kits have not been read yet."""
    known = {item.item: item for item in items.values()}
    return known | table.of(each for each in wanted if each not in known)


def _arriving(levels: Levels) -> list[str]:
    return [item for item, of in levels.items() if any(level.incoming for level in of)]


def _load(item: StockItem, quantity: int) -> Load:
    attributes = item.attributes
    sizes = (
        attributes.weight_g,
        attributes.length_mm,
        attributes.width_mm,
        attributes.height_mm,
    )
    return Load(quantity, *(size or 0 for size in sizes))
