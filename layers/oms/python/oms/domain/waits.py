"""What a workflow can wait for, and when its wait is over.

`outcome` is asked twice: when the workflow comes to wait (it may have happened already), and
after every change of the order (it may have happened now). So no wake-up is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from oms.domain.holds import HoldStep
from oms.domain.order import Order, OrderStatus
from oms.domain.payment import OperationStatus
from oms.domain.returns.waits import needs_workflow

_OVER = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


class Wait(StrEnum):
    PAYMENT = "payment"
    TRANSFER = "transfer"  # a payment that takes days
    RELEASE = "release"
    STOCK = "stock"
    FULFILLMENT = "fulfillment"
    ATTENTION = "attention"


_PAYMENTS = (Wait.PAYMENT, Wait.TRANSFER)


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
    if wait in _PAYMENTS and _payment_state(order) != "payment_pending":
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
    """Every part of a split tender is needed. Money that was there once and is not any more, as an
    authorization has ended, is a person's business: nothing is cancelled for it."""
    if order.is_paid_for:
        return None
    if _was_paid_for(order):
        return "on_hold"
    states = {operation.status for operation in order.payment.first_authorizations}
    if OperationStatus.FAILED in states or states <= {OperationStatus.SUCCEEDED}:
        return "declined"  # also when less was authorized than was asked for
    return "payment_pending" if OperationStatus.PENDING in states else None


def _was_paid_for(order: Order) -> bool:
    if order.status is not OrderStatus.PLACED:
        return True
    first = order.payment.first_authorizations
    authorized = [o for o in first if o.status is OperationStatus.SUCCEEDED]
    later = bool(order.edits) or len(first) < len(order.payment.authorizations)
    enough = sum(o.amount for o in authorized) >= order.total
    return bool(first) and len(authorized) == len(first) and (later or enough)


def _payment(order: Order) -> str | None:
    if order.is_paid_for:
        return "authorized"
    return "declined" if _payment_state(order) == "declined" else None


def _release(order: Order) -> str | None:
    """Money that is missing keeps it waiting, whoever has released it."""
    held = order.held_from(HoldStep.ROUTING) or _payment_state(order) == "on_hold"
    over = order.status is OrderStatus.COMPLETED  # nothing is left that is held
    return None if held and not over else "released"


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
    Wait.TRANSFER: _payment,
    Wait.RELEASE: _release,
    Wait.STOCK: _stock,
    Wait.FULFILLMENT: _fulfillment,
}


def has_business(order: Order) -> bool:
    """Whether something is still to happen: also a final order's money or stock on its way."""
    return not order.is_final or unfinished_business(order)


def unfinished_business(order: Order) -> bool:
    """A final order whose money or stock is still on its way, or some of whose goods come back."""
    on_the_way = (
        order.payment.unsettled or order.unresolved or order.owed_stock or order.routing_plan
    )
    return bool(on_the_way) or any(map(needs_workflow, order.returns))
