"""A payment provider with a memory, and with the faults that real ones have."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
    """Money moves once per key. `faults` meet the next calls in turn; None is no fault."""

    code: str = "fake"
    faults: deque[Fault | None] = field(default_factory=deque)
    answers: dict[str, Result] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    calls: list[tuple[OperationKind, str]] = field(default_factory=list)

    def authorize(self, key: str, amount: int, currency: str, token: str) -> Result:
        return self._ask(Movement(OperationKind.AUTHORIZE, key, amount, currency, token))

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._ask(Movement(OperationKind.CAPTURE, key, amount, currency, reference))

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._ask(Movement(OperationKind.VOID, key, amount, currency, reference))

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result:
        return self._ask(Movement(OperationKind.REFUND, key, amount, currency, reference))

    def look_up(self, key: str, kind: OperationKind, token: str = "") -> Result | None:
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
        if fault is Fault.LOST_ANSWER:
            raise AmbiguousOutcome(movement.key)
        return result

    def _answer(self, movement: Movement, fault: Fault | None) -> Result:
        if movement.key not in self.answers:
            self.answers[movement.key] = _decided(movement, fault)
            if self.answers[movement.key].status is OperationStatus.SUCCEEDED:
                self.movements.append(movement)
        return self.answers[movement.key]


def _decided(movement: Movement, fault: Fault | None) -> Result:
    if fault is Fault.REFUSED or movement.reference in ("", "tok_declined"):
        return Result(OperationStatus.FAILED, reason="refused")
    return Result(OperationStatus.SUCCEEDED, reference=f"fake_{movement.key}")
