"""The derived statuses: computed from quantities and money, never written."""

from __future__ import annotations

from oms.domain.fulfillment import FulfillmentStatus
from oms.domain.order import Order
from oms.domain.payment import OperationStatus


def payment_status(order: Order) -> str:
    payment = order.payment
    if payment.refunded:
        return "refunded" if payment.refunded >= payment.captured else "partially_refunded"
    if payment.captured:
        return "paid" if payment.captured >= order.payable else "partially_paid"
    if payment.authorized:
        return "voided" if payment.voided >= payment.authorized else "authorized"
    return _before_authorization(order)


def _before_authorization(order: Order) -> str:
    authorization = order.payment.authorization
    if authorization is None:
        return "paid" if order.total == 0 else "unpaid"
    if authorization.status is OperationStatus.FAILED:
        return "declined"
    waiting = (OperationStatus.PENDING, OperationStatus.UNKNOWN)
    return "pending" if authorization.status in waiting else "unpaid"


def fulfillment_status(order: Order) -> str:
    kept = sum(line.quantity - line.cancelled for line in order.lines)
    delivered = sum(line.delivered for line in order.lines)
    dispatched = sum(line.dispatched for line in order.lines)
    allocated = sum(line.allocated for line in order.lines)
    backordered = sum(line.backordered for line in order.lines)
    ready = _ready_for_pickup(order)
    if ready and ready + delivered == kept:
        return "ready_for_pickup"
    if delivered:
        return "delivered" if delivered == kept else "partially_delivered"
    if dispatched:
        return "shipped" if dispatched == kept else "partially_shipped"
    if allocated:
        return "allocated" if allocated == kept else "partially_allocated"
    return "backordered" if backordered else "unallocated"


def _ready_for_pickup(order: Order) -> int:
    return sum(
        quantity.quantity
        for each in order.fulfillment_orders
        if each.status is FulfillmentStatus.READY_FOR_PICKUP
        for quantity in each.lines
    )


def return_status(order: Order) -> str:
    """No unit has come back: returns are recorded apart from the order's own quantities."""
    return "none"
