"""What is done about a task: looked at again, mended by its proposal, dismissed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from functions.books.auditor import Auditor, identity_of, level_found
from functions.books.credit_books import PAID_OUT
from oms.adapters.books_table import Tasks
from oms.adapters.item_books import ItemBooks
from oms.domain.books import orders, proposals
from oms.domain.books.tasks import Found, Task
from oms.domain.errors import Refused
from oms.domain.inventory import (
    AdjustmentReason,
    DuplicateMovement,
    MovementKind,
    StockChange,
    StockItemChange,
)
from oms.domain.order import Fact, Order

Fields = Mapping[str, str | int]


class OnlyByHand(Refused):
    def __init__(self, words: str) -> None:
        super().__init__(f"only a person can mend it: {words}")


class Rows(Protocol):
    def write_snapshot(self, order: Order, read: Order) -> None: ...
    def tell_again(self, order_id: str, seq: int) -> None: ...


class Orders(Protocol):
    def get(self, order_id: str) -> Order: ...
    def whole_history(self, order_id: str) -> tuple[Fact, ...]: ...


class Stock(Protocol):
    def apply(self, change: StockChange) -> None: ...


class Executions(Protocol):
    @property
    def workflow(self) -> Any: ...
    def resume(self, order_id: str) -> bool: ...


@dataclass(frozen=True)
class Mender:
    tasks: Tasks
    auditor: Auditor
    orders: Orders
    rows: Rows
    items: ItemBooks
    stock: Stock
    executions: Executions
    returns: Executions
    clock: Callable[[], datetime]

    def apply(self, task_id: str, actor: str) -> Task:
        """Do what is proposed, if the difference is still there. What only shows later, as an
        event that was told again, is in hand until it is gone."""
        task = self.recheck(self.tasks.get(task_id))
        if not task.is_open:
            return task
        command = COMMANDS.get(task.proposal.command)
        if command is None or task.kind not in LOOKS:
            raise OnlyByHand(task.proposal.words)
        command(self, task, actor)
        words = task.proposal.words
        if self.look(task) is None:
            return self.tasks.change(task_id, lambda now: now.resolved(actor, words))
        return self.tasks.change(task_id, lambda now: _in_hand(now, actor, words))

    def recheck(self, task: Task) -> Task:
        """As it is now: gone, or with the figures and the proposal of this moment."""
        if not task.is_open or task.kind not in LOOKS:
            return task
        if (found := self.look(task)) is None:
            return self.tasks.gone(task.task_id, self.clock())
        return self.tasks.found(found, self.clock())

    def look(self, task: Task) -> Found | None:
        found = LOOKS[task.kind](self.auditor, task)
        return next((each for each in found if each.task_id == task.task_id), None)


def _in_hand(task: Task, actor: str, words: str) -> Task:
    return task.accepted(actor, words) if task.is_open else task


def _order(auditor: Auditor, task: Task) -> list[Found]:
    return auditor.order(str(task.proposal.fields["order_id"]))


def _level(auditor: Auditor, task: Task) -> list[Found]:
    book = auditor.items.read(str(task.proposal.fields["sku"]))
    return [each for balance in book.balances for each in level_found(balance)]


def _reservation(auditor: Auditor, task: Task) -> list[Found]:
    said = task.proposal.fields
    whose = [(str(said["location"]), str(said["reservation"]))]
    return auditor.reservations(str(said["sku"]), whose)


def _account(auditor: Auditor, task: Task) -> list[Found]:
    """What was paid out and asked for by no order, only a check of all orders can tell."""
    if task.rule == PAID_OUT:
        return [Found(*(getattr(task, name) for name in Found.__slots__))]
    return auditor.account(str(task.proposal.fields["account_id"]))


def _execution(auditor: Auditor, task: Task) -> list[Found]:
    name = str(task.proposal.fields["id"])
    by_name = auditor.execution(name)
    identity = identity_of(name)
    return by_name if identity == name else [*by_name, *auditor.execution(identity)]


LOOKS: Mapping[str, Callable[[Auditor, Task], list[Found]]] = {
    proposals.ORDER: _order,
    proposals.OUTBOX: _order,
    proposals.STOCK: _level,
    proposals.RESERVATION: _reservation,
    proposals.CREDIT: _account,
    proposals.WORKFLOW: _execution,
}


def _rebuild(mender: Mender, task: Task, actor: str) -> None:  # noqa: ARG001
    order_id = str(task.proposal.fields["order_id"])
    read, facts = mender.orders.get(order_id), mender.orders.whole_history(order_id)
    if (order := orders.rebuilt(read, facts)) is not None:
        mender.rows.write_snapshot(order, read)


def _set_level(mender: Mender, task: Task, actor: str) -> None:
    said = task.proposal.fields
    place = str(said["sku"]), str(said["location"])
    mender.items.restore(*place, _cause(task), at=task.found_at, actor=actor)


def _release(mender: Mender, task: Task, actor: str) -> None:
    _move(mender, task, actor, MovementKind.RELEASED)


def _allocate(mender: Mender, task: Task, actor: str) -> None:
    _move(mender, task, actor, MovementKind.ALLOCATED)


def _move(mender: Mender, task: Task, actor: str, kind: MovementKind) -> None:
    """Of two who apply the same figures, one moves units."""
    said = task.proposal.fields
    item = StockItemChange(
        str(said["sku"]), str(said["location"]), int(said["units"]), str(said["reservation"])
    )
    reason = AdjustmentReason.CORRECTION.value
    change = StockChange(kind, _cause(task), task.found_at, (item,), reason, actor=actor)
    try:
        mender.stock.apply(change)
    except DuplicateMovement:
        return


def _tell_again(mender: Mender, task: Task, actor: str) -> None:  # noqa: ARG001
    said = task.proposal.fields
    mender.rows.tell_again(str(said["order_id"]), int(said["seq"]))


def _start(mender: Mender, task: Task, actor: str) -> None:  # noqa: ARG001
    identity = identity_of(str(task.proposal.fields["id"]))
    _machine(mender, identity).resume(identity)


def _stop(mender: Mender, task: Task, actor: str) -> None:
    name = str(task.proposal.fields["id"])
    _machine(mender, name).workflow.stop(name, f"{task.task_id}: nothing waits for it ({actor})")


def _machine(mender: Mender, identity: str) -> Executions:
    return mender.returns if identity.startswith("ret_") else mender.executions


def _cause(task: Task) -> str:
    """With when it was found: the same figures are moved once, until it is found anew."""
    return f"{task.task_id}-{task.expected}-{task.actual}"


COMMANDS: Mapping[str, Callable[[Mender, Task, str], None]] = {
    proposals.REBUILD: _rebuild,
    proposals.SET_LEVEL: _set_level,
    proposals.RELEASE: _release,
    proposals.ALLOCATE: _allocate,
    proposals.REPUBLISH: _tell_again,
    proposals.START: _start,
    proposals.STOP: _stop,
}
