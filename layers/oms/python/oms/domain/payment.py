"""Payment operations: committed before the provider is called, never deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
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
    """`attempt` rises only after a definite failure, and with it the provider's key."""

    operation_id: str
    kind: OperationKind
    amount: int
    status: OperationStatus = OperationStatus.REQUESTED
    attempt: int = 1
    reference: str = ""
    reason: str = ""
    cause: str = ""

    @property
    def settled(self) -> bool:
        return self.status in SETTLED


def operation_key(order_id: str, operation: Operation) -> str:
    """The idempotency key under which the provider sees this operation."""
    text = f"{order_id}/{operation.operation_id}/{operation.attempt}"
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Payment:
    provider: str
    operations: tuple[Operation, ...] = ()

    def operation(self, operation_id: str) -> Operation:
        for operation in self.operations:
            if operation.operation_id == operation_id:
                return operation
        raise NotFound("payment operation", operation_id)

    @property
    def authorized(self) -> int:
        return self._sum(OperationKind.AUTHORIZE)

    @property
    def captured(self) -> int:
        return self._sum(OperationKind.CAPTURE)

    @property
    def refunded(self) -> int:
        return self._sum(OperationKind.REFUND)

    @property
    def voided(self) -> int:
        return self._sum(OperationKind.VOID)

    def committed(self, kind: OperationKind) -> int:
        """Succeeded or still on its way: what must not be asked for a second time."""
        return sum(
            o.amount
            for o in self.operations
            if o.kind is kind and o.status is not OperationStatus.FAILED
        )

    @property
    def unsettled(self) -> tuple[Operation, ...]:
        return tuple(o for o in self.operations if not o.settled)

    @property
    def authorization(self) -> Operation | None:
        """The newest authorization; captures and voids refer to it."""
        return _last(o for o in self.operations if o.kind is OperationKind.AUTHORIZE)

    @property
    def next_operation_id(self) -> str:
        return f"op_{len(self.operations) + 1}"

    def _sum(self, kind: OperationKind) -> int:
        return sum(
            o.amount
            for o in self.operations
            if o.kind is kind and o.status is OperationStatus.SUCCEEDED
        )


def _last(operations: Iterable[Operation]) -> Operation | None:
    found = None
    for operation in operations:
        found = operation
    return found
