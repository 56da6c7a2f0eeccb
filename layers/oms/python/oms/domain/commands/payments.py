"""What concerns money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.payment import DisputeStatus, OperationStatus


@dataclass(frozen=True, slots=True)
class RecordPaymentResult:
    """What the provider said of an operation; `attempt` is the one that was asked. `amount`: what
    really moved, None if it does not say."""

    operation_id: str
    attempt: int
    status: OperationStatus
    reference: str = ""
    reason: str = ""
    valid_until: datetime | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class RetryPaymentOperation:
    operation_id: str


@dataclass(frozen=True, slots=True)
class RenewAuthorization:
    """Of money that can be captured until `until`, and no longer."""

    until: datetime


@dataclass(frozen=True, slots=True)
class ExpireAuthorization:
    """What could be captured until `at` cannot be any more."""

    at: datetime


@dataclass(frozen=True, slots=True)
class RecordDispute:
    """What the buyer's bank said of the money that was paid under `reference`, a provider's."""

    provider: str
    reference: str
    dispute_id: str
    amount: int
    status: DisputeStatus
    reason: str = ""
