"""Bring payment operations to their end: ask the provider, and never twice under two keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from oms.adapters.orders_table import OrdersTable
from oms.adapters.payments import PROVIDERS
from oms.adapters.payments.base import AmbiguousOutcome, Provider, Result
from oms.domain.commands import RecordPaymentResult
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus, operation_key


class Undecided(Exception):
    """The provider cannot say yet; whoever called tries again later, under the same key."""


def settle(
    orders: OrdersTable,
    order_id: str,
    *,
    at: datetime,
    actor: str = "system",
    providers: Mapping[str, Provider] = PROVIDERS,
) -> Order:
    """Ask for every operation that has no answer yet, oldest first: a capture precedes its void.

    The operation was committed before; its key does not change until it failed for certain. So a
    crash between the provider's answer and our record repeats the question, not the payment.
    """
    order, tokens = orders.with_instruments(order_id)
    for operation in order.payment.unsettled:
        provider = providers[order.payment.provider_of(operation)]
        if not _is_with_the_buyer(operation):
            token = tokens.get(operation.operation_id, "")
            result = _answer(provider, order, operation, token)
        elif _too_late(order, operation):
            result = _withdrawn(provider, order, operation)
        else:
            continue  # the provider's webhook tells; the deadline looks it up
        order = _recorded(orders, order, operation, result, at, actor)
    return order


def look_up_pending(
    orders: OrdersTable,
    order_id: str,
    *,
    at: datetime,
    actor: str = "system",
    providers: Mapping[str, Provider] = PROVIDERS,
) -> Order:
    """Ask how it ended at the buyer's bank, as the webhook that tells may be lost."""
    order, tokens = orders.with_instruments(order_id)
    for operation in order.payment.unsettled:
        if _is_with_the_buyer(operation) and not order.is_final:
            provider = providers[order.payment.provider_of(operation)]
            token = tokens.get(operation.operation_id, "")
            found = _ended(provider, order, operation, token)
            order = _recorded(orders, order, operation, found, at, actor) if found else order
    return order


def _is_with_the_buyer(operation: Operation) -> bool:
    pending = operation.status is OperationStatus.PENDING
    return pending and operation.kind is OperationKind.AUTHORIZE


def _ended(provider: Provider, order: Order, operation: Operation, token: str) -> Result | None:
    """None while the buyer has not decided."""
    try:
        found = provider.look_up(operation_key(order.order_id, operation), operation.kind, token)
    except AmbiguousOutcome:
        raise Undecided(f"{order.order_id} {operation.operation_id}") from None
    return None if found is None or found.status is OperationStatus.PENDING else found


def _answer(provider: Provider, order: Order, operation: Operation, token: str) -> Result | None:
    """None when nobody can say."""
    key = operation_key(order.order_id, operation)
    try:
        if operation.status is not OperationStatus.REQUESTED or _too_late(order, operation):
            found = provider.look_up(key, operation.kind, token)
            if found is not None:
                return found
            if _too_late(order, operation):
                return Result(OperationStatus.FAILED, reason="cancelled before it was asked for")
        return _ask(provider, order, operation, key, token)
    except AmbiguousOutcome:
        return _looked_up(provider, operation, key, token)


def _withdrawn(provider: Provider, order: Order, operation: Operation) -> Result | None:
    """An authorization that the buyer may still complete, for an order that is over.

    The withdrawal has a key of its own: a provider answers one key with one answer. What it
    refuses to withdraw has been decided meanwhile, and it says how.
    """
    key = operation_key(order.order_id, operation)
    try:
        done = provider.void(f"{key}-void", operation.amount, order.currency, operation.reference)
        if done.status is OperationStatus.SUCCEEDED:
            return Result(OperationStatus.FAILED, reason="withdrawn: the order was cancelled")
        return provider.look_up(key, operation.kind)
    except AmbiguousOutcome:
        return None


def _too_late(order: Order, operation: Operation) -> bool:
    """Money is not reserved for an order that is over."""
    return order.is_final and operation.kind is OperationKind.AUTHORIZE


def _ask(provider: Provider, order: Order, operation: Operation, key: str, token: str) -> Result:
    if operation.kind is OperationKind.AUTHORIZE:
        return provider.authorize(key, operation.amount, order.currency, token)
    source = order.payment.source_of(operation)
    reference = operation.to or (source.reference if source else "")
    calls = {
        OperationKind.CAPTURE: provider.capture,
        OperationKind.VOID: provider.void,
        OperationKind.REFUND: provider.refund,
    }
    return calls[operation.kind](key, operation.amount, order.currency, reference)


def _looked_up(provider: Provider, operation: Operation, key: str, token: str) -> Result | None:
    try:
        return provider.look_up(key, operation.kind, token)
    except AmbiguousOutcome:
        return None


def _recorded(
    orders: OrdersTable,
    order: Order,
    operation: Operation,
    result: Result | None,
    at: datetime,
    actor: str,
) -> Order:
    said = result or Result(OperationStatus.UNKNOWN)
    command = RecordPaymentResult(
        operation.operation_id, operation.attempt, said.status, said.reference, said.reason
    )
    order = orders.change(order.order_id, command, at=at, actor=actor, seen=order)
    if result is None:
        raise Undecided(f"{order.order_id} {operation.operation_id}")
    return order
