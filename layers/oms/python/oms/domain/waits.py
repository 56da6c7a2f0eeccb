"""What a workflow can wait for, and when its wait is over.

`outcome` is asked twice: when the workflow comes to wait (it may have happened already), and
after every change of the order (it may have happened now). So no wake-up is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationStatus

_OVER = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


class Wait(StrEnum):
    PAYMENT = "payment"
    RELEASE = "release"
    STOCK = "stock"
    FULFILLMENT = "fulfillment"
    ATTENTION = "attention"


def outcome(order: Order, wait: Wait, at: datetime | None = None) -> str | None:
    """How the wait ended, or None while it goes on; by that time, where it ends by itself."""
    if at is not None and order.deferred_until is not None and order.deferred_until <= at:
        order = replace(order, deferred_until=None)
    if wait is Wait.ATTENTION:  # a cancelled order may need it too: its refund may have failed
        return _attention(order)
    if order.status in _OVER:
        return "cancelled"
    return _OUTCOMES[wait](order)


def is_awaited(order: Order, wait: Wait) -> bool:
    """Whether a workflow may stand in this wait now. Authorizing is no wait until it is pending."""
    if wait is Wait.PAYMENT and _payment_state(order) != "payment_pending":
        return False
    return outcome(order, wait) is None


def prepared(order: Order) -> str | None:
    """Why an order cannot be prepared any further now; None when it can."""
    if order.status in _OVER:
        return "cancelled"
    if order.status is OrderStatus.COMPLETED:
        return "completed"
    if order.attention:
        return "attention"
    return _payment_state(order)


def _payment_state(order: Order) -> str | None:
    if order.is_paid_for:
        return None
    authorization = order.payment.authorization
    if authorization is None or authorization.status is OperationStatus.FAILED:
        return "declined"
    if authorization.status is OperationStatus.PENDING:
        return "payment_pending"
    return None


def _payment(order: Order) -> str | None:
    if order.is_paid_for:
        return "authorized"
    return "declined" if _payment_state(order) == "declined" else None


def _release(order: Order) -> str | None:
    return None if order.active_holds else "released"


def waits_for_supply(order: Order) -> bool:
    """For stock that somebody must bring first, or for its turn at what is scarce. Its other
    units wait with those, unless they were routed ahead."""
    return order.is_backordered or order.is_deferred


def place_to_wait(order: Order) -> str:
    """What a step that has nothing more to route says: wait with the locations that have some of
    the order (`routed`), or for stock (`backordered`)."""
    return "backordered" if waits_for_supply(order) and not order.is_under_way else "routed"


def _stock(order: Order) -> str | None:
    return None if place_to_wait(order) == "backordered" else "released"


def _fulfillment(order: Order) -> str | None:
    if order.status is OrderStatus.COMPLETED:
        return "done"
    if order.attention:
        return "attention"
    if waits_for_supply(order):
        return None if order.is_under_way else "remainder"
    return "remainder" if any(line.open for line in order.lines) else None


def _attention(order: Order) -> str | None:
    if order.attention:
        return None
    return "cancel" if order.status in _OVER else order.resolution or "retry"


_OUTCOMES: dict[Wait, Callable[[Order], str | None]] = {
    Wait.PAYMENT: _payment,
    Wait.RELEASE: _release,
    Wait.STOCK: _stock,
    Wait.FULFILLMENT: _fulfillment,
}


def has_business(order: Order) -> bool:
    """Whether something is still to happen: also a final order's money or stock on its way."""
    return not order.is_final or unfinished_business(order)


def unfinished_business(order: Order) -> bool:
    """A final order whose money or stock is still on its way."""
    return bool(
        order.payment.unsettled or order.unresolved or order.owed_stock or order.routing_plan
    )
