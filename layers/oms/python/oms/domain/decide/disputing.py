"""What a bank takes back, and what is owed once it gives that back."""

from __future__ import annotations

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide
from oms.domain.decide.payment import money_back, source_of
from oms.domain.decide.settling import paid_late
from oms.domain.errors import NotFound
from oms.domain.order import Order
from oms.domain.payment import DisputeStatus, OperationKind

_OPEN = DisputeStatus.OPEN


@decide.register
def _(command: c.RecordDispute, order: Order) -> tuple[e.Event, ...]:
    known = order.payment.dispute(command.dispute_id)
    if known is None:
        opened = _opened(command, order)
        return (*opened, *_closed(_OPEN, command, after(order, *opened)))
    return _closed(known.status, command, order)


def _opened(command: c.RecordDispute, order: Order) -> tuple[e.Event, ...]:
    of = _disputed(command, order)
    said = f"{command.amount} of {of}: {command.reason or 'no reason given'}"
    return (
        e.PaymentDisputed(command.dispute_id, of, command.amount, command.reason),
        e.OrderNeedsAttention(f"dispute {command.dispute_id} of {said}"),
    )


def _disputed(command: c.RecordDispute, order: Order) -> str:
    """The authorization; a provider knows of its own operations only."""
    payment = order.payment
    for operation in payment.operations:
        its_own = payment.provider_of(operation) == command.provider
        if its_own and operation.reference == command.reference:
            authorize = operation.kind is OperationKind.AUTHORIZE
            return operation.operation_id if authorize else source_of(operation, order)
    raise NotFound("payment", command.reference)


def _closed(known: DisputeStatus, command: c.RecordDispute, order: Order) -> tuple[e.Event, ...]:
    """Banks change their minds; nothing is opened again. What was not given back while it was
    disputed is owed again once it is won."""
    if command.status in (known, _OPEN):
        return ()
    won = command.status is DisputeStatus.WON
    closed = e.PaymentDisputeClosed(command.dispute_id, won)
    events = (closed, *money_back(after(order, closed)))
    return (*events, *_given_late(after(order, *events))) if won else events


def _given_late(order: Order) -> tuple[e.Event, ...]:
    """For goods that came back while the money for them was disputed."""
    events: tuple[e.Event, ...] = ()
    for each in order.returns:
        events = (*events, *paid_late(after(order, *events), each.return_id))
    return events
