"""Tell shops what is due: those that a message names, and each minute all that have something due.

One worker at a time tells a shop, for a minute at most; what is left then is for the next one. A
worker that dies after the shop was told and before that was marked tells it again under its key.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

from functions.channels.sending import Books, Paused, Sender, give_up
from oms.adapters.channels import SHOP_APIS
from oms.adapters.channels.access import NotReachable, Paced, access_of
from oms.adapters.channels.shop_api import Access, ShopApi
from oms.adapters.known_shops import KnownShops, known_shops
from oms.adapters.order_reader import order_reader
from oms.adapters.shop_leases import ShopLeases, shop_leases
from oms.adapters.shop_queue import shop_failures, shop_of, shop_queue
from oms.adapters.shop_stock import shop_stock
from oms.adapters.shop_tasks import shop_tasks
from oms.adapters.web import web
from oms.domain.shops import Shop
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = (
    "CHANNELS_TABLE",
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "SECRET_ID",
    "SHOP_QUEUE",
    "SHOP_FAILURES",
)

SECONDS = 60.0  # of the two minutes that the function has
LEASE = timedelta(seconds=150)  # longer than any worker lives


class Queue(Protocol):
    def nudge(self, shop: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Crew:
    shops: KnownShops
    leases: ShopLeases
    queue: Queue
    apis: Mapping[str, ShopApi]
    access: Callable[[Shop, ShopApi], Access]
    books: Books


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    crew = Crew(known_shops(), shop_leases(), shop_queue(), SHOP_APIS, reached, books())
    if "Records" not in event:
        return {"outcome": f"{nudge_all(crew)} shops nudged"}
    shops = dict.fromkeys(shop_of(record["body"]) for record in event["Records"])
    return {"outcome": ", ".join(send(crew, shop) for shop in shops)}


def books() -> Books:
    late = time.monotonic() + SECONDS
    return Books(
        shop_tasks(),
        order_reader(),
        shop_stock(),
        shop_failures(),
        lambda: datetime.now(UTC),
        random.random,
        lambda: time.monotonic() > late,
    )


def reached(shop: Shop, api: ShopApi) -> Access:
    return access_of(shop, by=Paced(web(), api.calls_per_second))


def nudge_all(crew: Crew) -> int:
    """How many shops have something due."""
    now = crew.books.now()
    due = [shop for shop in crew.shops.all() if crew.books.tasks.has_due(shop.name, now)]
    for shop in due:
        crew.queue.nudge(shop.name)
    return len(due)


def send(crew: Crew, name: str) -> str:
    """What came of it. The lease of a worker that fails ends by itself."""
    if (shop := crew.shops.find(name)) is None:
        return "no such shop"
    owner, now = uuid4().hex, crew.books.now()
    if not crew.leases.take(name, owner, now, now + LEASE):
        return "another worker, or a pause"
    try:
        outcome, until = f"{_tell(crew, shop)} looked at", None
    except Paused as pause:
        outcome, until = "paused", pause.until
    crew.leases.give_back(name, owner, until)
    if crew.books.is_late() and until is None:
        crew.queue.nudge(name)
    return outcome


def _tell(crew: Crew, shop: Shop) -> int:
    if (api := crew.apis.get(shop.channel)) is None:
        return _fail_all(crew, shop, f"there is no adapter that tells {shop.channel} anything")
    try:
        access = crew.access(shop, api)
    except NotReachable as error:
        return _fail_all(crew, shop, error.why)
    return Sender(crew.books, shop, api, access).tell_all()


def _fail_all(crew: Crew, shop: Shop, why: str) -> int:
    """One of them wakes a person: it is the same with all."""
    failed = 0
    for task in crew.books.tasks.due(shop.name, crew.books.now()):
        if crew.books.is_late():
            break
        give_up(crew.books, replace(task, alarmed=task.alarmed or failed > 0), why)
        failed += 1
    return failed
