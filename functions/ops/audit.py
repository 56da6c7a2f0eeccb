"""What must be true of one order's books: its history, its quantities, its money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from oms.domain import events as e
from oms.domain.fulfillment import FulfillmentOrder, FulfillmentStatus
from oms.domain.lines import Line
from oms.domain.order import Fact, Order, fold
from oms.domain.payment import Operation, OperationKind


class Difference(NamedTuple):
    """Two figures that must be equal and are not."""

    subject: str
    rule: str
    expected: int
    actual: int


def audit(
    order_id: str, order: Order | None, facts: Sequence[Fact], unreadable: int = 0
) -> list[Difference]:
    if unreadable:
        return [Difference(order_id, "every row of the order can be read", 0, unreadable)]
    if order is None:
        return [Difference(order_id, "events belong to an order", 0, len(facts))]
    return [*_history(order, facts), *_quantities(order), *_money(order, facts)]


def money_is_moving(order: Order) -> bool:
    """A capture, refund or void is on its way."""
    return any(o.kind is not OperationKind.AUTHORIZE for o in order.payment.unsettled)


def _history(order: Order, facts: Sequence[Fact]) -> Iterator[Difference]:
    yield from _same(
        order, "events are numbered without a gap", len(facts), facts[-1].seq if facts else 0
    )
    yield from _same(order, "the snapshot is as new as its events", len(facts), order.version)
    rule = "the order is the fold of its events"
    yield from _same(order, rule, 1, int(_folded(order, facts) == order))


def _folded(order: Order, facts: Sequence[Fact]) -> Order | None:
    try:
        return fold(order.order_id, facts)
    except Exception:  # noqa: BLE001  (a history that cannot be read is a finding, not a failure)
        return None


def _quantities(order: Order) -> Iterator[Difference]:
    boxed = _boxed(order)
    for line in order.lines:
        subject = f"{order.order_id} {line.line_id}"
        least = min(_counted(line), default=0)
        if least < 0:
            yield Difference(subject, "no quantity is negative", 0, least)
        for name in ("allocated", "shipped", "delivered"):
            counted, held = getattr(line, name), boxed[line.line_id, name]
            if counted != held:
                rule = f"{name} units are in fulfillment orders"
                yield Difference(subject, rule, counted, held)


def _counted(line: Line) -> tuple[int, ...]:
    moved = (line.backordered, line.allocated, line.shipped, line.delivered, line.cancelled)
    return (line.open, *moved)


def _boxed(order: Order) -> Counter[tuple[str, str]]:
    """Units by line and quantity name, as the fulfillment orders have them."""
    boxed: Counter[tuple[str, str]] = Counter()
    for each in order.fulfillment_orders:
        if name := _quantity_of(each):
            for q in each.lines:
                boxed[q.line_id, name] += q.quantity
    return boxed


def _quantity_of(each: FulfillmentOrder) -> str:
    """The name of the quantity that its units are counted under; none, once it was stopped."""
    if each.in_warehouse:
        return "allocated"
    if each.has_left:
        return "shipped"
    return "delivered" if each.status in _ARRIVED else ""


_ARRIVED = frozenset({FulfillmentStatus.DELIVERED, FulfillmentStatus.COLLECTED})


def _money(order: Order, facts: Sequence[Fact]) -> Iterator[Difference]:
    payment = order.payment
    kept = payment.captured - payment.refunded
    yield from _same(order, "captured money is in the history", _captured(facts), payment.captured)
    yield from _same(order, "refunded money is in the history", _refunded(facts), payment.refunded)
    used = payment.captured + payment.voided
    yield from _at_most(order, "captured and voided money was authorized", payment.authorized, used)
    yield from _at_most(order, "refunded money was captured", payment.captured, payment.refunded)
    least = min((operation.amount for operation in payment.operations), default=0)
    yield from _at_most(order, "no amount is negative", 0, -least)
    if not money_is_moving(order):
        due = order.payable if _paid_before(facts) else order.earned
        yield from _same(order, "money kept is what the goods cost", due, kept)
        yield from _idle(order, payment.authorized - used)


def _idle(order: Order, idle: int) -> Iterator[Difference]:
    if order.is_final:
        yield from _same(order, "nothing is reserved for an order that is over", 0, idle)


def _captured(facts: Sequence[Fact]) -> int:
    said = sum(f.event.amount for f in facts if isinstance(f.event, e.PaymentCaptured))
    return said + sum(operation.amount for operation in _taken_elsewhere(facts))


def _refunded(facts: Sequence[Fact]) -> int:
    return sum(f.event.amount for f in facts if isinstance(f.event, e.PaymentRefunded))


def _paid_before(facts: Sequence[Fact]) -> bool:
    return bool(_taken_elsewhere(facts))


def _taken_elsewhere(facts: Sequence[Fact]) -> list[Operation]:
    placed = facts[0].event if facts else None
    if not isinstance(placed, e.OrderPlaced):
        return []
    return [each for each in placed.operations if each.kind is OperationKind.CAPTURE]


def _same(order: Order, rule: str, expected: int, actual: int) -> Iterator[Difference]:
    if expected != actual:
        yield Difference(order.order_id, rule, expected, actual)


def _at_most(order: Order, rule: str, limit: int, actual: int) -> Iterator[Difference]:
    if actual > limit:
        yield Difference(order.order_id, rule, limit, actual)
