"""What a provider said, and what is asked of it next."""

from __future__ import annotations

from dataclasses import replace

from oms.domain import commands as c
from oms.domain import events as e
from oms.domain.decide.deciding import after, decide
from oms.domain.holds import HoldStep
from oms.domain.order import Order
from oms.domain.payment import (
    Operation,
    OperationKind,
    OperationStatus,
    Shares,
)

PAYMENT = "payment"  # the type of a hold
BLOCKS = (HoldStep.ROUTING, HoldStep.FULFILLMENT)
NOT_RENEWED = "its authorization ends and could not be renewed"
ENDED = "its authorization has ended"
CHECKED = frozenset({OperationKind.CAPTURE, OperationKind.REFUND})


@decide.register
def _(command: c.RecordPaymentResult, order: Order) -> tuple[e.Event, ...]:
    operation = order.payment.operation(command.operation_id)
    if operation.attempt != command.attempt:
        return ()  # of an attempt that is over
    if operation.settled:
        return _corrected(operation, command, order)
    if operation.status is command.status:
        return ()  # said before
    return _RESULTS[command.status](operation, command, order)


def _succeeded(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    if operation.amount and command.amount == 0:
        nothing = replace(command, status=OperationStatus.FAILED, reason="nothing has moved")
        return _failed(operation, nothing, order)
    events = _done(operation, command, order)
    follow = _AUTHORIZED if operation.kind is OperationKind.AUTHORIZE else _MOVED_ON
    for step in follow:
        events = (*events, *step(operation, after(order, *events)))
    return (*events, *money_back(after(order, *events)))


def _done(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    amount = operation.amount if command.amount is None else command.amount
    said = operation.operation_id, amount, command.reference
    if operation.kind is not OperationKind.AUTHORIZE:
        done = _MOVED[operation.kind](*said)
        return (done, *_amiss(operation, amount))
    authorized = e.PaymentAuthorized(*said, command.valid_until)
    confirms = _confirms(operation, order, after(order, authorized))
    return (replace(authorized, confirms=confirms),)


def _confirms(operation: Operation, before: Order, now: Order) -> bool:
    first = not operation.of and not operation.cause
    return first and now.is_paid_for and not before.is_paid_for


def _amiss(operation: Operation, moved: int) -> tuple[e.Event, ...]:
    if moved == operation.amount:
        return ()
    said = f"{operation.amount} was asked for and {moved} has moved"
    return (e.OrderNeedsAttention(f"{operation.kind} {operation.operation_id}: {said}"),)


def _waited_for(operation: Operation, order: Order) -> tuple[e.Event, ...]:
    """An edit is applied with the money that it needs, or declined with it."""
    return decide(c.CompleteEdit(operation.cause), order)


def _taken_at_once(operation: Operation, order: Order) -> tuple[e.Event, ...]:
    """First of all, and also for an order that is over or an edit that is dropped: that money came
    in, and goes back from there."""
    tender = order.payment.tender(operation.operation_id)
    if not operation.prepaid or tender is None or not tender.left:
        return ()
    return asked_for(order, (OperationKind.CAPTURE, (tender.operation_id, tender.left)))


def _free_again(operation: Operation, order: Order) -> tuple[e.Event, ...]:
    """It was held for want of this money."""
    if not order.is_paid_for:
        return ()
    return tuple(
        e.HoldReleased(hold.hold_id, "its money is reserved again")
        for hold in order.active_holds
        if operation.of and hold.type == PAYMENT and hold.reason in (NOT_RENEWED, ENDED)
    )


def _rest(operation: Operation, order: Order) -> tuple[e.Event, ...]:
    """Less has moved than was asked for: the rest is another operation."""
    moved = order.payment.operation(operation.operation_id).amount
    if moved >= operation.amount:
        return ()
    rest = replace(
        operation,
        operation_id=order.payment.next_operation_id,
        amount=operation.amount - moved,
        status=OperationStatus.REQUESTED,
        attempt=1,
        reference="",
        reason="",
    )
    return (e.PaymentOperationRequested(rest),)


def _excess(operation: Operation, order: Order) -> tuple[e.Event, ...]:
    """Too much was taken: it goes back to where it was taken."""
    tender = order.payment.tender(source_of(operation, order))
    too_much = order.unrefunded - order.payable
    if operation.kind is not OperationKind.CAPTURE or tender is None:
        return ()
    moved = order.payment.operation(operation.operation_id).amount
    back = min(too_much, moved - operation.amount, tender.refundable)
    if back <= 0:
        return ()
    return asked_for(order, (OperationKind.REFUND, (tender.operation_id, back)))


def _corrected(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    """It says later that it has moved more: by webhook, or when it is looked up."""
    told = command.amount or 0
    moved = operation.status is command.status is OperationStatus.SUCCEEDED
    if not moved or operation.kind not in CHECKED or told <= operation.amount:
        return ()
    corrected = e.PaymentAmountCorrected(operation.operation_id, told, operation.amount)
    events: tuple[e.Event, ...] = (corrected, *_amiss(operation, told))
    events = (*events, *_excess(operation, after(order, *events)))
    return (*events, *money_back(after(order, *events)))


def _failed(
    operation: Operation, command: c.RecordPaymentResult, order: Order
) -> tuple[e.Event, ...]:
    if operation.kind is OperationKind.AUTHORIZE:
        declined = e.PaymentDeclined(operation.operation_id, command.reason)
        return (declined, *_not_authorized(operation, command.reason, after(order, declined)))
    failed = e.PaymentOperationFailed(operation.operation_id, command.reason)
    attention = e.OrderNeedsAttention(f"{operation.kind} failed: {command.reason}")
    return (failed, attention, *_captured_elsewhere(after(order, failed), operation.cause))


def _not_authorized(operation: Operation, reason: str, order: Order) -> tuple[e.Event, ...]:
    if not operation.of:
        return decide(c.DeclineEdit(operation.cause, f"payment declined: {reason}"), order)
    return held(order, NOT_RENEWED) if order.lapsing(operation.of) else ()


def source_of(operation: Operation, order: Order) -> str:
    source = order.payment.source_of(operation)
    return source.operation_id if source else ""


def held(order: Order, reason: str) -> tuple[e.Event, ...]:
    """Nothing leaves until a person has seen to its money; once is enough."""
    events: tuple[e.Event, ...] = (e.OrderNeedsAttention(reason),)
    if order.has_unshipped and all(hold.type != PAYMENT for hold in order.active_holds):
        identity = f"hold_{len(order.holds) + 1}"
        events = (e.HoldPlaced(identity, PAYMENT, reason, BLOCKS), *events)
    return events


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
_AUTHORIZED = (_taken_at_once, _waited_for, _free_again)
_MOVED_ON = (_rest, _excess)
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
    missing = order.missing(operation)
    there = min(missing, order.missing_there(operation))
    amount = there if there < operation.amount else None
    retried = e.PaymentOperationRetried(operation.operation_id, operation.attempt + 1, amount)
    events = (retried,) if there else ()
    return (*events, *_of_others(operation, missing - there, after(order, *events)))


def _of_others(refund: Operation, amount: int, order: Order) -> tuple[e.Event, ...]:
    """What a credit promises, and other refunds have taken the rest of its tender meanwhile."""
    shares = ((OperationKind.REFUND, share) for share in order.payment.to_refund(amount))
    return tuple(
        replace(each, operation=replace(each.operation, provider=refund.provider, to=refund.to))
        for each in asked_for(order, *shares, cause=refund.cause)
        if isinstance(each, e.PaymentOperationRequested)
    )


@decide.register
def _(command: c.RenewAuthorization, order: Order) -> tuple[e.Event, ...]:
    """Once for each: what was refused, a person asks for again."""
    if order.is_final or not order.has_unshipped:
        return ()
    payment = order.payment
    ending = (tender for tender in payment.tenders if tender.ends_by(command.until))
    unasked = [each for each in ending if payment.renewal_of(each.operation_id) is None]
    return tuple(
        e.PaymentOperationRequested(
            Operation(
                f"op_{number}",
                OperationKind.AUTHORIZE,
                tender.left,
                provider=tender.operation.provider,
                of=tender.operation_id,
            )
        )
        for number, tender in enumerate(unasked, len(payment.operations) + 1)
    )


@decide.register
def _(command: c.ExpireAuthorization, order: Order) -> tuple[e.Event, ...]:
    expired = tuple(
        e.PaymentAuthorizationExpired(tender.operation_id, tender.left)
        for tender in order.payment.tenders
        if tender.ends_by(command.at)
    )
    return (*expired, *held(after(order, *expired), ENDED)) if expired else ()


def _captured_elsewhere(order: Order, cause: str = "") -> tuple[e.Event, ...]:
    """What was earned, where a capture has failed that nobody can retry: its authorization was
    renewed or has ended, or was of more than is due now."""
    asked = ((OperationKind.CAPTURE, share) for share in _uncovered(order))
    return asked_for(order, *asked, cause=cause)


def _uncovered(order: Order) -> Shares:
    """What is owed on tenders that no failed capture is waiting on."""
    capture = OperationKind.CAPTURE
    waiting = {source_of(each, order) for each in order.unresolved if each.kind is capture}
    return tuple(share for share in order.shares_owed(capture) if share[0] not in waiting)


def money_back(order: Order) -> tuple[e.Event, ...]:
    """What must be returned: captured money for cancelled units, and what was only authorized;
    what is ours of it is taken first."""
    return asked_for(
        order,
        *((OperationKind.CAPTURE, share) for share in _uncovered(order)),
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
