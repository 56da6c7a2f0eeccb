"""Stock that an order owes: changes larger than a transaction, written in batches afterwards."""

from __future__ import annotations

from datetime import datetime

from oms.adapters.orders_table import OrdersTable
from oms.adapters.stock_table import StockTable
from oms.domain import commands as c
from oms.domain.order import Order, planned_change, stock_change

ACTOR = "system"


def settle_stock(orders: OrdersTable, stock: StockTable, order_id: str, at: datetime) -> Order:
    """Write the batches that the order owes; twice is once."""
    order = orders.get(order_id)
    if order.routing_plan is not None and order.is_final:
        stock.give_back_batches(planned_change(order.routing_plan, order.line))
        order = orders.change(order_id, c.AbandonRouting("cancelled"), at=at, actor=ACTOR)
    for seq in order.owed_stock:
        change = stock_change(order, orders.fact(order_id, seq))
        assert change is not None
        stock.apply_in_batches(change)
        order = orders.change(order_id, c.SettleStock(change.cause), at=at, actor=ACTOR)
    return order
