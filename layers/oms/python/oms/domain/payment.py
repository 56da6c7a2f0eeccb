"""Payment operations: committed before the provider is called, never deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from oms.domain.errors import NotFound


class OperationKind(StrEnum):
    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class OperationStatus(StrEnum):
    REQUESTED = "requested"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


# A definite answer is final; an unknown one is settled by look-up only.
SETTLED = frozenset({OperationStatus.SUCCEEDED, OperationStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Operation:
    """`attempt` rises only after a definite failure, and with it the provider's key.

    `provider`: empty for the order's own. `of`: the authorization whose money it moves, or that it
    renews; empty where there was one only. `to`: the account that a refund goes to, where it does
    not go back where it came from; of an authorization, the one of another order whose means of
    payment is asked once more. `cause`: the fulfillment order, credit or edit that asked.
    `like`: the authorization whose means of payment, which nobody gave again, is asked once more.
    `prepaid`: the money of an authorization is ours as soon as it has succeeded.
    """

    operation_id: str
    kind: OperationKind
    amount: int
    status: OperationStatus = OperationStatus.REQUESTED
    attempt: int = 1
    reference: str = ""
    reason: str = ""
    cause: str = ""
    provider: str = ""
    of: str = ""
    to: str = ""
    valid_until: datetime | None = None
    prepaid: bool = False
    like: str = ""

    @property
    def settled(self) -> bool:
        return self.status in SETTLED


def operation_key(order_id: str, operation: Operation) -> str:
    """The idempotency key under which the provider sees this operation."""
    text = f"{order_id}/{operation.operation_id}/{operation.attempt}"
    return hashlib.sha256(text.encode()).hexdigest()[:40]


RENEW_BEFORE = timedelta(days=1)  # its end, so that a person has time where it is refused


def renewal_due(authorized_at: datetime, valid_until: datetime) -> datetime:
    """A day before the end of an authorization; half way to it where it is short."""
    half_way = authorized_at + (valid_until - authorized_at) / 2
    return max(half_way, valid_until - RENEW_BEFORE)


class DisputeStatus(StrEnum):
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Dispute:
    """The buyer's bank takes money back; `operation_id` is the authorization it was taken on.

    Once it is lost that money is gone: as if it had been refunded, but by others.
    """

    dispute_id: str
    operation_id: str
    amount: int
    reason: str = ""
    status: DisputeStatus = DisputeStatus.OPEN


@dataclass(frozen=True, slots=True)
class Tender:
    """An authorization that succeeded, and what became, or will become, of its money.

    Amounts are of what was asked for and has not failed: it must not be asked for twice.
    `replaced`: it was renewed; nothing more is captured on it. `lapsed`: of what is voided, what
    ended by itself.
    """

    operation: Operation
    captured: int
    voided: int
    refunded: int
    disputed: int
    replaced: bool
    lapsed: int = 0

    @property
    def operation_id(self) -> str:
        return self.operation.operation_id

    @property
    def unused(self) -> int:
        """Nothing where more was taken than had been authorized."""
        return max(0, self.operation.amount - self.captured - self.voided)

    @property
    def left(self) -> int:
        """What can be captured on it."""
        return 0 if self.replaced else self.unused

    @property
    def refundable(self) -> int:
        return max(0, self.captured - self.refunded - self.disputed)

    @property
    def worth(self) -> int:
        return self.captured if self.replaced else self.operation.amount

    def ends_by(self, at: datetime) -> bool:
        """Whether something could be captured on it until then, or not even so long."""
        until = self.operation.valid_until
        return bool(self.left) and until is not None and until <= at


EXPIRED = "expired"  # the cause of a void that nobody has asked for
Shares = tuple[tuple[str, int], ...]  # authorizations, and how much of each


@dataclass(frozen=True, slots=True)
class Payment:
    """`provider` is that of operations that name no other."""

    provider: str
    operations: tuple[Operation, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    def operation(self, operation_id: str) -> Operation:
        for operation in self.operations:
            if operation.operation_id == operation_id:
                return operation
        raise NotFound("payment operation", operation_id)

    @property
    def authorized(self) -> int:
        """What was renewed counts once."""
        return sum(tender.worth for tender in self.tenders)

    @property
    def captured(self) -> int:
        return self._sum(OperationKind.CAPTURE)

    @property
    def refunded(self) -> int:
        return self._sum(OperationKind.REFUND)

    @property
    def voided(self) -> int:
        return self._sum(OperationKind.VOID) - self._withdrawn_for_another

    def committed(self, kind: OperationKind) -> int:
        """Succeeded or still on its way: what must not be asked for a second time."""
        return sum(o.amount for o in self.operations if o.kind is kind and not _failed(o))

    @property
    def unsettled(self) -> tuple[Operation, ...]:
        return tuple(o for o in self.operations if not o.settled)

    @property
    def authorizations(self) -> tuple[Operation, ...]:
        return tuple(o for o in self.operations if o.kind is OperationKind.AUTHORIZE)

    @property
    def first_authorizations(self) -> tuple[Operation, ...]:
        """Those that the order was placed with: its split tender."""
        return tuple(o for o in self.authorizations if not o.of and not o.cause)

    def renewal_of(self, operation_id: str) -> Operation | None:
        return next((o for o in self.authorizations if o.of == operation_id), None)

    @property
    def tenders(self) -> tuple[Tender, ...]:
        """Oldest first."""
        done = OperationStatus.SUCCEEDED
        return tuple(self._tender(o) for o in self.authorizations if o.status is done)

    def tender(self, operation_id: str) -> Tender | None:
        found = (each for each in self.tenders if each.operation.operation_id == operation_id)
        return next(found, None)

    def source_of(self, operation: Operation) -> Operation | None:
        """The authorization whose money a capture, void or refund moves."""
        if operation.of:
            return self.operation(operation.of)
        return self.authorizations[0] if self.authorizations else None

    def provider_of(self, operation: Operation) -> str:
        """Who is asked for it: whoever was named, else whoever has authorized the money."""
        if operation.provider or operation.kind is OperationKind.AUTHORIZE:
            return operation.provider or self.provider
        source = self.source_of(operation)
        return source.provider or self.provider if source else self.provider

    def to_capture(self, amount: int) -> Shares:
        """Of the oldest tender first; less than the amount where there is no more."""
        return _shared(amount, ((each, each.left) for each in self.tenders))

    def to_refund(self, amount: int) -> Shares:
        """Of the newest tender first, at most what was taken on each."""
        return _shared(amount, ((each, each.refundable) for each in reversed(self.tenders)))

    def is_backed(self, operation: Operation) -> bool:
        """Whether what a refund gives back has really been taken by now."""
        source = self.source_of(operation)
        if operation.kind is not OperationKind.REFUND or source is None:
            return True
        taken = self._done(source.operation_id, OperationKind.CAPTURE)
        given = self._done(source.operation_id, OperationKind.REFUND)
        return given + operation.amount <= taken

    @property
    def refundable(self) -> int:
        return sum(tender.refundable for tender in self.tenders)

    def named(self, operation_id: str) -> str:
        """How a new operation names its authorization: the only one needs no name."""
        return operation_id if len(self.authorizations) > 1 else ""

    @property
    def next_operation_id(self) -> str:
        return f"op_{len(self.operations) + 1}"

    @property
    def disputed(self) -> int:
        """By disputes that are open or lost."""
        return sum(each.amount for each in self.disputes if each.status is not DisputeStatus.WON)

    @property
    def is_disputed(self) -> bool:
        return any(each.status is DisputeStatus.OPEN for each in self.disputes)

    @property
    def lost(self) -> int:
        """By disputes."""
        return sum(each.amount for each in self.disputes if each.status is DisputeStatus.LOST)

    def dispute(self, dispute_id: str) -> Dispute | None:
        return next((each for each in self.disputes if each.dispute_id == dispute_id), None)

    def _tender(self, authorization: Operation) -> Tender:
        identity = authorization.operation_id
        renewals = (o for o in self.authorizations if o.of == identity)
        disputes = (d for d in self.disputes if d.operation_id == identity)
        return Tender(
            authorization,
            captured=self._moved(identity, OperationKind.CAPTURE),
            voided=self._moved(identity, OperationKind.VOID),
            refunded=self._moved(identity, OperationKind.REFUND),
            disputed=sum(d.amount for d in disputes if d.status is not DisputeStatus.WON),
            replaced=any(o.status is OperationStatus.SUCCEEDED for o in renewals),
            lapsed=sum(o.amount for o in self._of(identity, OperationKind.VOID) if _lapsed(o)),
        )

    def _moved(self, identity: str, kind: OperationKind) -> int:
        return sum(o.amount for o in self._of(identity, kind) if not _failed(o))

    def _done(self, identity: str, kind: OperationKind) -> int:
        done = OperationStatus.SUCCEEDED
        return sum(o.amount for o in self._of(identity, kind) if o.status is done)

    def _of(self, identity: str, kind: OperationKind) -> Iterator[Operation]:
        """What moves, or has moved, the money of an authorization."""
        for operation in self.operations:
            if operation.kind is kind and _is(self.source_of(operation), identity):
                yield operation

    @property
    def _withdrawn_for_another(self) -> int:
        """Of authorizations that were renewed: that money is reserved elsewhere."""
        replaced = {t.operation.operation_id for t in self.tenders if t.replaced}
        return sum(
            o.amount
            for o in self.operations
            if o.kind is OperationKind.VOID
            and o.status is OperationStatus.SUCCEEDED
            and (source := self.source_of(o))
            and source.operation_id in replaced
        )

    def _sum(self, kind: OperationKind) -> int:
        return sum(
            o.amount
            for o in self.operations
            if o.kind is kind and o.status is OperationStatus.SUCCEEDED
        )


def _failed(operation: Operation) -> bool:
    return operation.status is OperationStatus.FAILED


def _lapsed(operation: Operation) -> bool:
    return operation.cause == EXPIRED


def _is(operation: Operation | None, identity: str) -> bool:
    return operation is not None and operation.operation_id == identity


def _shared(amount: int, rooms: Iterable[tuple[Tender, int]]) -> Shares:
    shares: list[tuple[str, int]] = []
    for tender, room in rooms:
        taken = min(amount, room)
        if taken > 0:
            shares.append((tender.operation.operation_id, taken))
            amount -= taken
    return tuple(shares)
