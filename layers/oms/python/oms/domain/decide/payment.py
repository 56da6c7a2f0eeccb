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
    kind = _SUCCEEDED[operation.kind]
    done = kind(operation.operation_id, operation.amount, command.reference)
    return (done, *money_back(after(order, done)))


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


_SUCCEEDED: dict[
    OperationKind,
    type[e.PaymentAuthorized | e.PaymentCaptured | e.PaymentVoided | e.PaymentRefunded],
] = {
    OperationKind.AUTHORIZE: e.PaymentAuthorized,
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
    first = len(order.payment.operations) + 1
    owed = ((kind, order.owed(kind)) for kind in (OperationKind.REFUND, OperationKind.VOID))
    asked = ((kind, amount) for kind, amount in owed if amount)
    return tuple(
        e.PaymentOperationRequested(Operation(f"op_{number}", kind, amount))
        for number, (kind, amount) in enumerate(asked, first)
    )
