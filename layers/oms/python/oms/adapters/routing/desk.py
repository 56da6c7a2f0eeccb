"""Everything that routing works with, put together for one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache

from oms.adapters.agenda import Agenda, agenda
from oms.adapters.backorders import Lines
from oms.adapters.capacity_slots import CapacitySlots, capacity_slots
from oms.adapters.holds_table import HoldsTable, holds_table
from oms.adapters.items_table import ItemsTable, items_table
from oms.adapters.leases import Leases, leases
from oms.adapters.orders_table import OrdersTable, orders_table
from oms.adapters.routing.knowledge import Knowledge, knowledge
from oms.adapters.routing.router import Router, Ways
from oms.adapters.routing.shortages import Shortages
from oms.adapters.routing.sourcing import Levels, Sourcing
from oms.adapters.routing.window_rows import Windows, windows
from oms.adapters.routing.windows import WindowDesk
from oms.adapters.stock_table import StockTable, stock_table
from oms.adapters.supply_table import SupplyTable, supply_table


@dataclass(frozen=True, slots=True)
class Routing:
    orders: OrdersTable
    stock: StockTable
    leases: Leases
    knowledge: Knowledge
    items: ItemsTable
    capacity: CapacitySlots
    holds: HoldsTable
    supply: SupplyTable
    agenda: Agenda
    windows: Windows

    def router(self, at: datetime) -> Router:
        """Takes the stock as this environment may sell it: what it has leased is its own."""
        return Router(
            self.orders,
            self._sourcing(self.leases, at),
            Ways(self.stock, self.leases, self.holds),
            Shortages(self.orders, self.stock, self.supply, self.agenda),
            self.agenda,
            self.windows,
            at,
        )

    def window_desk(self, at: datetime) -> WindowDesk:
        return WindowDesk(self.orders, self.windows, self.sourcing(at), self.router(at))

    def sourcing(self, at: datetime) -> Sourcing:
        """Looks at the stock as everybody sees it, and takes nothing."""
        return self._sourcing(self.stock, at)

    def lines(self, at: datetime) -> Lines:
        return Lines(self.orders, self.stock, self.sourcing(at), at)

    def _sourcing(self, levels: Levels, at: datetime) -> Sourcing:
        return Sourcing(levels, self.knowledge, self.items, self.capacity, self.holds, at)


@cache
def routing() -> Routing:
    return Routing(
        orders_table(with_stock=True),
        stock_table(),
        leases(),
        knowledge(),
        items_table(),
        capacity_slots(),
        holds_table(),
        supply_table(),
        agenda(),
        windows(),
    )
