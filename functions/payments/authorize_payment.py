"""Step of the order workflow: reserve the money, or say why not; then have the order screened, if
the policy names a screener. Asked again, it answers the same.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from oms.adapters.orders_table import orders_table
from oms.adapters.payments import BY_HAND, SETTINGS
from oms.adapters.payments.settling import settle
from oms.adapters.policies_table import policies_table
from oms.adapters.screening.asking import screened
from oms.domain.order import Order
from oms.domain.payment import OperationStatus
from oms.domain.waits import prepared
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE", "STOCK_TABLE", *SETTINGS)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    order_id = event["order_id"]
    orders, at = orders_table(with_stock=True), datetime.now(UTC)
    order = settle(orders, order_id, at=at)
    if prepared(order) is None:
        order = screened(orders, order, policies_table(), at=at)
    return {"outcome": _outcome(order), "order_id": order_id}


def _outcome(order: Order) -> str:
    """A transfer takes days: it is waited for longer than a buyer who is at the bank's page."""
    said = prepared(order) or "authorized"
    return "transfer_pending" if said == "payment_pending" and _by_hand(order) else said


def _by_hand(order: Order) -> bool:
    payment = order.payment
    pending = (o for o in payment.first_authorizations if o.status is OperationStatus.PENDING)
    return all(payment.provider_of(each) in BY_HAND for each in pending)
