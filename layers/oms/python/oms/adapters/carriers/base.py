"""What every carrier adapter does: check who speaks, and put its words into ours."""

from __future__ import annotations

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
