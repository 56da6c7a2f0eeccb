"""What must be true of one order's books: its history, its quantities, its money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from oms.domain import events as e
from oms.domain.books.difference import Difference
from oms.domain.edits import EditStatus
from oms.domain.fulfillment import FulfillmentOrder, FulfillmentStatus
from oms.domain.lines import Line
from oms.domain.order import Fact, Order, fold
from oms.domain.payment import Operation, OperationKind, OperationStatus
from oms.domain.refunds import Credit, CreditPart, PartKind
from oms.domain.returns.exchanging import received, sent
from oms.domain.returns.settling import OF_GOODS, sent_at_once


def audit(
    order_id: str, order: Order | None, facts: Sequence[Fact], unreadable: int = 0
) -> list[Difference]:
    if unreadable:
        return [Difference(order_id, "every row of the order can be read", 0, unreadable)]
    if order is None:
        return [Difference(order_id, "events belong to an order", 0, len(facts))]
    checked = (_history(order, facts), _quantities(order), _money(order, facts))
    return [*chain(*checked), *_returned(order), *_credits(order)]


def rebuilt(order: Order | None, facts: Sequence[Fact]) -> Order | None:
    """The order as its events have it, where that is another than its snapshot and its events are
    whole; else None. A snapshot that is newer knows of events that are lost: without them money
    would move once more."""
    if order is None or [fact.seq for fact in facts] != list(range(1, len(facts) + 1)):
        return None
    if order.version > len(facts):
        return None
    folded = _folded(order, facts)
    return None if folded == order else folded


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
    overcharged = _overcharged(facts)
    limit = payment.authorized + overcharged
    yield from _at_most(order, "captured and voided money was authorized", limit, used)
    yield from _at_most(order, "refunded money was captured", payment.captured, payment.refunded)
    least = min((operation.amount for operation in payment.operations), default=0)
    yield from _at_most(order, "no amount is negative", 0, -least)
    if not money_is_moving(order) and not payment.disputes:
        earned = due(order, facts) - credited(order)
        yield from _same(order, "money kept is what the goods cost", earned, kept)
        yield from _idle(order, 0 if overcharged else payment.authorized - used)


def due(order: Order, facts: Sequence[Fact]) -> int:
    """What its goods have cost by now, or what was taken ahead of them: the slices of its total."""
    kept = order.payment.captured - order.payment.refunded
    ahead = _overcharged(facts) or _is_edited(order)
    before = kept + credited(order) if ahead else _taken_before(order, facts)
    return max(order.claimed, min(order.payable, before))


def _idle(order: Order, idle: int) -> Iterator[Difference]:
    if order.is_final:
        yield from _same(order, "nothing is reserved for an order that is over", 0, idle)


def _captured(facts: Sequence[Fact]) -> int:
    elsewhere = sum(operation.amount for operation in _taken_elsewhere(facts))
    return _moved(facts, e.PaymentCaptured) + elsewhere


def _refunded(facts: Sequence[Fact]) -> int:
    return _moved(facts, e.PaymentRefunded)


def _moved(facts: Sequence[Fact], kind: type[e.PaymentCaptured | e.PaymentRefunded]) -> int:
    return sum(_amounts(facts, kind).values())


def _amounts(
    facts: Sequence[Fact], kind: type[e.PaymentCaptured | e.PaymentRefunded]
) -> dict[str, int]:
    """What providers have said last, of each operation."""
    amounts: dict[str, int] = {}
    for fact in facts:
        said = fact.event
        if isinstance(said, kind):
            amounts[said.operation_id] = said.amount
        if isinstance(said, e.PaymentAmountCorrected) and said.operation_id in amounts:
            amounts[said.operation_id] = said.amount
    return amounts


def _overcharged(facts: Sequence[Fact]) -> int:
    """What providers have said that they took beyond what they were asked for."""
    asked = {each.operation_id: each.amount for each in _asked(facts)}
    took = _amounts(facts, e.PaymentCaptured)
    return sum(max(0, took[each] - asked[each]) for each in took.keys() & asked.keys())


def _asked(facts: Sequence[Fact]) -> Iterator[Operation]:
    for fact in facts:
        match fact.event:
            case e.PaymentOperationRequested(operation):
                yield operation
            case e.FulfillmentOrderShipped(capture=Operation() as capture):
                yield capture
            case e.FulfillmentOrderCollected(capture=Operation() as capture):
                yield capture


def credited(order: Order) -> int:
    """Given back beside what was called off."""
    return sum(each.amount - order.uncredited(each.credit_id) for each in order.credits)


def _is_edited(order: Order) -> bool:
    """Then what is kept was perhaps taken for units that are no more, and given back, before others
    were added that are paid as they leave: it lies between what is earned and what is due."""
    return any(each.status is EditStatus.APPLIED for each in order.edits)


def _taken_before(order: Order, facts: Sequence[Fact]) -> int:
    """Without waiting for the goods to leave."""
    prepaid = (each.captured for each in order.payment.tenders if each.operation.prepaid)
    return sum(prepaid) + sum(operation.amount for operation in _taken_elsewhere(facts))


def _taken_elsewhere(facts: Sequence[Fact]) -> list[Operation]:
    placed = facts[0].event if facts else None
    if not isinstance(placed, e.OrderPlaced):
        return []
    return [each for each in placed.operations if each.kind is OperationKind.CAPTURE]


def _returned(order: Order) -> Iterator[Difference]:
    """Units that something was given for, and what."""
    for line in order.lines:
        told = [x for found in order.returns for x in found.lines if x.line_id == line.line_id]
        settled = sum(each.settled for each in told)
        came = sum(each.settled for each in told if not each.never_arrived)
        yield from _same(order, "returned units are settled by returns", settled, line.returned)
        yield from _at_most(order, "returned units had left", line.dispatched, line.returned)
        yield from _at_most(order, "what came back was delivered", line.delivered, came)
    for found in order.returns:
        rule = "an exchange is paid as was agreed"
        yield from _at_most(order, rule, found.exchange_value, sent(order, found))


def _credits(order: Order) -> Iterator[Difference]:
    given = [part for credit in order.credits for part in credit.parts]
    for credit in order.credits:
        parts = sum(part.amount for part in credit.parts)
        yield from _same(order, "a credit is the sum of its parts", parts, credit.amount)
        rule = "refunds of a credit are part of it"
        yield from _at_most(order, rule, credit.amount, _refunds(order, credit))
        yield from _slices(order, credit)
    for line in order.lines:
        ranges = sorted(
            (part.first_unit, part.first_unit + part.quantity)
            for part in given
            if part.kind is PartKind.PRICE and part.line_id == line.line_id
        )
        twice = sum(max(0, end - start) for (_, end), (start, _) in pairwise(ranges))
        yield from _at_most(order, "no unit is given back twice", 0, twice)
    total = sum(credit.amount for credit in order.credits)
    yield from _at_most(order, "what is credited was captured", order.payment.captured, total)


def _refunds(order: Order, credit: Credit) -> int:
    return sum(
        each.amount
        for each in order.payment.operations
        if each.cause == credit.credit_id and each.status is not OperationStatus.FAILED
    )


def _slices(order: Order, credit: Credit) -> Iterator[Difference]:
    """The price of units, with their discounts and taxes, is what was paid for these units."""
    for priced in credit.parts:
        if priced.kind is PartKind.PRICE:
            paid = order.line(priced.line_id).payable(
                priced.first_unit, priced.quantity, tax_included=order.tax_included
            )
            given = sum(x.amount for x in credit.parts if _is_of_the_same_units(x, priced))
            yield from _same(order, "returned units bring back what was paid", paid, given)


def _is_of_the_same_units(part: CreditPart, priced: CreditPart) -> bool:
    units = (part.line_id, part.first_unit) == (priced.line_id, priced.first_unit)
    return units and part.kind in OF_GOODS


def exchange(order: Order, linked: Order) -> Iterator[Difference]:
    """What the goods of a return gave for another order is what that order has of it."""
    if money_is_moving(order) or money_is_moving(linked):
        return
    found = order.return_(linked.linked_to)
    gave, has = sent(order, found), received(linked)
    if sent_at_once(found):  # perhaps before the goods came
        rule = "an exchange has no more than it was promised"
        yield from _at_most(linked, rule, found.exchange_value, has)
        yield from _at_most(linked, "what goods gave for an exchange has come", has, gave)
    else:
        yield from _same(linked, "what goods gave for an exchange has come", gave, has)


def _same(order: Order, rule: str, expected: int, actual: int) -> Iterator[Difference]:
    if expected != actual:
        yield Difference(order.order_id, rule, expected, actual)


def _at_most(order: Order, rule: str, limit: int, actual: int) -> Iterator[Difference]:
    if actual > limit:
        yield Difference(order.order_id, rule, limit, actual)
