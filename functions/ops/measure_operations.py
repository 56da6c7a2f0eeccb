"""How long orders wait, and how many need a person: metrics, each only while there is something.

A metric that nobody sends costs nothing, and its alarm is quiet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from oms.adapters.attention import WaitingPage, attention_list
from oms.adapters.measures import send
from oms.adapters.network_table import network_table
from oms.adapters.order_reader import order_reader
from oms.domain.order import Order
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE")
LOOKED_AT = 25  # open orders of each shard, and the work of each location: the oldest
MOST = 1_000  # more need a person than anybody would count


class Orders(Protocol):
    def oldest_open(self, each: int) -> Iterator[str]: ...
    def oldest_work(self, location_id: str, limit: int) -> Iterator[str]: ...
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...


class Attention(Protocol):
    def page(self, limit: int, cursor: str | None = None) -> WaitingPage: ...


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    locations = [each.location_id for each in network_table().locations()]
    found = measured(order_reader(), attention_list(), locations, datetime.now(UTC))
    for name, value in found.items():
        send(name, value, "Count")
    return {"outcome": "measured", **found}


def measured(
    orders: Orders, attention: Attention, locations: Iterable[str], now: datetime
) -> dict[str, float]:
    """By the names of the metrics."""
    found = {
        "OldestUnshippedHours": oldest_unshipped(orders, locations, now),
        "OrdersNeedingAttention": float(len(attention.page(MOST).orders)),
    }
    return {name: value for name, value in found.items() if value}


def oldest_unshipped(orders: Orders, locations: Iterable[str], now: datetime) -> float:
    """Hours since it was placed, of the order that has waited longest for goods we have: at a
    location, or for one to be chosen."""
    at_work = (each for place in locations for each in orders.oldest_work(place, LOOKED_AT))
    waiting = orders.many([*orders.oldest_open(LOOKED_AT), *at_work]).values()
    placed = (each.placed_at for each in waiting if is_ours_to_ship(each))
    return round(max(((now - at).total_seconds() / 3600 for at in placed), default=0.0), 2)


def is_ours_to_ship(order: Order) -> bool:
    """Nobody else keeps it waiting: no hold, no payment, no stock that has to come first."""
    return (
        order.has_unshipped
        and order.is_paid_for
        and not order.is_backordered
        and not order.active_holds
    )
