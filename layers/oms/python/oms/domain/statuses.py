"""The derived statuses: computed from quantities and money, never written."""

from __future__ import annotations

from oms.domain.fulfillment import FulfillmentStatus
from oms.domain.order import Order
from oms.domain.payment import OperationStatus


def payment_status(order: Order) -> str:
    """What a dispute has cost us went back to the buyer, as what was refunded did."""
    payment = order.payment
    if payment.is_disputed:
        return "disputed"
    if is_overpaid(order):
        return "overpaid"
    if back := payment.refunded + payment.lost:
        return "refunded" if back >= payment.captured else "partially_refunded"
    if payment.captured:
        return "paid" if payment.captured >= order.payable else "partially_paid"
    return _authorized(order) if payment.authorized else _before_authorization(order)


def is_overpaid(order: Order) -> bool:
    """More was taken than is due, and nothing is under way that gives it back."""
    payment = order.payment
    kept = payment.captured - payment.refunded - payment.lost
    return kept > order.payable and not payment.unsettled


def _authorized(order: Order) -> str:
    payment = order.payment
    if payment.voided >= payment.authorized:
        return "voided"
    return "authorized" if order.is_paid_for else "partially_authorized"


def _before_authorization(order: Order) -> str:
    states = {operation.status for operation in order.payment.authorizations}
    if not states:
        return "paid" if order.total == 0 else "unpaid"
    if OperationStatus.FAILED in states:
        return "declined"
    waiting = {OperationStatus.PENDING, OperationStatus.UNKNOWN}
    return "pending" if states & waiting else "unpaid"


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
    """Of what is not cancelled; units are returned once something was given for them."""
    kept = sum(line.quantity - line.cancelled for line in order.lines)
    returned = sum(line.returned for line in order.lines)
    if returned:
        return "returned" if returned >= kept else "partially_returned"
    return "requested" if any(each.is_open for each in order.returns) else "none"
