"""Have an order screened, once, between its authorization and its routing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oms.adapters.orders_table import OrdersTable
from oms.adapters.policies_table import PoliciesTable
from oms.adapters.screening import SCREENERS
from oms.adapters.screening.base import NoVerdict, Screener
from oms.domain import commands as c
from oms.domain.order import Order
from oms.domain.screening import HoldPolicy, OrderFacts, Verdict, VerdictKind

NOBODY = "none"
ACTOR = "system"


def screened(
    orders: OrdersTable,
    order: Order,
    policies: PoliciesTable,
    *,
    at: datetime,
    screeners: Mapping[str, Screener] = SCREENERS,
) -> Order:
    """The order with what follows from its verdict. Where the policy names no screener, nothing is
    asked or written."""
    screening = policies.current("holds", HoldPolicy)[0].screening
    if screening.provider == NOBODY or order.verdict is not None or _is_under_way(order):
        return order
    verdict = _verdict(screening.provider, screeners, facts_of(order))
    command = c.RecordVerdict(verdict, screening)
    return orders.change(order.order_id, command, at=at, actor=ACTOR, seen=order)


def facts_of(order: Order) -> OrderFacts:
    """What is known of it without its vault."""
    return OrderFacts(
        total=order.total,
        currency=order.currency,
        channel=order.channel,
        provider=order.payment.provider,
        placed_at=order.placed_at,
        country=order.destination.country,
        billing_country=order.billing_country,
        tags=order.tags,
        risk=order.risk,
        order_id=order.order_id,
    )


def _is_under_way(order: Order) -> bool:
    """Somebody works on it already, or it waits for stock: it was let go before."""
    return bool(order.fulfillment_orders or order.backorders or order.is_final)


def _verdict(provider: str, screeners: Mapping[str, Screener], facts: OrderFacts) -> Verdict:
    try:
        return screeners[provider].screen(facts)
    except (NoVerdict, KeyError):
        return Verdict(provider, VerdictKind.UNAVAILABLE)
