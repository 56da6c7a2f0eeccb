"""What is given for returned goods, as soon as the terms of the return say so."""

from __future__ import annotations

from oms.domain import events as e
from oms.domain.order import Order


def settled(order: Order, return_id: str) -> tuple[e.Event, ...]:
    """What the return's newest facts make due, seen from the order after them."""
    order.return_(return_id)
    return ()
