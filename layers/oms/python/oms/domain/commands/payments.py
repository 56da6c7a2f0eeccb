"""What concerns money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.payment import OperationStatus


@dataclass(frozen=True, slots=True)
class RecordPaymentResult:
    """What the provider said of an operation; `attempt` is the one that was asked."""

    operation_id: str
    attempt: int
    status: OperationStatus
    reference: str = ""
    reason: str = ""
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RetryPaymentOperation:
    operation_id: str
