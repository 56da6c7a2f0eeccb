"""Payments as clients see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from oms.contracts.api.payments import DisputeView, PaymentOperationView, PaymentsView
from oms.domain import events as e
from oms.domain.order import Fact, Order
from oms.domain.payment import Operation

ENDS = (
    e.PaymentAuthorized,
    e.PaymentPending,
    e.PaymentUnknown,
    e.PaymentDeclined,
    e.PaymentCaptured,
    e.PaymentVoided,
    e.PaymentRefunded,
    e.PaymentOperationFailed,
    e.PaymentOperationRetried,
)
Times = Mapping[str, datetime]  # by operation


def payments_view(
    order: Order, history: Iterable[Fact], by_hand: Collection[str] = ()
) -> PaymentsView:
    facts = tuple(history)
    asked, changed = asked_at(facts), changed_at(facts)
    return PaymentsView(
        order.order_id,
        order.currency,
        [operation_view(order, each, by_hand, asked, changed) for each in order.payment.operations],
        [
            DisputeView(d.dispute_id, d.operation_id, d.amount, d.status, d.reason)
            for d in order.payment.disputes
        ],
    )


def operation_view(
    order: Order, it: Operation, by_hand: Collection[str], asked: Times, changed: Times
) -> PaymentOperationView:
    provider = order.payment.provider_of(it)
    return PaymentOperationView(
        it.operation_id,
        provider,
        it.kind,
        it.status,
        it.amount,
        it.attempt,
        of=it.of,
        cause=it.cause,
        to=it.to,
        reference=it.reference,
        reason=it.reason,
        valid_until=it.valid_until,
        asked_at=asked.get(it.operation_id),
        changed_at=changed.get(it.operation_id),
        by_hand=provider in by_hand,
    )


def asked_at(facts: Iterable[Fact]) -> Times:
    return {
        operation.operation_id: fact.at for fact in facts for operation in _asked_for(fact.event)
    }


def _asked_for(event: e.Event) -> tuple[Operation, ...]:
    if isinstance(event, e.OrderPlaced):
        return event.operations
    return (event.operation,) if isinstance(event, e.PaymentOperationRequested) else ()


def changed_at(facts: Iterable[Fact]) -> Times:
    return {fact.event.operation_id: fact.at for fact in facts if isinstance(fact.event, ENDS)}
