"""Lines that stock is lacking for: whose turn it is, since when, until when, not before when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from oms.domain.fulfillment import Quantity
from oms.domain.items import Backorders
from oms.domain.lines import Line
from oms.domain.order.model import Backordered, Order

MAX_QUEUES = 8  # lines for stock in which one order stands

Policies = Callable[[str], Backorders]  # of a stock item


def awaited_items(order: Order) -> tuple[str, ...]:
    """The stock items in whose lines the order stands: the first few of very many, then the next
    ones. It keeps its place while it is tried again, until it is routed."""
    items = {part.item for line in _waiting_lines(order) for part in line.parts}
    return tuple(sorted(items)[:MAX_QUEUES])


def is_tried_again(order: Order) -> bool:
    """Stock has come for it, and it has not been routed yet."""
    return not order.is_backordered and any(_waiting_lines(order))


def _waiting_lines(order: Order) -> Iterator[Line]:
    if order.is_backordered:
        return (line for line in order.lines if line.backordered)
    known = {each.line_id for each in order.backorders}
    return (line for line in order.lines if line.open and line.line_id in known)


def preordered(order: Order, at: datetime) -> frozenset[str]:
    """Ids of lines that are allocated to nobody yet: the day of their release has not begun."""
    return frozenset(each.line_id for each in _unreleased(order, at))


def preordered_items(order: Order, at: datetime) -> frozenset[str]:
    """Stock items that the order must not be given yet."""
    lines = (order.line(line_id) for line_id in preordered(order, at))
    return frozenset(part.item for line in lines for part in line.parts)


def next_release(order: Order, at: datetime) -> datetime | None:
    """When the first of its pre-ordered lines is released; None when no more is to come."""
    return min((day_begins(each.expected_on) for each in _unreleased(order, at)), default=None)


def _unreleased(order: Order, at: datetime) -> Iterator[Backordered]:
    for each in order.backorders:
        if each.preorder and each.expected_on and at < day_begins(each.expected_on):
            yield each


def still_expected(order: Order, at: datetime) -> bool:
    """The day by which something that it waits for should be there is not over."""
    return any(
        each.expected_on and at < day_begins(each.expected_on) + timedelta(days=1)
        for each in order.backorders
    )


def overdue_backorders(order: Order, at: datetime, policy: Policies) -> tuple[Quantity, ...]:
    """Units that have waited for as long as the policy of what they are made of allows."""
    return tuple(
        Quantity(line.line_id, line.backordered)
        for line, deadline in _deadlines(order, policy)
        if line.backordered and deadline <= at
    )


def backorder_deadline(order: Order, policy: Policies) -> datetime | None:
    """When the first of its lines will have waited too long; None: it may wait for ever."""
    return min((deadline for _, deadline in _deadlines(order, policy)), default=None)


def _deadlines(order: Order, policy: Policies) -> Iterator[tuple[Line, datetime]]:
    for each in order.backorders:
        line = order.line(each.line_id)
        limits = (policy(part.item).cancel_after_days for part in line.parts)
        days = min((limit for limit in limits if limit is not None), default=None)
        if days is not None:
            yield line, _counted_from(each) + timedelta(days=days)


def _counted_from(each: Backordered) -> datetime:
    """A pre-order waits from its release on, anything else since it was short."""
    if each.preorder and each.expected_on:
        return max(each.since, day_begins(each.expected_on))
    return each.since


def day_begins(day: str) -> datetime:
    """Of an ISO day, in UTC."""
    return datetime.combine(date.fromisoformat(day), time.min, UTC)
