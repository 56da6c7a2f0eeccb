"""What every carrier adapter does: check who speaks, and put its words into ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Protocol

from oms.adapters.webhooks import Call
from oms.domain.errors import OmsError
from oms.domain.tracking import TrackingUpdate


class MalformedUpdate(OmsError):
    """A message with a good signature that is not what this carrier sends."""

    def __init__(self, carrier: str, why: str) -> None:
        super().__init__(f"{carrier}: {why}")
        self.carrier, self.why = carrier, why


@dataclass(frozen=True, slots=True)
class Ignored:
    """A well-formed message that is none of our business; answered with 2xx and not kept."""

    why: str


class Carrier(Protocol):
    @property
    def code(self) -> str: ...

    def verify(self, call: Call, secret: str) -> bool:
        """Whether the sender knows the secret, in constant time, within its replay window."""

    def read(self, call: Call) -> tuple[TrackingUpdate, ...] | Ignored:
        """Of each parcel that the message is about. Raises MalformedUpdate."""


def hex_mac(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def base64_mac(message: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), message, hashlib.sha256)).decode()


class CarrierAnswered(MalformedUpdate):
    """The carrier answered with an error of its own: it does not know the number, or refuses us."""

    def __init__(self, carrier: str, error: str) -> None:
        super().__init__(carrier, f"the carrier answered with its error {error}")
        self.error = error


class Polled(Protocol):
    """A carrier that answers when it is asked."""

    @property
    def code(self) -> str: ...

    def read_answer(self, body: bytes, number: str = "") -> tuple[TrackingUpdate, ...]:
        """Of each parcel in the answer of its tracking API; `number` is what was asked for, where
        answers do not name it. Raises CarrierAnswered, MalformedUpdate."""
