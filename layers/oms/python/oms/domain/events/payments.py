"""What was asked of a payment provider, and what it said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.payment import Operation


@dataclass(frozen=True, slots=True)
class PaymentAuthorized:
    """Money can be captured until `valid_until`, where the provider says so. `confirms`: with it
    the order is paid for, and it was not before."""

    operation_id: str
    amount: int
    reference: str
    valid_until: datetime | None = None
    confirms: bool = True


@dataclass(frozen=True, slots=True)
class PaymentPending:
    """The buyer must act (3-D Secure); the provider's webhook tells the end."""

    operation_id: str
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentUnknown:
    """The provider's answer was lost; a look-up under the same key settles it."""

    operation_id: str


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    operation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentOperationRequested:
    operation: Operation


@dataclass(frozen=True, slots=True)
class PaymentCaptured:
    operation_id: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    operation_id: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentRefunded:
    operation_id: str
    amount: int
    reference: str


@dataclass(frozen=True, slots=True)
class PaymentAmountCorrected:
    """It moved `amount`, the provider says now, and not what it said `before`."""

    operation_id: str
    amount: int
    before: int


@dataclass(frozen=True, slots=True)
class PaymentOperationFailed:
    """A definite no to a capture, void or refund; nobody's money moved."""

    operation_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentOperationRetried:
    """Asked for again under a new key, after a definite failure. `amount`: what is still missing
    of it; None for all."""

    operation_id: str
    attempt: int
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class PaymentAuthorizationExpired:
    """What was not captured on it, `amount`, cannot be captured any more."""

    operation_id: str
    amount: int


@dataclass(frozen=True, slots=True)
class PaymentDisputed:
    """The buyer's bank wants money back that was taken on this authorization."""

    dispute_id: str
    operation_id: str
    amount: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PaymentDisputeClosed:
    """`won`: the money is ours after all."""

    dispute_id: str
    won: bool
