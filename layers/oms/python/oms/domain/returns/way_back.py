"""Where goods go back to, and whether they need a label for it."""

from __future__ import annotations

from collections import Counter

from oms.domain.order.model import Order
from oms.domain.returns.model import Return, ReturnStatus

_COMING = (ReturnStatus.APPROVED, ReturnStatus.IN_TRANSIT, ReturnStatus.PARTIALLY_RECEIVED)


def needs_no_label(found: Return) -> str:
    """Why; empty where it needs one."""
    if found.terms.keep:
        return "nothing has to come back"
    if found.in_store:
        return "it is handed over a counter"
    return "" if found.status in _COMING else "nothing is awaited"


def goes_back_to(order: Order, found: Return) -> str:
    """The location that most of its units were shipped from, the first of equals."""
    units: Counter[str] = Counter()
    for each in order.fulfillment_orders:
        units[each.location_id] += sum(each.quantity(line.line_id) for line in found.lines)
    return max(units, key=lambda location_id: units[location_id], default="")
