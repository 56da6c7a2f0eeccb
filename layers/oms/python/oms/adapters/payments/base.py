"""What every payment provider does: move money once per key, and admit when it is not sure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from oms.domain.errors import OmsError
from oms.domain.payment import OperationKind, OperationStatus


@dataclass(frozen=True, slots=True)
class Result:
    """A definite answer: succeeded, pending (a webhook tells the end), or failed with a reason."""

    status: OperationStatus
    reference: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider's webhook says: how the operation with this key ended."""

    order_id: str
    key: str
    result: Result


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
    that is raised happened before the provider was asked.
    """

    @property
    def code(self) -> str: ...

    def authorize(self, key: str, amount: int, currency: str, token: str) -> Result: ...

    def capture(self, key: str, amount: int, currency: str, reference: str) -> Result:
        """`reference` is the authorization's."""

    def void(self, key: str, amount: int, currency: str, reference: str) -> Result: ...

    def refund(self, key: str, amount: int, currency: str, reference: str) -> Result: ...

    def look_up(self, key: str, kind: OperationKind, token: str = "") -> Result | None:
        """How the operation with this key ended; None when the provider never heard of it."""

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether a webhook is the provider's own, and fresh. Headers have lower-case names."""

    def read(self, body: bytes) -> Notice | Ignored:
        """Raises MalformedNotice."""
