"""Bring payment operations to their end: ask the provider, and never twice under two keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from oms.adapters.agenda import Agenda, agenda
from oms.adapters.dynamodb import Write
from oms.adapters.orders_table import Beside, OrdersTable
from oms.adapters.payments import PROVIDERS
from oms.adapters.payments.base import AmbiguousOutcome, Provider, Result
from oms.domain.agenda import DueKind
from oms.domain.commands import RecordPaymentResult
from oms.domain.order import Order
from oms.domain.payment import (
    Operation,
    OperationKind,
    OperationStatus,
    operation_key,
    renewal_due,
)

UNKNOWN = Result(OperationStatus.UNKNOWN)
CANCELLED = Result(OperationStatus.FAILED, reason="cancelled before it was asked for")
WITHDRAWN = Result(OperationStatus.FAILED, reason="withdrawn: the order was cancelled")
NOT_TAKEN = Result(OperationStatus.FAILED, reason="what it gives back was never taken")


class Undecided(Exception):
    """The provider cannot say yet; whoever called tries again later, under the same key."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where answers are recorded. `deadlines`: where the end of an authorization is looked after,
    None for the stock table's agenda."""

    orders: OrdersTable
    at: datetime
    actor: str = "system"
    deadlines: Agenda | None = None

    def record(self, order: Order, operation: Operation, said: Result) -> Order:
        command = RecordPaymentResult(
            operation.operation_id,
            operation.attempt,
            said.status,
            said.reference,
            said.reason,
            said.valid_until,
            said.amount,
        )
        beside = Beside(writes=tuple(self._looked_after(order.order_id, operation, said)))
        return self.orders.change(
            order.order_id, command, at=self.at, actor=self.actor, seen=order, beside=beside
        )

    def _looked_after(self, order_id: str, operation: Operation, said: Result) -> list[Write]:
        """When it is to be renewed, and when it ends."""
        authorized = said.status is OperationStatus.SUCCEEDED and said.valid_until
        if operation.kind is not OperationKind.AUTHORIZE or not authorized:
            return []
        kind, deadlines = DueKind.RENEW_AUTHORIZATION, self.deadlines or agenda()
        times = sorted({renewal_due(self.at, authorized), authorized})
        return [write for at in times for write in deadlines.writes(kind, order_id, at)]


def settle(
    orders: OrdersTable,
    order_id: str,
    *,
    at: datetime,
    actor: str = "system",
    providers: Mapping[str, Provider] = PROVIDERS,
    deadlines: Agenda | None = None,
) -> Order:
    """Ask for every operation that has no answer yet, oldest first: a capture precedes its void.

    The operation was committed before; its key does not change until it failed for certain. So a
    crash between the provider's answer and our record repeats the question, not the payment.
    Where nobody can say how one ended, the others of its authorization wait with it.
    """
    return _each(_asked, Books(orders, at, actor, deadlines), order_id, providers)


def look_up_pending(
    orders: OrdersTable,
    order_id: str,
    *,
    at: datetime,
    actor: str = "system",
    providers: Mapping[str, Provider] = PROVIDERS,
    deadlines: Agenda | None = None,
) -> Order:
    """Ask how it ended at the buyer's bank, as the webhook that tells may be lost."""
    return _each(_found, Books(orders, at, actor, deadlines), order_id, providers)


def sweep(
    orders: OrdersTable,
    order_id: str,
    *,
    at: datetime,
    actor: str = "system",
    providers: Mapping[str, Provider] = PROVIDERS,
    deadlines: Agenda | None = None,
) -> Order:
    """Both: what nobody has asked for, and what nobody has told us of."""
    return _each(_swept, Books(orders, at, actor, deadlines), order_id, providers)


@dataclass(frozen=True, slots=True)
class Question:
    """An operation as it is with its order and its provider; `token` is what it is paid with."""

    provider: Provider
    order: Order
    operation: Operation
    token: str

    @property
    def key(self) -> str:
        return operation_key(self.order.order_id, self.operation)

    @property
    def source(self) -> Operation | None:
        """The authorization whose money it moves, or whose owner is asked again."""
        payment, operation = self.order.payment, self.operation
        if operation.kind is not OperationKind.AUTHORIZE:
            return payment.source_of(operation)
        again = operation.of or operation.like
        return payment.operation(again) if again else None

    @property
    def reference(self) -> str:
        source = self.source
        return self.operation.to or (source.reference if source else "")

    @property
    def is_with_the_buyer(self) -> bool:
        pending = self.operation.status is OperationStatus.PENDING
        return pending and self.operation.kind is OperationKind.AUTHORIZE

    @property
    def is_unwanted(self) -> bool:
        return self.order.is_unwanted(self.operation)

    def look_up(self) -> Result | None:
        reference = self.reference
        if self.operation.kind is OperationKind.AUTHORIZE:
            reference = self.operation.reference or reference
        return self.provider.look_up(self.key, self.operation.kind, self.token, reference)


Answer = Callable[[Question], Result | None]  # None: there is nothing to say now


def _each(answer: Answer, books: Books, order_id: str, providers: Mapping[str, Provider]) -> Order:
    order, tokens = books.orders.with_instruments(order_id)
    stuck: set[str] = set()
    for operation in order.to_settle:
        if (whose := _authorization(order, operation)) in stuck:
            continue
        provider = providers[order.payment.provider_of(operation)]
        token = tokens.get(operation.operation_id, "")
        try:
            said = answer(Question(provider, order, operation, token))
        except AmbiguousOutcome:
            stuck.add(whose)
            said = UNKNOWN if operation.status is OperationStatus.REQUESTED else None
        order = books.record(order, operation, said) if said else order
    if stuck:
        raise Undecided(f"{order_id} {' '.join(sorted(stuck))}")
    return order


def _authorization(order: Order, operation: Operation) -> str:
    if operation.kind is OperationKind.AUTHORIZE:
        return operation.operation_id
    source = order.payment.source_of(operation)
    return source.operation_id if source else ""


def _asked(question: Question) -> Result | None:
    """What is with the buyer is told by webhook, or looked up when it is due."""
    if not question.is_with_the_buyer:
        return _answer(question)
    return _withdrawn(question) if question.is_unwanted else None


def _found(question: Question) -> Result | None:
    """None while the buyer has not decided."""
    if not question.is_with_the_buyer or question.is_unwanted:
        return None
    found = question.look_up()
    return None if found is None or found.status is OperationStatus.PENDING else found


def _swept(question: Question) -> Result | None:
    return _found(question) or _asked(question)


def _answer(question: Question) -> Result | None:
    if question.operation.status is not OperationStatus.REQUESTED or question.is_unwanted:
        found = question.look_up()
        if found is not None:
            return found
        if question.is_unwanted:
            return CANCELLED
    if not question.order.payment.is_backed(question.operation):
        return _not_backed(question)
    try:
        return _ask(question)
    except AmbiguousOutcome:
        return _looked_up(question)


def _looked_up(question: Question) -> Result:
    """At once; it may not be known yet, or still be on its way there."""
    found = question.look_up()
    if found is None:
        raise AmbiguousOutcome(question.key)
    return found


def _not_backed(question: Question) -> Result | None:
    """A refund waits for its capture; where that has failed there is nothing to give back."""
    payment, whose = question.order.payment, _authorization(question.order, question.operation)
    waits = any(
        each.kind is OperationKind.CAPTURE and _authorization(question.order, each) == whose
        for each in payment.unsettled
    )
    return None if waits else NOT_TAKEN


def _withdrawn(question: Question) -> Result | None:
    """An authorization that the buyer may still complete, for an order that is over.

    The withdrawal has a key of its own: a provider answers one key with one answer. What it
    refuses to withdraw has been decided meanwhile, and it says how.
    """
    operation, currency = question.operation, question.order.currency
    done = question.provider.void(
        f"{question.key}-void", operation.amount, currency, operation.reference
    )
    return WITHDRAWN if done.status is OperationStatus.SUCCEEDED else _looked_up(question)


def _ask(question: Question) -> Result:
    provider, operation, order = question.provider, question.operation, question.order
    asked = question.key, operation.amount, order.currency
    if operation.kind is OperationKind.AUTHORIZE:
        if question.reference:
            return provider.renew(*asked, question.reference, order.order_id)
        return provider.authorize(*asked, question.token, order.order_id)
    calls = {
        OperationKind.CAPTURE: provider.capture,
        OperationKind.VOID: provider.void,
        OperationKind.REFUND: provider.refund,
    }
    return calls[operation.kind](*asked, question.reference)
