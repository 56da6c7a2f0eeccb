"""Carts over the tables of a world."""

from __future__ import annotations

from datetime import datetime, timedelta

from functions.holds.reserving import Cart, Network, Reserve
from functions.inventory.run_agenda import Handler, Run, expire_hold, work_through
from oms.adapters.channels_table import ChannelsTable
from oms.adapters.items_table import ItemsTable
from oms.domain.agenda import Due, DueKind
from oms.domain.stock_holds import HeldLine, StockHold
from tests.functions.world import World, now

QUARTER = timedelta(minutes=15)


def reserve(world: World) -> Reserve:
    channels = ChannelsTable(world.client, world.stock_name)
    items = ItemsTable(world.client, world.stock_name)
    network = Network(world.stock.locations, channels.get, items.of)
    return Reserve(world.holds, world.stock, world.orders, network)


def cart(*lines: tuple[str, int], channel: str = "web") -> Cart:
    return Cart(channel, tuple(HeldLine(*line) for line in lines))


def held(world: World, name: str, *lines: tuple[str, int], lasts: timedelta = QUARTER) -> StockHold:
    hold_id = f"hld_{name:0>8}"
    return reserve(world).hold(hold_id, cart(*lines), lasts, f"{lines}", now())[0]


def sweep(world: World, at: datetime | None = None) -> dict[str, int]:
    """One run of the agenda, as if it were then."""
    holds, orders, instant = world.holds, world.orders, at or now()
    handlers: dict[str, Handler] = {
        DueKind.EXPIRE_HOLD: lambda name, when: expire_hold(holds, orders, name, when)
    }
    run = Run(world.agenda, handlers, lambda entry: None, lambda: False)
    return work_through(run, lambda: instant)


def owners(world: World, sku: str) -> dict[tuple[str, str], int]:
    """Units by reservation and location, by the movements alone."""
    found: dict[tuple[str, str], int] = {}
    for movement in world.stock.movements(sku, 1000).movements:
        for reservation, units in movement.claims:
            key = reservation, movement.location
            found[key] = found.get(key, 0) + units
    return {key: units for key, units in found.items() if units}


def check_stock(world: World, *skus: str) -> None:
    """Levels are sound, are the sum of their movements, and all that is reserved has one owner."""
    for sku in skus:
        mine = owners(world, sku)
        assert all(units > 0 for units in mine.values()), mine
        for level in world.stock.levels([sku])[sku]:
            assert level.is_sound, level
            assert world.stock.movement_sums(sku)[level.location] == level.counters
            there = sum(units for (_, at), units in mine.items() if at == level.location)
            assert there == level.reserved, (level, mine)


def freed(world: World) -> list[str]:
    """The SKUs of the events that say that units are free."""
    rows = world.client.scan(TableName=world.stock_name)["Items"]
    told = [row for row in rows if row.get("type", {}).get("S") == "StockFreed"]
    return sorted(row["sku"]["S"] for row in told)


def entries(world: World) -> list[Due]:
    return world.agenda.due(now() + timedelta(days=30), 1000)
