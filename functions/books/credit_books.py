"""Do store credit and gift cards balance: with themselves, and with the orders that they paid?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from oms.adapters.credit_ledger import CreditFile, Posted
from oms.domain.books.difference import Difference
from oms.domain.order import Order
from oms.domain.payment import Operation, OperationKind, OperationStatus, operation_key
from oms.domain.returns.exchanging import EXCHANGE
from oms.domain.store_credit import (
    PREFIXES,
    CreditAccount,
    CreditHold,
    Entry,
    EntryKind,
    worth,
)

LOOKS = 3
CLOCKS_DIFFER = timedelta(minutes=1)
PAID_OUT = "what was paid out was asked for"
FIGURES = {
    EntryKind.ISSUED: "issued",
    EntryKind.ADJUSTED: "adjusted",
    EntryKind.TAKEN: "spent",
    EntryKind.GIVEN_BACK: "given_back",
    EntryKind.EXPIRED: "expired",
    EntryKind.CANCELLED: "cancelled",
}


class Ledger(Protocol):
    def scan(self, after: str | None = None) -> Iterator[CreditFile]: ...
    def file(self, account_id: str) -> CreditFile: ...
    def posted(self, key: str) -> Posted | None: ...


class Orders(Protocol):
    def many(self, order_ids: Iterable[str]) -> dict[str, Order]: ...


def audited(
    ledger: Ledger, orders: Orders, after: str | None = None
) -> Iterator[tuple[CreditFile, list[Difference]]]:
    """Every account with what differs at every look: it and its orders move meanwhile."""
    for file in ledger.scan(after):
        found = differences(file, orders)
        for _ in range(LOOKS - 1):
            if not found:
                break
            file = ledger.file(file.account_id)
            found = differences(file, orders)
        yield file, found


def figures(file: CreditFile) -> Counter[str]:
    counted: Counter[str] = Counter(credit_accounts=1, credit_entries=len(file.entries))
    if file.account is None:
        return counted
    currency = file.account.currency
    counted[f"credit_balance_{currency}"] += file.account.balance
    counted[f"credit_held_{currency}"] += file.account.held
    for entry in file.entries:
        if entry.kind in FIGURES:
            counted[f"credit_{FIGURES[entry.kind]}_{currency}"] += entry.amount
    return counted


def credit_of_order(ledger: Ledger, order: Order) -> Iterator[Difference]:
    """What the order says of its store credit and gift cards is what the ledger has done."""
    payment = order.payment
    for operation in payment.operations:
        if operation.settled and _is_of_the_ledger(order, operation):
            done = operation.status is OperationStatus.SUCCEEDED
            posted = ledger.posted(operation_key(order.order_id, operation))
            moved = posted.amount if posted and not posted.refused else 0
            yield from _same(
                f"{order.order_id} {operation.operation_id}",
                "credit has moved as the order says",
                operation.amount if done else 0,
                moved,
            )


def payouts(order: Order) -> Iterator[str]:
    """Under which keys it asked for money to be paid out to accounts that did not pay for it."""
    for each in order.payment.operations:
        if (each.to or _is_left(order, each)) and _is_of_the_ledger(order, each):
            yield operation_key(order.order_id, each)


def _is_of_the_ledger(order: Order, operation: Operation) -> bool:
    return order.payment.provider_of(operation) in PREFIXES or _is_left(order, operation)


def _is_left(order: Order, operation: Operation) -> bool:
    """Of an exchange: what the order does not need of it becomes store credit."""
    of_exchange = order.payment.provider_of(operation) == EXCHANGE
    return of_exchange and operation.kind is OperationKind.REFUND and not operation.to


def unasked(file: CreditFile, asked: Container[str], began: datetime) -> Iterator[Difference]:
    """An order asks before anything is paid out, so whoever has since read all orders knows it."""
    for entry in paid_out(file, began):
        if entry.key not in asked:
            yield never_asked(file.account_id, entry.seq, entry.amount)


def paid_out(file: CreditFile, began: datetime) -> Iterator[Entry]:
    """Before this moment, without an authorization that it goes back to."""
    for entry in file.entries:
        is_old = entry.at < began - CLOCKS_DIFFER
        if is_old and entry.kind is EntryKind.GIVEN_BACK and not entry.hold:
            yield entry


def never_asked(account_id: str, seq: int, amount: int) -> Difference:
    return Difference(f"{account_id} entry {seq}", PAID_OUT, 0, amount)


def differences(file: CreditFile, orders: Orders) -> list[Difference]:
    if file.account is None:
        rule = "entries belong to an account"
        return [Difference(file.account_id, rule, 0, len(file.entries))]
    return [
        *_sums(file.account, file.entries),
        *_held(file.account, file.holds),
        *_of_orders(file, orders),
    ]


def _sums(account: CreditAccount, entries: Sequence[Entry]) -> Iterator[Difference]:
    name = account.account_id
    folded = CreditAccount(name, account.currency)
    for entry in entries:
        folded = folded.after(entry)
    yield from _same(name, "entries are numbered without a gap", len(entries), account.version)
    yield from _same(name, "entries add up to the balance", folded.balance, account.balance)
    yield from _same(name, "entries add up to what is held", folded.held, account.held)
    yield from _same(name, "lots are what is available", worth(account.lots), account.available)
    yield from _same(name, "lots are those of the entries", int(folded.lots == account.lots), 1)
    least = min((lot.amount for lot in account.lots), default=0)
    yield from _same(name, "no lot is negative", 0, min(least, account.available, 0))


def _held(account: CreditAccount, holds: Sequence[CreditHold]) -> Iterator[Difference]:
    held = sum(worth(hold.held) for hold in holds)
    rule = "what is held is that of authorizations"
    yield from _same(account.account_id, rule, held, account.held)


def _of_orders(file: CreditFile, orders: Orders) -> Iterator[Difference]:
    """Orders whose money is on its way are looked at when it has arrived."""
    known = orders.many(hold.order_id for hold in file.holds if hold.order_id)
    for hold in file.holds:
        order = known.get(hold.order_id)
        asked = _asked(order, hold.key) if order else None
        if hold.order_id and not (order and order.payment.unsettled):
            held, taken = _expected(order, asked) if order and asked else (0, 0)
            subject = f"{file.account_id} {hold.order_id}"
            rule = "what is held is authorized by its order"
            yield from _same(subject, rule, held, worth(hold.held))
            rule = "what was taken is what its order has captured and not refunded"
            yield from _same(subject, rule, taken, worth(hold.taken))


def _asked(order: Order, key: str) -> Operation | None:
    asked = (o for o in order.payment.authorizations if operation_key(order.order_id, o) == key)
    return next(asked, None)


def _expected(order: Order, asked: Operation) -> tuple[int, int]:
    """What should be held of an authorization, and what should have been taken for good."""
    if asked.status is not OperationStatus.SUCCEEDED:
        return 0, 0
    moved: Counter[OperationKind] = Counter()
    for each in order.payment.operations:
        if each.status is OperationStatus.SUCCEEDED and order.payment.source_of(each) == asked:
            moved[each.kind] += 0 if each.to else each.amount
    captured = moved[OperationKind.CAPTURE]
    left = asked.amount - captured - moved[OperationKind.VOID]
    return left, captured - moved[OperationKind.REFUND]


def _same(subject: str, rule: str, expected: int, actual: int) -> Iterator[Difference]:
    if expected != actual:
        yield Difference(subject, rule, expected, actual)
