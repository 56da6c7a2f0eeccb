"""A payment provider with a memory, and with the faults that real ones have."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from oms.adapters.payments.base import AmbiguousOutcome, Ignored, Notice, Result
from oms.domain.payment import OperationKind, OperationStatus


class Fault(StrEnum):
    LOST_ANSWER = "it did it, and the answer was lost"
    LOST_REQUEST = "it never heard of it, and nobody knows"
    REFUSED = "it says no, for good under this key"


@dataclass(frozen=True, slots=True)
class Movement:
    kind: OperationKind
    key: str
    amount: int
    currency: str
    reference: str


@dataclass
class FakePsp:
    """Money moves once per key. `faults` meet the next calls in turn; None is no fault.

    `slow`: what it does at once and only tells by webhook, or when it is looked up. Authorizations
    are good for `valid_for`, by its `clock`. `called` hears of each call, once it was done.
    """

    code: str = "fake"
    prepaid: bool = False
    slow: frozenset[OperationKind] = frozenset()
    valid_for: timedelta | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    called: Callable[[OperationKind], None] = lambda _: None
    faults: deque[Fault | None] = field(default_factory=deque)
    answers: dict[str, Result] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    calls: list[tuple[OperationKind, str]] = field(default_factory=list)

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        return self._ask(Movement(OperationKind.AUTHORIZE, key, amount, currency, token))

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        return self._ask(Movement(OperationKind.AUTHORIZE, key, amount, currency, reference))

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._ask(Movement(OperationKind.CAPTURE, key, amount, currency, reference))

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._ask(Movement(OperationKind.VOID, key, amount, currency, reference))

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._ask(Movement(OperationKind.REFUND, key, amount, currency, reference))

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        return self.answers.get(key)

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        return bool(secret) and headers.get("fake-signature") == secret

    def read(self, body: bytes) -> Notice | Ignored:
        said = json.loads(body)
        return Notice(said["order_id"], said["key"], self.answers[said["key"]])

    def moved(self, kind: OperationKind) -> int:
        return sum(each.amount for each in self.movements if each.kind is kind)

    def _ask(self, movement: Movement) -> Result:
        self.calls.append((movement.kind, movement.key))
        fault = self.faults.popleft() if self.faults else None
        if fault is Fault.LOST_REQUEST:
            raise AmbiguousOutcome(movement.key)
        result = self._answer(movement, fault)
        self.called(movement.kind)
        if fault is Fault.LOST_ANSWER:
            raise AmbiguousOutcome(movement.key)
        if movement.kind in self.slow and result.status is OperationStatus.SUCCEEDED:
            return Result(OperationStatus.PENDING, result.reference)
        return result

    def _answer(self, movement: Movement, fault: Fault | None) -> Result:
        if movement.key not in self.answers:
            self.answers[movement.key] = self._decided(movement, fault)
            if self.answers[movement.key].status is OperationStatus.SUCCEEDED:
                self.movements.append(movement)
        return self.answers[movement.key]

    def _decided(self, movement: Movement, fault: Fault | None) -> Result:
        if fault is Fault.REFUSED or movement.reference in ("", "tok_declined"):
            return Result(OperationStatus.FAILED, reason="refused")
        if movement.kind is OperationKind.CAPTURE and self._has_ended(movement.reference):
            return Result(OperationStatus.FAILED, reason="the authorization has expired")
        done, reference = OperationStatus.SUCCEEDED, f"fake_{movement.key}"
        if movement.kind is OperationKind.AUTHORIZE and self.valid_for:
            return Result(done, reference, valid_until=self.clock() + self.valid_for)
        return Result(done, reference)

    def _has_ended(self, reference: str) -> bool:
        known = (each for each in self.answers.values() if each.reference == reference)
        until = next((each.valid_until for each in known), None)
        return until is not None and until < self.clock()
