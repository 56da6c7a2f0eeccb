"""How far a return is; one whose goods nobody has handed over in time expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from oms.adapters.orders_table import OrdersTable, orders_table
from oms.domain.commands import ExpireReturn
from oms.domain.ids import order_of_return
from oms.domain.returns.waits import hand_over_by, needs
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = ("ORDERS_TABLE",)
LONGEST = timedelta(days=300)  # that it is waited for at once; an execution lives for a year
LATE, ON_ITS_WAY = "late", "on_its_way"


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    return_id = event["return_id"]
    outcome, seconds = look(orders_table(), return_id, datetime.now(UTC))
    ids = {"order_id": order_of_return(return_id), "return_id": return_id}
    return {"outcome": outcome, "seconds": seconds, **ids}


def look(orders: OrdersTable, return_id: str, at: datetime) -> tuple[str, int]:
    """What it needs, and for how many seconds its goods can still be handed over, at least one."""
    order = orders.get(order_of_return(return_id))
    if needs(order, return_id, at) == LATE:
        order = orders.change(order.order_id, ExpireReturn(return_id), at=at, actor="system")
    found, left = needs(order, return_id, at), hand_over_by(order.return_(return_id)) - at
    seconds = max(1, ceil(min(left, LONGEST).total_seconds()))
    return ON_ITS_WAY if found == LATE else found, seconds  # what has not expired was handed over
