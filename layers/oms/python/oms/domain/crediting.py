"""What of the money that was taken can still be given back."""

from __future__ import annotations

from oms.domain.order.model import Order
from oms.domain.payment import OperationKind
from oms.domain.refunds import CreditKind


def creditable(order: Order) -> int:
    """Beside what was asked for, and what is promised and has not been asked for."""
    promised = sum(max(0, order.uncredited(each.credit_id)) for each in order.credits)
    left = order.payment.refundable - promised - order.owed(OperationKind.REFUND)
    return max(0, left)


def goodwill(order: Order) -> int:
    """What was granted of it so far, in minor units."""
    return sum(each.amount for each in order.credits if each.kind is CreditKind.GOODWILL)
