"""The workflows beside the tables: what is open has an execution, what is over has none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain.books.difference import Difference
from oms.domain.order import Fact, Order, OrderStatus
from oms.domain.returns import waits as returns
from oms.domain.waits import has_business

ATTENDED = "an open order has an execution"
NEEDED = "an execution has an open order"
IGNORED = "ignore"
GRACE = timedelta(minutes=5)  # a first execution is on its way, or a last one about to end


def needs_workflow(order: Order) -> bool:
    """Open orders, and cancelled ones whose stock is not all given back."""
    if order.status is OrderStatus.COMPLETED:
        return False
    if order.is_final:
        return bool(order.owed_stock or order.routing_plan)
    return bool(order.attention) or order.resolution != IGNORED


def attended(order: Order) -> Iterator[str]:
    """Ids of what must have an execution: the order, and those of its returns."""
    if needs_workflow(order):
        yield order.order_id
    yield from (each.return_id for each in order.returns if returns.needs_workflow(each))


class Due(StrEnum):
    """Whether an execution must run, may, as money or stock is still on its way, or must not."""

    MUST = "must"
    MAY = "may"
    MUST_NOT = "must not"


def due_of(order: Order | None, identity: str) -> Due:
    if order is None:
        return Due.MUST_NOT
    if identity in attended(order):
        return Due.MUST
    return Due.MAY if has_business(order) else Due.MUST_NOT


def unattended(identity: str, due: Due, *, running: bool) -> Iterator[Difference]:
    if due is Due.MUST and not running:
        yield Difference(identity, ATTENDED, 1, 0)
    if running and due is Due.MUST_NOT:
        yield Difference(identity, NEEDED, 0, 1)


def is_settled(facts: tuple[Fact, ...], at: datetime) -> bool:
    """Nothing has happened to it for so long that its workflow has had time to follow."""
    return not facts or at - facts[-1].at > GRACE
