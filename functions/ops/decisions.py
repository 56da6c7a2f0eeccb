"""What a person decides about an order that cannot go on by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oms.domain import commands as c
from oms.domain.ids import order_of_return
from oms.domain.order import Order
from oms.domain.returns.waits import needs_workflow

IGNORED, RETRY = "ignore", "retry"
REOPENED = "reopened by staff"


class Orders(Protocol):
    def get(self, order_id: str) -> Order: ...
    def change(self, order_id: str, command: c.Command, *, at: datetime, actor: str) -> Order: ...


class Executions(Protocol):
    def resume(self, order_id: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Desk:
    orders: Orders
    executions: Executions
    returns: Executions
    settle: Callable[[str], Order]


def retry(desk: Desk, order_id: str, *, at: datetime, actor: str) -> Order:
    """Let the order try again, its failed payment operations too; start it if it stands still."""
    order = desk.orders.get(order_id)
    for operation_id in _failed(order):
        command = c.RetryPaymentOperation(operation_id)
        order = desk.orders.change(order_id, command, at=at, actor=actor)
    if order.resolution == IGNORED and not order.attention:
        order = desk.orders.change(order_id, c.RaiseAttention(REOPENED), at=at, actor=actor)
    order = desk.orders.change(order_id, c.ResolveAttention(RETRY), at=at, actor=actor)
    if order.payment.unsettled:
        order = desk.settle(order_id)
    return _resumed(desk, order)


def cancel(desk: Desk, order_id: str, reason: str, *, at: datetime, actor: str) -> Order:
    """Cancel what has not left; what has left goes on to its buyer."""
    command = c.CancelOrder(reason or "cancelled by staff")
    order = desk.orders.change(order_id, command, at=at, actor=actor)
    order = desk.orders.change(order_id, c.ResolveAttention(RETRY), at=at, actor=actor)
    return _resumed(desk, order)


def ignore(desk: Desk, order_id: str, *, at: datetime, actor: str) -> Order:
    """Leave the order as it is; its workflow ends and the reconciler does not start it again."""
    return desk.orders.change(order_id, c.ResolveAttention(IGNORED), at=at, actor=actor)


def retry_return(desk: Desk, return_id: str, *, at: datetime, actor: str) -> Order:
    """Let the return try again from where it is; start it if it stands still."""
    order_id = order_of_return(return_id)
    found = desk.orders.get(order_id).return_(return_id)
    if found.decision == IGNORED and not found.attention:
        command = c.RaiseAttention(REOPENED, return_id)
        desk.orders.change(order_id, command, at=at, actor=actor)
    order = desk.orders.change(order_id, c.ResolveAttention(RETRY, return_id), at=at, actor=actor)
    if needs_workflow(order.return_(return_id)):
        desk.returns.resume(return_id)
    return order


def cancel_return(desk: Desk, return_id: str, reason: str, *, at: datetime, actor: str) -> Order:
    """Call it off, while nothing was handed over or paid for."""
    order_id = order_of_return(return_id)
    command = c.CancelReturn(return_id, reason or "cancelled by staff")
    desk.orders.change(order_id, command, at=at, actor=actor)
    return desk.orders.change(order_id, c.ResolveAttention(RETRY, return_id), at=at, actor=actor)


def ignore_return(desk: Desk, return_id: str, *, at: datetime, actor: str) -> Order:
    command = c.ResolveAttention(IGNORED, return_id)
    return desk.orders.change(order_of_return(return_id), command, at=at, actor=actor)


def _failed(order: Order) -> list[str]:
    return [operation.operation_id for operation in order.unresolved]


def _resumed(desk: Desk, order: Order) -> Order:
    desk.executions.resume(order.order_id)
    return order
