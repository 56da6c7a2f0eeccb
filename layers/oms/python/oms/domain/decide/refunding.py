"""Money that is given back as goodwill, or that pays another order instead."""

from __future__ import annotations

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.crediting import creditable, goodwill
from oms.domain.decide.deciding import after, decide
from oms.domain.decide.payment import asked_for, money_back
from oms.domain.decide.settling import refunded, to_store_credit
from oms.domain.errors import Refused
from oms.domain.ids import credit_id
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus
from oms.domain.refunds import Credit, CreditKind, CreditPart, PartKind
from oms.domain.returns.exchanging import EXCHANGE, received


@decide.register
def _(command: c.GrantRefund, order: Order) -> tuple[e.Event, ...]:
    """All of it or nothing: it is planned before anybody is asked for it."""
    _may_be_granted(command, order)
    identity = credit_id(order.order_id, len(order.credits) + 1)
    part = CreditPart(PartKind.GOODWILL, command.amount, command.line_id)
    credit = Credit(identity, CreditKind.GOODWILL, command.amount, (part,), reason=command.reason)
    granted = e.RefundGranted(credit)
    to = to_store_credit(order) if command.as_store_credit else ("", "")
    return (granted, *refunded(after(order, granted), credit.amount, identity, *to))


def _may_be_granted(command: c.GrantRefund, order: Order) -> None:
    if command.line_id:
        order.line(command.line_id)
    if command.amount > (left := creditable(order)):
        raise Refused(f"{command.amount} asked for, {left} can be given back")
    before = goodwill(order)
    if command.most is not None and before + command.amount > command.most:
        said = f"{before} was granted on the order, and at most {command.most} may be"
        raise Refused(f"{command.amount} asked for: {said}")


@decide.register
def _(command: c.ReceiveExchange, order: Order) -> tuple[e.Event, ...]:
    """It is taken, also for an order that is over: what is not needed goes to the customer."""
    missing = command.amount - received(order)
    events: tuple[e.Event, ...] = ()
    for tender in order.payment.tenders:
        part = min(missing, tender.left)
        if tender.operation.provider == EXCHANGE and part > 0:
            share = (tender.operation_id, part)
            now = after(order, *events)
            events = (*events, *asked_for(now, (OperationKind.CAPTURE, share)))
            missing -= part
    if missing > 0:
        events = (*events, *_received_anew(after(order, *events), missing))
    return (*events, *money_back(after(order, *events))) if events else ()


def _received_anew(order: Order, amount: int) -> tuple[e.Event, ...]:
    """What was reserved of it was given up meanwhile."""
    reserved = Operation(
        order.payment.next_operation_id,
        OperationKind.AUTHORIZE,
        amount,
        OperationStatus.SUCCEEDED,
        reference=to_store_credit(order)[1],
        cause=order.linked_to,
        provider=EXCHANGE,
        prepaid=True,
    )
    requested = e.PaymentOperationRequested(reserved)
    share = (reserved.operation_id, amount)
    return (requested, *asked_for(after(order, requested), (OperationKind.CAPTURE, share)))
