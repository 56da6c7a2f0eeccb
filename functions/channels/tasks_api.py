"""What shops are told, seen and driven again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol

from oms.adapters.http_api import HttpApi, Request
from oms.adapters.shop_queue import shop_queue
from oms.adapters.shop_tasks import ShopTasks, TaskPage, shop_tasks
from oms.adapters.shops_table import ShopsTable, shops_table
from oms.contracts.api.shop_tasks import (
    RedrivenView,
    ShopTaskPage,
    ShopTaskQuery,
    ShopTaskView,
    TellStock,
    ToldStockView,
)
from oms.domain.errors import Refused
from oms.domain.shop_tasks import Task, TaskKind, TaskState, stock_window
from oms.domain.shops import Shop, Told

ENVIRONMENT: tuple[str, ...] = ("CHANNELS_TABLE", "SHOP_QUEUE")

MOST = 500  # that are driven again in one request
PAGE = 100

app = HttpApi("TasksApi")


class Queue(Protocol):
    def nudge(self, shop: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    shops: ShopsTable
    tasks: ShopTasks
    queue: Queue
    clock: Callable[[], datetime]


@cache
def desk() -> Desk:
    return Desk(shops_table(), shop_tasks(), shop_queue(), lambda: datetime.now(UTC))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


@app.route("GET", "/shops/{shop}/tasks")
def get_tasks(request: Request) -> ShopTaskPage:
    query = request.read_query(ShopTaskQuery)
    shop = desk().shops.get(request.path["shop"]).name
    page = desk().tasks.page(shop, TaskState(query.status), query.limit, query.cursor)
    return ShopTaskPage([view(task) for task in page.tasks], page.cursor)


@app.route("POST", "/shops/{shop}/stock")
def post_stock(request: Request) -> ToldStockView:
    skus = request.read(TellStock).skus
    return tell_stock(desk(), desk().shops.get(request.path["shop"]), skus)


@app.route("POST", "/shops/{shop}/redrive")
def post_shop_redrive(request: Request) -> RedrivenView:
    return redrive_all(desk(), desk().shops.get(request.path["shop"]).name)


@app.route("POST", "/tasks/{task_id}/redrive")
def post_redrive(request: Request) -> ShopTaskView:
    return redrive(desk(), request.path["task_id"])


def tell_stock(desk: Desk, shop: Shop, skus: Iterable[str]) -> ToldStockView:
    """Those that wait already are told with them; a person asks for what was refused as well."""
    if Told.STOCK not in shop.told:
        raise Refused(f"{shop.name} is not told of stock")
    now = desk.clock()
    wanted = dict.fromkeys(skus)
    for sku in wanted:
        task = Task(shop.name, TaskKind.STOCK, now, now + stock_window(shop), sku=sku)
        desk.tasks.touch(task, refused_for=timedelta())
    return ToldStockView(len(wanted))


def redrive(desk: Desk, task_id: str) -> ShopTaskView:
    """What has not failed stays as it is; the shop is looked after all the same."""
    task = desk.tasks.get(task_id)
    desk.tasks.redrive(task, desk.clock())
    desk.queue.nudge(task.shop)
    return view(desk.tasks.get(task_id))


def redrive_all(desk: Desk, shop: str) -> RedrivenView:
    failed, more = _failed(desk, shop)
    redriven = sum([desk.tasks.redrive(task, desk.clock()) for task in failed])
    desk.queue.nudge(shop)
    return RedrivenView(redriven, more)


def _failed(desk: Desk, shop: str) -> tuple[list[Task], bool]:
    """Of the shop, as many as are driven again at once; whether there may be more."""
    found, page = list[Task](), TaskPage((), "")
    while page.cursor is not None and len(found) < MOST:
        page = desk.tasks.page(shop, TaskState.FAILED, PAGE, page.cursor or None)
        found += page.tasks
    return found, page.cursor is not None


def view(task: Task) -> ShopTaskView:
    return ShopTaskView(
        task_id=task.task_id,
        shop=task.shop,
        kind=task.kind,
        status=task.state,
        since=task.since,
        due_at=task.due_at,
        tries=task.tries,
        order_id=task.order_id,
        event_seq=task.seq,
        parcel=task.part,
        sku=task.sku,
        error=task.error,
        reference=task.reference,
        finished_at=task.finished_at,
    )
