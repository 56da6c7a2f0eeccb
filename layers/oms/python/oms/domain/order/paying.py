"""What a payment's events make of an order."""

from __future__ import annotations

from dataclasses import replace

from oms.domain import events as e
from oms.domain.order.evolving import confirmed, evolve, requested, with_operation
from oms.domain.order.model import Fact, Order
from oms.domain.payment import (
    EXPIRED,
    Dispute,
    DisputeStatus,
    Operation,
    OperationKind,
    OperationStatus,
)


@evolve.register
def _(event: e.PaymentAuthorized, order: Order, fact: Fact) -> Order:
    return confirmed(
        with_operation(
            order,
            event.operation_id,
            status=OperationStatus.SUCCEEDED,
            reference=event.reference,
            valid_until=event.valid_until,
            amount=event.amount,
        )
    )


@evolve.register
def _(event: e.PaymentPending, order: Order, fact: Fact) -> Order:
    return with_operation(
        order, event.operation_id, status=OperationStatus.PENDING, reference=event.reference
    )


@evolve.register
def _(event: e.PaymentUnknown, order: Order, fact: Fact) -> Order:
    return with_operation(order, event.operation_id, status=OperationStatus.UNKNOWN)


@evolve.register(e.PaymentDeclined)
@evolve.register(e.PaymentOperationFailed)
def _(event: e.PaymentDeclined | e.PaymentOperationFailed, order: Order, fact: Fact) -> Order:
    return with_operation(
        order, event.operation_id, status=OperationStatus.FAILED, reason=event.reason
    )


@evolve.register
def _(event: e.PaymentOperationRequested, order: Order, fact: Fact) -> Order:
    return requested(order, event.operation)


@evolve.register(e.PaymentCaptured)
@evolve.register(e.PaymentVoided)
@evolve.register(e.PaymentRefunded)
def _(
    event: e.PaymentCaptured | e.PaymentVoided | e.PaymentRefunded, order: Order, fact: Fact
) -> Order:
    """The operation is of what has really moved."""
    return with_operation(
        order,
        event.operation_id,
        status=OperationStatus.SUCCEEDED,
        reference=event.reference,
        amount=event.amount,
    )


@evolve.register
def _(event: e.PaymentAmountCorrected, order: Order, fact: Fact) -> Order:
    return with_operation(order, event.operation_id, amount=event.amount)


@evolve.register
def _(event: e.PaymentOperationRetried, order: Order, fact: Fact) -> Order:
    amount = {} if event.amount is None else {"amount": event.amount}
    asked = OperationStatus.REQUESTED
    return with_operation(order, event.operation_id, status=asked, attempt=event.attempt, **amount)


@evolve.register
def _(event: e.PaymentAuthorizationExpired, order: Order, fact: Fact) -> Order:
    """As if it had been voided: that money is nobody's to take any more."""
    identity, done = order.payment.next_operation_id, OperationStatus.SUCCEEDED
    void = Operation(
        identity, OperationKind.VOID, event.amount, done, cause=EXPIRED, of=event.operation_id
    )
    return requested(order, void)


@evolve.register
def _(event: e.PaymentDisputed, order: Order, fact: Fact) -> Order:
    dispute = Dispute(event.dispute_id, event.operation_id, event.amount, event.reason)
    disputes = (*order.payment.disputes, dispute)
    return replace(order, payment=replace(order.payment, disputes=disputes))


@evolve.register
def _(event: e.PaymentDisputeClosed, order: Order, fact: Fact) -> Order:
    status = DisputeStatus.WON if event.won else DisputeStatus.LOST
    disputes = tuple(
        replace(each, status=status) if each.dispute_id == event.dispute_id else each
        for each in order.payment.disputes
    )
    return replace(order, payment=replace(order.payment, disputes=disputes))


@evolve.register
def _(event: e.RefundGranted, order: Order, fact: Fact) -> Order:
    return replace(order, credits=(*order.credits, event.credit))
