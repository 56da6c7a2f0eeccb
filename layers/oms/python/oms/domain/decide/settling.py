"""What is given for returned goods, as soon as the terms of the return say so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from oms.domain import events as e
from oms.domain.decide.deciding import after
from oms.domain.decide.payment import asked_for
from oms.domain.ids import credit_id
from oms.domain.order import Order
from oms.domain.payment import OperationKind
from oms.domain.refunds import Credit
from oms.domain.returns import Resolution, Return, ReturnLine, ReturnStatus
from oms.domain.returns.exchanging import (
    EXCHANGE,
    account_of,
    exchange_value,
    linked_order_id,
    sent,
    uncovered,
)
from oms.domain.returns.settling import (
    credit_of,
    due_units,
    is_agreed,
    is_done,
    is_linked,
    late_credit_of,
    sent_at_once,
    worthy_units,
)
from oms.domain.store_credit import GIFT_CARD, PREFIXES, STORE_CREDIT, reference_to
from oms.domain.store_credit import store_credit_account as account_name


def settled(order: Order, return_id: str) -> tuple[e.Event, ...]:
    """What the return's newest facts make due, seen from the order after them."""
    events: tuple[e.Event, ...] = ()
    for step in (_linked, _paid, _completed, _lost):
        now = after(order, *events)
        events = (*events, *step(now, now.return_(return_id)))
    return events


def _linked(order: Order, found: Return) -> Iterator[e.Event]:
    """From now on another order is paid by what the goods are worth."""
    if is_linked(found) and is_agreed(found) and not found.linked_order:
        value = exchange_value(order, found) if found.resolution is Resolution.EXCHANGE else 0
        yield e.ExchangePlaced(found.return_id, linked_order_id(order, found), value)


def _paid(order: Order, found: Return) -> tuple[e.Event, ...]:
    if not (units := due_units(found)):
        return ()
    identity = credit_id(order.order_id, len(order.credits) + 1)
    credit = credit_of(order, found, units, identity)
    paid = e.ReturnSettled(found.return_id, units, credit)
    return (paid, *_refunds(after(order, paid), found, credit))


def paid_late(order: Order, return_id: str) -> tuple[e.Event, ...]:
    """What a return was not given because the money was disputed, and is there again."""
    found = order.return_(return_id)
    identity = credit_id(order.order_id, len(order.credits) + 1)
    if (credit := late_credit_of(order, found, identity)) is None:
        return ()
    paid = e.ReturnSettled(found.return_id, (), credit)
    return (paid, *_refunds(after(order, paid), found, credit))


def _refunds(order: Order, found: Return, credit: Credit) -> tuple[e.Event, ...]:
    exchanged = to_exchange(order, found, credit.amount)
    moved = refunded(order, exchanged, credit.credit_id, EXCHANGE, account_of(found.linked_order))
    left, (provider, to) = after(order, *moved), destination(order, found)
    return (*moved, *refunded(left, credit.amount - exchanged, credit.credit_id, provider, to))


def to_exchange(order: Order, found: Return, amount: int) -> int:
    """What of it goes to the linked order: all that it waits for, or nothing, unless that was sent
    at once."""
    if found.resolution is not Resolution.EXCHANGE:
        return 0
    wanted = found.exchange_value - sent(order, found)
    return min(amount, wanted) if sent_at_once(found) or amount >= wanted else 0


def destination(order: Order, found: Return) -> tuple[str, str]:
    """Provider and account; both empty where money goes back to where it came from."""
    if found.resolution is Resolution.STORE_CREDIT:
        return to_store_credit(order)
    if found.resolution is Resolution.GIFT_CARD:
        card = PREFIXES[GIFT_CARD] + found.return_id.removeprefix("ret_")
        return GIFT_CARD, reference_to(card)
    return "", ""


def to_store_credit(order: Order) -> tuple[str, str]:
    return STORE_CREDIT, reference_to(account_name(order.customer_id, order.currency))


def refunded(
    order: Order, amount: int, cause: str, provider: str = "", to: str = ""
) -> tuple[e.Event, ...]:
    """Requested of the newest tender first; to another account, where one is named."""
    shares = ((OperationKind.REFUND, share) for share in order.payment.to_refund(amount))
    return tuple(
        replace(each, operation=replace(each.operation, provider=provider, to=to))
        for each in asked_for(order, *shares, cause=cause)
        if isinstance(each, e.PaymentOperationRequested)
    )


def _completed(order: Order, found: Return) -> Iterator[e.Event]:
    if not is_agreed(found) or not is_done(found):
        return
    yield e.ReturnCompleted(found.return_id)
    if not found.terms.keep and (units := sum(map(_paid_in_vain, found.lines))):
        said = f"{units} units were paid for, and did not come or were rejected"
        yield e.OrderNeedsAttention(f"{found.return_id}: {said}", found.return_id)
    elif (amount := uncovered(order, found)) > 0:
        said = f"{amount} of the exchange {found.linked_order} is not covered by goods"
        yield e.OrderNeedsAttention(f"{found.return_id}: {said}", found.return_id)


def _paid_in_vain(line: ReturnLine) -> int:
    return max(0, line.settled - worthy_units(line))


def _lost(order: Order, found: Return) -> Iterator[e.Event]:
    """It has expired, and what was paid for has not come."""
    if found.status is not ReturnStatus.EXPIRED or found.is_handed_over:
        return
    given = sum(each.amount for each in order.credits if each.cause == found.return_id)
    if amount := given + max(0, uncovered(order, found)):
        said = f"{amount} {order.currency} was given for goods that have not come"
        yield e.OrderNeedsAttention(f"{found.return_id}: {said}", found.return_id)
