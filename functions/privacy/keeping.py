"""What goes by itself: contacts some time after their order is over, exports, kept invoices."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from oms.adapters.event_log import Segment
from oms.adapters.files import Files
from oms.adapters.order_reader import OrderReader
from oms.adapters.person_rows import PersonRows
from oms.domain.order import Order
from oms.domain.privacy import PrivacyPolicy

ENDING = frozenset(
    {
        *("OrderCompleted", "OrderCancelled"),
        *("ReturnCompleted", "ReturnCancelled", "ReturnDeclined", "ReturnExpired"),
    }
)
DATED = ("exports", "retained")  # folders whose files begin with the day that ends them
READER = "retention"


def forgetting(
    rows: PersonRows, orders: OrderReader, policy: PrivacyPolicy
) -> Callable[[Segment, list[dict[str, Any]]], None]:
    """Of each order that has ended in the segment: its contacts go when the policy says."""

    def take(segment: Segment, envelopes: list[dict[str, Any]]) -> None:  # noqa: ARG001
        ended = ended_at(envelopes)
        for order in orders.many(ended).values():
            if is_over(order):
                until = policy.contact_until(ended[order.order_id])
                rows.forget_later(order.customer_id, order.order_id, until)

    return take


def ended_at(envelopes: Iterable[dict[str, Any]]) -> dict[str, datetime]:
    """When an order, or a return of it, has last ended."""
    found: dict[str, datetime] = {}
    for each in envelopes:
        if each["type"] in ENDING:
            order_id, at = each["order_id"], datetime.fromisoformat(each["at"])
            found[order_id] = max(at, found.get(order_id, at))
    return found


def is_over(order: Order) -> bool:
    """What goes on ends later, and is told then."""
    return order.is_final and not any(each.is_open for each in order.returns)


def delete_due(shelf: Files, today: str, is_late: Callable[[], bool]) -> int:
    """The files whose day has come, oldest first; whoever comes again goes on."""
    deleted = 0
    for folder in DATED:
        for name, _ in shelf.named(f"{folder}/"):
            if is_late() or name.split("/")[1] > today:
                break
            shelf.remove(name)
            deleted += 1
    return deleted
