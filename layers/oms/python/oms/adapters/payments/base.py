"""What every payment provider does: move money once per key, and admit when it is not sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oms.domain.errors import OmsError
from oms.domain.payment import DisputeStatus, OperationKind, OperationStatus


@dataclass(frozen=True, slots=True)
class Result:
    """A definite answer: succeeded, pending (a webhook tells the end), or failed with a reason.

    `valid_until`: how long an authorization's money can be captured. `amount`: what really moved,
    where the provider says so; it may be less than what was asked for.
    """

    status: OperationStatus
    reference: str = ""
    reason: str = ""
    valid_until: datetime | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider's webhook says: how the operation with this key ended."""

    order_id: str
    key: str
    result: Result


@dataclass(frozen=True, slots=True)
class DisputeNotice:
    """The buyer's bank wants `amount` back of what `reference`, an authorization's, has paid."""

    order_id: str
    reference: str
    dispute_id: str
    amount: int
    status: DisputeStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    why: str


class AmbiguousOutcome(Exception):
    """The answer was lost: the money may have moved. Only a look-up under the same key can tell."""


class MalformedNotice(OmsError):
    """A webhook with a good signature that is not what this provider sends."""


class Provider(Protocol):
    """Amounts are minor units. The same key with the same request moves money once, ever.

    A declined card is a `Result`; `AmbiguousOutcome` is raised when nobody knows; anything else
    that is raised happened before the provider was asked. `reference` is the authorization's.
    """

    @property
    def code(self) -> str: ...

    @property
    def prepaid(self) -> bool:
        """Whether the money of an authorization is ours as soon as it has succeeded."""

    def authorize(
        self, key: str, amount: int, currency: str, token: str, order_id: str = ""
    ) -> Result:
        """`order_id`: whom the provider's webhooks will name."""

    def renew(
        self, key: str, amount: int, currency: str, reference: str, order_id: str = ""
    ) -> Result:
        """A new authorization of the same buyer's money; the old one is left as it is."""

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        """A part of the authorization, or another part of it."""

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result:
        """Release what has not been captured."""

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result: ...

    def look_up(
        self, key: str, kind: OperationKind, token: str = "", reference: str = ""
    ) -> Result | None:
        """How the operation with this key ended; None when the provider never heard of it.

        `reference`: of the authorization whose money it moves, or of the one that is looked up.
        """

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether a webhook is the provider's own, and fresh. Headers have lower-case names."""

    def read(self, body: bytes) -> Notice | DisputeNotice | Ignored:
        """Raises MalformedNotice."""
