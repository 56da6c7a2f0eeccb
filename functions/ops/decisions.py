"""What a person decides about an order that cannot go on by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oms.domain import commands as c
from oms.domain.order import Order
from oms.domain.payment import OperationKind, OperationStatus

IGNORED = "ignore"
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
    settle: Callable[[str], Order]


def retry(desk: Desk, order_id: str, *, at: datetime, actor: str) -> Order:
    """Let the order try again, its failed payment operations too; start it if it stands still."""
    order = desk.orders.get(order_id)
    for operation_id in _failed(order):
        command = c.RetryPaymentOperation(operation_id)
        order = desk.orders.change(order_id, command, at=at, actor=actor)
    if order.resolution == IGNORED and not order.attention:
        order = desk.orders.change(order_id, c.RaiseAttention(REOPENED), at=at, actor=actor)
    order = desk.orders.change(order_id, c.ResolveAttention("retry"), at=at, actor=actor)
    if order.payment.unsettled:
        order = desk.settle(order_id)
    return _resumed(desk, order)


def cancel(desk: Desk, order_id: str, reason: str, *, at: datetime, actor: str) -> Order:
    """Cancel what has not left; what has left goes on to its buyer."""
    command = c.CancelOrder(reason or "cancelled by staff")
    order = desk.orders.change(order_id, command, at=at, actor=actor)
    order = desk.orders.change(order_id, c.ResolveAttention("retry"), at=at, actor=actor)
    return _resumed(desk, order)


def ignore(desk: Desk, order_id: str, *, at: datetime, actor: str) -> Order:
    """Leave the order as it is; its workflow ends and the reconciler does not start it again."""
    return desk.orders.change(order_id, c.ResolveAttention(IGNORED), at=at, actor=actor)


def _failed(order: Order) -> list[str]:
    """A refused authorization is the buyer's bank's last word; the rest may be asked again."""
    return [
        operation.operation_id
        for operation in order.payment.operations
        if operation.status is OperationStatus.FAILED
        and operation.kind is not OperationKind.AUTHORIZE
    ]


def _resumed(desk: Desk, order: Order) -> Order:
    desk.executions.resume(order.order_id)
    return order
