"""Queue what the shop of an order is to be told of it; of orders of no shop, nothing.

Each event looks a little back in the order's history: what another event should have queued, and
did not yet, is queued before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from oms.adapters.known_shops import KnownShops, known_shops
from oms.adapters.order_reader import order_reader
from oms.adapters.shop_queue import shop_queue
from oms.adapters.shop_tasks import ShopTasks, shop_tasks
from oms.domain.order import Fact, Order, fold
from oms.domain.shop_tasks import Task, actor_of, tasks_of
from oms.domain.shops import Shop
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("CHANNELS_TABLE", "ORDERS_TABLE", "SHOP_QUEUE")


class Orders(Protocol):
    def glance(self, order_id: str) -> Order: ...
    def whole_history(self, order_id: str) -> tuple[Fact, ...]: ...


class Queue(Protocol):
    def nudge(self, shop: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    shops: KnownShops
    orders: Orders
    tasks: ShopTasks
    queue: Queue
    clock: Callable[[], datetime]


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    desk = Desk(
        known_shops(), order_reader(), shop_tasks(), shop_queue(), lambda: datetime.now(UTC)
    )
    return {"outcome": queue_for_shops(event["detail"], desk)}


def queue_for_shops(told: dict[str, Any], desk: Desk) -> str:
    """What came of it."""
    if told["actor"] in {actor_of(shop.name) for shop in desk.shops.all()}:
        return "the shop's own word"
    if not any(shop.told for shop in desk.shops.all()):
        return "no shop is told anything"
    shop = desk.shops.find(desk.orders.glance(told["order_id"]).channel)
    if shop is None or not shop.told:
        return "its channel is told nothing"
    return _queue(_tasks(shop, told["order_id"], told["seq"], desk), desk)


def _tasks(shop: Shop, order_id: str, seq: int, desk: Desk) -> list[Task]:
    facts = desk.orders.whole_history(order_id)
    return tasks_of(shop, fold(order_id, facts), facts, seq, desk.clock())


def _queue(tasks: list[Task], desk: Desk) -> str:
    """The shop is looked after also where all was queued before: perhaps nobody was told so."""
    if not tasks:
        return "nothing to tell"
    shop, order_id = tasks[0].shop, tasks[0].order_id
    known = {task.key for task in desk.tasks.of_order(shop, order_id)}
    new = desk.tasks.put(task for task in tasks if task.key not in known)
    desk.queue.nudge(shop)
    return f"{new} queued"
