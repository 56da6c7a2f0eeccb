"""What a shop is to be told: of which facts of its orders, in which order, and how often.

A task is named after the fact that it tells of, so an event that comes twice is one task; that of
a stock level is named after the SKU, so there is one for all that happens to it in a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain import events as e
from oms.domain.errors import NotFound
from oms.domain.fulfillment import Quantity, quantities, totals
from oms.domain.order import Fact, Order
from oms.domain.payment import OperationKind
from oms.domain.refunds import Credit, PartKind
from oms.domain.shops import Shop, Told

LOOK_BACK = timedelta(hours=1)  # events come in another order than they happened, or not at all
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
TRIED_FOR = timedelta(days=3)
STOCK_WINDOW = 60  # seconds
LONGEST_WINDOW = 3600
PAID_THERE = "external"  # the provider of money that the shop itself has taken
GIVEN_UP = "given up: "  # what an error begins with that was no refusal
BETWEEN = "~"  # in a task's id; no shop has it in its name

Cancelling = e.OrderCancelled | e.OrderLinesCancelled | e.OrderEdited


class TaskKind(StrEnum):
    FULFILLMENT = "fulfillment"
    CANCELLATION = "cancellation"
    REFUND = "refund"
    STOCK = "stock"


class TaskState(StrEnum):
    WAITING = "waiting"
    FAILED = "failed"
    DONE = "done"


TOLD = {
    TaskKind.FULFILLMENT: Told.FULFILLMENTS,
    TaskKind.CANCELLATION: Told.CANCELLATIONS,
    TaskKind.REFUND: Told.REFUNDS,
    TaskKind.STOCK: Told.STOCK,
}


@dataclass(frozen=True, slots=True)
class Task:
    """`seq` is that of the fact it tells of, `part` the number of its parcel, from 1; or it is of a
    `sku`. `since`: when it was queued, or driven again; tries count from then. `claimed`: a stock
    level is being read; whatever changes from now on is a task again. `alarmed`: somebody was
    woken since it was last done. `reference` is the shop's.
    """

    shop: str
    kind: TaskKind
    since: datetime
    due_at: datetime
    order_id: str = ""
    seq: int = 0
    part: int = 0
    sku: str = ""
    state: TaskState = TaskState.WAITING
    tries: int = 0
    error: str = ""
    reference: str = ""
    finished_at: datetime | None = None
    claimed: bool = False
    alarmed: bool = False

    @property
    def key(self) -> str:
        """Under which the shop is asked; those of an order sort as its facts do."""
        if self.kind is TaskKind.STOCK:
            return f"{TaskKind.STOCK}.{self.sku}"
        return f"{self.order_id}.{self.seq:06d}.{self.kind}.{self.part:03d}"

    @property
    def task_id(self) -> str:
        return self.shop + BETWEEN + self.key

    def is_due(self, now: datetime) -> bool:
        return self.state is TaskState.WAITING and self.due_at <= now


def shop_and_key(task_id: str) -> tuple[str, str]:
    shop, between, key = task_id.partition(BETWEEN)
    if not (shop and between and key):
        raise NotFound("task", task_id)
    return shop, key


def actor_of(shop: str) -> str:
    """Who has done what the shop said."""
    return f"channel:{shop}"


def stock_window(shop: Shop) -> timedelta:
    """A level is told at most once in so long."""
    said = dict(shop.settings).get("stock_window", "")
    seconds = int(said) if said.isdecimal() else STOCK_WINDOW
    return timedelta(seconds=min(seconds, LONGEST_WINDOW))


def next_try(task: Task, now: datetime, jitter: float, after_seconds: int = 0) -> datetime | None:
    """After another failure: at least when the shop says, else later each time; None, when it was
    tried for long enough. `jitter` is between 0 and 1."""
    if now - task.since >= TRIED_FOR:
        return None
    if after_seconds:
        return now + timedelta(seconds=after_seconds)
    doubled = FIRST_PAUSE.total_seconds() * 2.0 ** min(task.tries, 16)
    pause = min(doubled, LONGEST_PAUSE.total_seconds())
    return now + timedelta(seconds=pause * (0.5 + jitter / 2))


def tasks_of(
    shop: Shop, order: Order, facts: Sequence[Fact], seq: int, now: datetime
) -> list[Task]:
    """What the shop is to be told of this fact and of those shortly before it, oldest first.

    `facts` are all of the order. What the shop said itself is not told back to it, nor what
    followed from it; an order that brings what an exchange is for is not one of the shop's.
    """
    if order.linked_to:
        return []
    newest = next(fact.at for fact in facts if fact.seq == seq)
    recent = (fact for fact in facts if fact.seq <= seq and fact.at >= newest - LOOK_BACK)
    return [
        Task(shop.name, kind, now, now, order.order_id, fact.seq, part)
        for fact in recent
        if fact.actor != actor_of(shop.name)
        for kind, part in _parts(fact.event, order)
        if TOLD[kind] in shop.told and not _follows(shop, kind, fact, facts)
    ]


ONE = 1


def _parts(event: object, order: Order) -> Iterable[tuple[TaskKind, int]]:
    match event:
        case e.FulfillmentOrderShipped(parcels=parcels):
            return [(TaskKind.FULFILLMENT, number) for number in range(1, len(parcels) + 1)]
        case e.FulfillmentOrderCollected(fulfillment_order_id=identity):
            # what went to the store in parcels was told as they left
            sent = order.fulfillment_order(identity).parcels
            return [] if sent else [(TaskKind.FULFILLMENT, ONE)]
        case e.PaymentRefunded(operation_id=identity):
            moved_by = order.payment.provider_of(order.payment.operation(identity))
            return [(TaskKind.REFUND, ONE)] if moved_by == PAID_THERE else []
    return [(TaskKind.CANCELLATION, ONE)] if cancelled_units(event) else []


def _follows(shop: Shop, kind: TaskKind, fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether a refund follows from what the shop said."""
    if kind is not TaskKind.REFUND:
        return False
    asked = request_of(fact, facts)
    why = None if _cause(asked) else cancellation_before(asked, facts)
    return actor_of(shop.name) in (asked.actor, why.actor if why else "")


def request_of(refunded: Fact, facts: Sequence[Fact]) -> Fact:
    """The fact that asked for the refund."""
    identity = getattr(refunded.event, "operation_id", "")
    return next(
        fact
        for fact in facts
        if isinstance(fact.event, e.PaymentOperationRequested)
        and fact.event.operation.operation_id == identity
    )


def cancellation_before(asked: Fact, facts: Sequence[Fact]) -> Fact | None:
    """What called off the units that a refund without a credit is for."""
    before = (fact for fact in reversed(facts) if fact.seq < asked.seq)
    return next((fact for fact in before if cancelled_units(fact.event)), None)


def cancelled_units(event: object) -> tuple[Quantity, ...]:
    """By line."""
    if not isinstance(event, Cancelling):
        return ()
    return quantities(totals(Quantity(unit.line_id, unit.quantity) for unit in event.units))


def _cause(asked: Fact) -> str:
    assert isinstance(asked.event, e.PaymentOperationRequested)
    return asked.event.operation.cause


@dataclass(frozen=True, slots=True)
class Refund:
    """`units` are named with the first refund of those that are for them."""

    units: tuple[Quantity, ...]
    reason: str


def refund_of(refunded: Fact, facts: Sequence[Fact], order: Order) -> Refund:
    asked = request_of(refunded, facts)
    if credit := next((x for x in order.credits if x.credit_id == _cause(asked)), None):
        units = _credited(credit) if _is_first(asked, facts) else ()
        return Refund(units, credit.reason or credit.kind)
    why = cancellation_before(asked, facts)
    if why is None or why.at != asked.at:
        return Refund((), "")
    units = cancelled_units(why.event) if _is_first(asked, facts, why.seq) else ()
    return Refund(units, reason_of(why.event))


def reason_of(event: object) -> str:
    if isinstance(event, e.OrderEdited):
        return event.edit.reason
    return str(getattr(event, "reason", ""))


def _is_first(asked: Fact, facts: Sequence[Fact], since: int = 0) -> bool:
    """Of the refunds that were asked for with it."""
    earlier = (fact for fact in facts if since < fact.seq < asked.seq)
    asking = (x for x in earlier if isinstance(x.event, e.PaymentOperationRequested))
    return not any(_is_refund(x) and _cause(x) == _cause(asked) for x in asking)


def _is_refund(asked: Fact) -> bool:
    assert isinstance(asked.event, e.PaymentOperationRequested)
    return asked.event.operation.kind is OperationKind.REFUND


def _credited(credit: Credit) -> tuple[Quantity, ...]:
    priced = (part for part in credit.parts if part.kind is PartKind.PRICE)
    return quantities(totals(Quantity(part.line_id, part.quantity) for part in priced))
