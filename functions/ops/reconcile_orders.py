"""Find orders that stand still, and set them going again from where they are.

A restart, a quota or a bad deployment can end an execution; a lost event can leave money on its
way. Whatever is done here was safe to do before, and is safe to do twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Protocol

from oms.adapters.backorders import waits_for_stock
from oms.adapters.orders_table import orders_table
from oms.adapters.owed_stock import settle_stock
from oms.adapters.payments import SETTINGS
from oms.adapters.payments.settling import Undecided, sweep
from oms.adapters.routing.desk import routing
from oms.adapters.stock_table import stock_table
from oms.adapters.workflow import executions, return_executions
from oms.domain import events as e
from oms.domain.ids import order_of_return
from oms.domain.order import Fact, Order, OrderStatus, awaited_items
from oms.domain.returns import Return
from oms.domain.returns import waits as returns
from oms.domain.returns.waits import ReturnWait
from oms.domain.waits import Wait, outcome
from oms.observability import describe, logger, observed

ENVIRONMENT: tuple[str, ...] = (
    *("ORDERS_TABLE", "STOCK_TABLE", "CUSTOMERS_TABLE", "ORDER_WORKFLOW", "RETURN_WORKFLOW"),
    *SETTINGS,
)

GRACE = timedelta(seconds=90)  # a new order's first execution is on its way
PATIENCE = timedelta(minutes=2)  # with those whose turn it is to settle money
SECONDS = 45.0  # of the minute that the function has
BATCH = 100
THREADS = 8
IGNORED = "ignore"
MONEY = (
    e.OrderPlaced,
    e.OrderEditAccepted,
    e.PaymentOperationRequested,
    e.PaymentOperationRetried,
    e.PaymentUnknown,
    e.PaymentPending,
    e.FulfillmentOrderShipped,
    e.FulfillmentOrderCollected,
)


class Orders(Protocol):
    def open_orders(self, before: datetime) -> Iterator[str]: ...
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...
    def whole_history(self, order_id: str) -> tuple[Fact, ...]: ...
    def token(self, order_id: str, wait: str) -> str | None: ...


class Executions(Protocol):
    def running(self) -> frozenset[str]: ...
    def resume(self, order_id: str) -> bool: ...
    def wake(self, token: str, outcome: str) -> bool: ...


def nobody_waits(sku: str) -> int:  # noqa: ARG001
    return 0


class Nothing:
    """No execution runs, and none is started."""

    def running(self) -> frozenset[str]:
        return frozenset()

    def resume(self, order_id: str) -> bool:  # noqa: ARG002
        return False

    def wake(self, token: str, outcome: str) -> bool:  # noqa: ARG002
        return False


@dataclass(frozen=True, slots=True)
class Repair:
    """`is_late` ends a run; the next begins elsewhere, so that all have their turn.

    `serve` releases who can be filled of those in line for a SKU; each line once in a run.
    """

    orders: Orders
    executions: Executions
    settle: Callable[[str], Order]
    settle_stock: Callable[[str], Order]
    is_late: Callable[[], bool]
    chance: Random
    serve: Callable[[str], int] = nobody_waits
    returns: Executions = field(default_factory=Nothing)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    now, late = datetime.now(UTC), time.monotonic() + SECONDS
    orders = orders_table(with_stock=True)
    repair = Repair(
        orders,
        executions(),
        lambda order_id: sweep(orders, order_id, at=datetime.now(UTC)),
        lambda order_id: settle_stock(orders, stock_table(), order_id, datetime.now(UTC)),
        lambda: time.monotonic() > late,
        Random(),
        routing().lines(now).wake,
        return_executions(),
    )
    counts = reconcile(repair, now)
    logger().info("reconciled", extra=counts)
    return {"outcome": "reconciled", **counts}


def reconcile(repair: Repair, now: datetime) -> dict[str, int]:
    """How many orders were looked at, started again, settled; how many of these went wrong."""
    counts: Counter[str] = Counter(dict.fromkeys(["looked_at", *REPAIRS, "failed"], 0))
    orders, returned = repair.executions.running(), repair.returns.running()
    running, concerned = orders | returned, orders.union(map(order_of_return, returned))
    open_ids = list(repair.orders.open_orders(before=now - GRACE))
    # What runs and is not open waits for a word that was lost, or is just about to hear it.
    ids = _from_anywhere([*open_ids, *sorted(concerned.difference(open_ids))], repair.chance)
    with ThreadPoolExecutor(THREADS) as threads:
        for start in range(0, len(ids), BATCH):
            if repair.is_late():
                counts["left_for_the_next_run"] = len(ids) - start
                break
            found = repair.orders.many(ids[start : start + BATCH])
            for done in threads.map(lambda o: _look(repair, o, running, now), found.values()):
                counts.update(done)
    return dict(counts)


def _from_anywhere(ids: Sequence[str], chance: Random) -> Sequence[str]:
    if not ids:
        return ids
    first = chance.randrange(len(ids))
    return [*ids[first:], *ids[:first]]


def _look(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> dict[str, int]:
    """One order in trouble does not keep the others from being looked at."""
    done = {"looked_at": 1}
    for name, act in REPAIRS.items():
        try:
            done[name] = int(act(repair, order, running, now))
        except Exception as error:  # noqa: BLE001  (the next run looks again)
            logger().warning(
                "not reconciled", extra={"order_id": order.order_id, **describe(error)}
            )
            done["failed"] = 1
    return done


def _resume(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> bool:  # noqa: ARG001
    """The list of what runs is a moment late: what is not in it is asked for by name."""
    if order.order_id in running or not needs_workflow(order):
        return False
    return repair.executions.resume(order.order_id)


def _wake(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> bool:
    """Tell again what a waiting workflow has missed, or what only time tells. Who does not wait any
    more does not hear."""
    if order.order_id not in running or not may_have_missed(order):
        return False
    heard = False
    for wait in Wait:
        said = outcome(order, wait, now)
        if said is not None and (token := repair.orders.token(order.order_id, wait)):
            heard |= repair.executions.wake(token, said)
    return heard


def _resume_returns(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> bool:
    """A new return's first execution is on its way."""
    stopped = (
        each.return_id
        for each in order.returns
        if each.return_id not in running
        and returns.needs_workflow(each)
        and now - (each.approved_at or each.requested_at) > GRACE
    )
    return sum(map(repair.returns.resume, stopped)) > 0


def _wake_returns(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> bool:  # noqa: ARG001
    under_way = (each for each in order.returns if each.return_id in running)
    return sum(_wake_return(repair, order, each) for each in under_way) > 0


def _wake_return(repair: Repair, order: Order, found: Return) -> bool:
    heard = False
    for wait in ReturnWait:
        said = returns.outcome(order, found.return_id, wait)
        name = returns.token_name(found.return_id, wait)
        if said is not None and (token := repair.orders.token(order.order_id, name)):
            heard |= repair.returns.wake(token, said)
    return heard


def may_have_missed(order: Order) -> bool:
    """Nothing is said of an order that is with its warehouses, as most open orders are."""
    with_them = outcome(order, Wait.FULFILLMENT) is None and not order.is_deferred
    return not order.fulfillment_orders or not with_them


def needs_workflow(order: Order) -> bool:
    """Open orders, and cancelled ones whose stock is not all given back."""
    if order.status is OrderStatus.COMPLETED:
        return False
    if order.is_final:
        return bool(order.owed_stock or order.routing_plan)
    return bool(order.attention) or order.resolution != IGNORED


def _settle(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> bool:  # noqa: ARG001
    if not order.to_settle or not _waited(repair.orders, order.order_id, now):
        return False
    try:
        repair.settle(order.order_id)
    except Undecided:
        return False
    return True


def _settle_stock(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> bool:  # noqa: ARG001
    """Batches that nobody has finished: twice is once."""
    if not order.owed_stock or not _moved_long_ago(repair.orders, order.order_id, now):
        return False
    repair.settle_stock(order.order_id)
    return True


def _release(repair: Repair, order: Order, running: frozenset[str], now: datetime) -> bool:  # noqa: ARG001
    """Serve the lines in which it stands: a location may have opened, or an event been lost."""
    if not waits_for_stock(order, now) or now - order.placed_at < PATIENCE:
        return False
    return sum(map(repair.serve, awaited_items(order))) > 0


def _moved_long_ago(orders: Orders, order_id: str, now: datetime) -> bool:
    return now - orders.whole_history(order_id)[-1].at > PATIENCE


def _waited(orders: Orders, order_id: str, now: datetime) -> bool:
    """Nothing was asked of the provider for a while, nor told by it."""
    asked = [fact.at for fact in orders.whole_history(order_id) if isinstance(fact.event, MONEY)]
    return now - max(asked, default=now) > PATIENCE


REPAIRS: dict[str, Callable[[Repair, Order, frozenset[str], datetime], bool]] = {
    "resumed": _resume,
    "woken": _wake,
    "settled": _settle,
    "stocked": _settle_stock,
    "released": _release,
    "returns_resumed": _resume_returns,
    "returns_woken": _wake_returns,
}
