"""Tell one shop what is due, in order: each order's news as they happened, levels together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from functions.channels.saying import said
from oms.adapters.channels.shop_api import (
    Access,
    CalledOff,
    Later,
    RefusedByShop,
    Shipped,
    ShopApi,
    Stocked,
)
from oms.adapters.shop_tasks import ShopTasks
from oms.adapters.stock_rows import stamp
from oms.domain.ids import name_of
from oms.domain.order import Fact, Order, fold
from oms.domain.shop_tasks import GIVEN_UP, TOLD, Task, TaskKind, TaskState, next_try
from oms.domain.shops import Shop
from oms.observability import describe, logger

TOGETHER = 100  # levels in one call
SECONDS_FOR_LEVELS = 30  # of a shop that is asked for each level by itself
MAILBOX = re.compile(r"[^\s@]+@[^\s@]+")
LONGEST_ERROR = 300  # characters that are kept of it
SHORT_PAUSE = timedelta(seconds=60)  # of a shop that does not say how long
NOT_TOLD = f"{GIVEN_UP}the shop is not told of such any more"
KNOWN_BY_ALL = timedelta(minutes=3)  # what was said of a shop
SHORTEST_SECRET = 4  # characters; what is shorter may be any word


class Orders(Protocol):
    def whole_history(self, order_id: str) -> tuple[Fact, ...]: ...


class Stock(Protocol):
    def levels(self, shop: Shop, skus: Iterable[str]) -> Mapping[str, Sequence[Stocked]]: ...


class Failures(Protocol):
    def tell(self, task: Task, why: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Books:
    """What the sender reads and writes. `jitter` is between 0 and 1; `is_late`: it has no time for
    another call."""

    tasks: ShopTasks
    orders: Orders
    stock: Stock
    failures: Failures
    now: Callable[[], datetime]
    jitter: Callable[[], float]
    is_late: Callable[[], bool]


class Paused(Exception):
    """The shop has asked for a pause."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until}")
        self.until = until


class Sender:
    def __init__(self, books: Books, shop: Shop, api: ShopApi, access: Access) -> None:
        self._books, self._shop, self._api, self._access = books, shop, api, access
        places = len({their for _, their in shop.locations}) or 1
        levels = min(TOGETHER, int(api.calls_per_second * SECONDS_FOR_LEVELS))
        self._together = max(1, levels // places)

    def tell_all(self) -> int:
        """How many tasks have moved on. Raises Paused."""
        told = 0
        while moved := self._tell_due():
            told += moved
        return told

    def _tell_due(self) -> int:
        moved, orders, levels = 0, set[str](), list[Task]()
        for task in self._books.tasks.due(self._shop.name, self._books.now()):
            if self._books.is_late():
                return 0
            if TOLD[task.kind] not in self._shop.told:
                moved += self._drop(task)
            elif task.kind is TaskKind.STOCK:
                levels.append(task)
            elif task.order_id not in orders:
                orders.add(task.order_id)
                moved += self._tell_order(task.order_id)
            if len(levels) == self._together:
                moved += self._tell_levels(levels)
                levels = []
        return moved + (self._tell_levels(levels) if levels else 0)

    def _tell_order(self, order_id: str) -> int:
        """What waits for another try lets nothing overtake it; what has failed does."""
        moved, facts = 0, self._books.orders.whole_history(order_id)
        order = fold(order_id, facts)
        for task in self._books.tasks.of_order(self._shop.name, order_id):
            if task.state is not TaskState.WAITING or TOLD[task.kind] not in self._shop.told:
                continue
            if self._books.is_late() or not task.is_due(self._books.now()):
                break
            moved += 1
            if not self._tell(task, order, facts):
                break
        return moved

    def _drop(self, task: Task) -> bool:
        """Somebody has said so, and is not woken for it; it can be driven again. What is new waits:
        perhaps it is the shop that we know as it was before."""
        now = self._books.now()
        return now - task.since > KNOWN_BY_ALL and self._books.tasks.failed(task, NOT_TOLD, now)

    def _tell(self, task: Task, order: Order, facts: Sequence[Fact]) -> bool:
        """Whether it is settled, and what follows it may go on."""
        try:
            reference = self._ask(task, order, facts)
        except RefusedByShop as error:
            self.fail(task, self._why(error))
        except Later as error:
            self._put_off([task], error)
        except Exception as error:  # noqa: BLE001  (of an adapter: it may have been done)
            self._try_later(task, error, 0)
            return False
        else:
            self._books.tasks.done(task, reference, self._books.now())
        return True

    def _ask(self, task: Task, order: Order, facts: Sequence[Fact]) -> str:
        done = said(task, order, facts)
        if isinstance(done, Shipped):
            return self._api.ship(self._access, done)
        if isinstance(done, CalledOff):
            return self._api.call_off(self._access, done)
        return self._api.give_back(self._access, done)

    def _tell_levels(self, tasks: Sequence[Task]) -> int:
        """A level is read after its task was claimed: what changes from then on is told again."""
        claimed = [replace(x, claimed=True) for x in tasks if self._books.tasks.claim(x)]
        levels = self._books.stock.levels(self._shop, [task.sku for task in claimed])
        self._set(claimed, levels)
        return len(tasks)

    def _set(self, tasks: Sequence[Task], levels: Mapping[str, Sequence[Stocked]]) -> None:
        told = [level for task in tasks for level in levels.get(task.sku, ())]
        try:
            reference = self._api.set_stock(self._access, told, _key(tasks, told)) if told else ""
        except Later as error:
            self._put_off(tasks, error)
        except Exception as error:  # noqa: BLE001  (of an adapter: it may have been done)
            self._set_apart(tasks, levels, error)
        else:
            self._were_set(tasks, reference)

    def _set_apart(
        self, tasks: Sequence[Task], levels: Mapping[str, Sequence[Stocked]], error: Exception
    ) -> None:
        """Of many that are refused together, the shop says which they are, or it is found. What
        there is no time for stays claimed, and is claimed by the next worker."""
        refused = set(error.skus) if isinstance(error, RefusedByShop) else set[str]()
        if len(tasks) == 1:
            self._not_set(tasks[0], error)
        elif refused & {task.sku for task in tasks}:
            for task in tasks:
                if task.sku in refused:
                    self._not_set(task, error)
            self._were_set([task for task in tasks if task.sku not in refused], "")
        else:
            half = len(tasks) // 2
            for part in (tasks[:half], tasks[half:]):
                if not self._books.is_late():
                    self._set(part, levels)

    def _were_set(self, tasks: Sequence[Task], reference: str) -> None:
        for task in tasks:
            self._books.tasks.done(task, reference, self._books.now())

    def _not_set(self, task: Task, error: Exception) -> None:
        if isinstance(error, RefusedByShop):
            self.fail(task, self._why(error))
        else:
            self._try_later(task, error, 0)

    def _put_off(self, tasks: Sequence[Task], error: Later) -> None:
        """All of the shop waits with them."""
        for task in tasks:
            self._try_later(task, error, error.after_seconds)
        pause = timedelta(seconds=error.after_seconds) or SHORT_PAUSE
        raise Paused(self._books.now() + pause) from error

    def _try_later(self, task: Task, error: Exception, after_seconds: int) -> None:
        now, why = self._books.now(), self._why(error)
        due_at = next_try(task, now, self._books.jitter(), after_seconds)
        if due_at is None:
            self.fail(task, GIVEN_UP + why)
        else:
            self._books.tasks.later(task, due_at, why)

    def _why(self, error: Exception) -> str:
        if not isinstance(error, Later | RefusedByShop):
            logger().error("a surprise of an adapter", extra=describe(error))
            return type(error).__name__
        return harmless(str(error), self._access.credentials.values())

    def fail(self, task: Task, why: str) -> None:
        give_up(self._books, task, why)


def give_up(books: Books, task: Task, why: str) -> None:
    """A person is woken first, once until it is told or driven again."""
    if not task.alarmed:
        books.failures.tell(task, why)
    if books.tasks.failed(task, why, books.now()):
        logger().warning("a shop was not told", extra={"task_id": task.task_id, "why": why})


def harmless(why: str, secrets: Iterable[str]) -> str:
    """Without what nobody should read in it."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            why = why.replace(secret, "(secret)")
    return MAILBOX.sub("(e-mail)", why)[:LONGEST_ERROR]


def _key(tasks: Sequence[Task], told: Sequence[Stocked]) -> str:
    """The same levels of the same windows; a level that comes back later is told again."""
    windows = (f"{task.sku}/{stamp(task.since)}" for task in tasks)
    levels = (f"{x.sku}/{x.location_id}/{x.item}/{x.available}" for x in told)
    return f"stock.{name_of(*windows, *levels)}"
