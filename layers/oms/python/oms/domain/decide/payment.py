"""What a provider said, and what is asked of it next."""

from __future__ import annotations

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus


@decide.register
def _(command: c.RecordPaymentResult, order: Order) -> tuple[e.Event, ...]:
    operation = order.payment.operation(command.operation_id)
    stale = operation.attempt != command.attempt or operation.settled
    if stale or operation.status is command.status:
        return ()  # said before, or of an attempt that is over
    return _RESULTS[command.status](operation, command, order)


def _succeeded(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    done = _done(operation, command)
    return (done, *money_back(after(order, done)))


def _done(operation: Operation, command: c.RecordPaymentResult) -> e.Event:
    said = operation.operation_id, operation.amount, command.reference
    if operation.kind is OperationKind.AUTHORIZE:
        return e.PaymentAuthorized(*said, command.valid_until)
    return _MOVED[operation.kind](*said)


def _failed(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    if operation.kind is OperationKind.AUTHORIZE:
        return (e.PaymentDeclined(operation.operation_id, command.reason),)
    failed = e.PaymentOperationFailed(operation.operation_id, command.reason)
    return (failed, e.OrderNeedsAttention(f"{operation.kind} failed: {command.reason}"))


def _pending(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    return (e.PaymentPending(operation.operation_id, command.reference),)


def _unknown(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    return (e.PaymentUnknown(operation.operation_id),)


_MOVED: dict[OperationKind, type[e.PaymentCaptured | e.PaymentVoided | e.PaymentRefunded]] = {
    OperationKind.CAPTURE: e.PaymentCaptured,
    OperationKind.VOID: e.PaymentVoided,
    OperationKind.REFUND: e.PaymentRefunded,
}
_RESULTS = {
    OperationStatus.SUCCEEDED: _succeeded,
    OperationStatus.FAILED: _failed,
    OperationStatus.PENDING: _pending,
    OperationStatus.UNKNOWN: _unknown,
}


@decide.register
def _(command: c.RetryPaymentOperation, order: Order) -> tuple[e.Event, ...]:
    """Never for money that was asked for again in its place since it failed."""
    operation = order.payment.operation(command.operation_id)
    if operation not in order.unresolved:
        return ()
    return (e.PaymentOperationRetried(operation.operation_id, operation.attempt + 1),)


def money_back(order: Order) -> tuple[e.Event, ...]:
    """What must be returned: captured money for cancelled units, and what was only authorized."""
    return asked_for(
        order,
        *((OperationKind.REFUND, share) for share in order.shares_owed(OperationKind.REFUND)),
        *((OperationKind.VOID, share) for share in order.shares_owed(OperationKind.VOID)),
    )


def asked_for(
    order: Order, *shares: tuple[OperationKind, tuple[str, int]], cause: str = ""
) -> tuple[e.Event, ...]:
    """One operation for each share of an authorization."""
    payment = order.payment
    return tuple(
        e.PaymentOperationRequested(
            Operation(f"op_{number}", kind, amount, cause=cause, of=payment.named(of))
        )
        for number, (kind, (of, amount)) in enumerate(shares, len(payment.operations) + 1)
    )
