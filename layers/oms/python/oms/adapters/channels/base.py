"""What every channel adapter does: check who speaks, and put its order into ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from oms.contracts.api.orders import ChannelOrder
from oms.domain.errors import OmsError


class MalformedOrder(OmsError):
    """A message with a good signature that is not what this channel sends."""

    def __init__(self, channel: str, why: str) -> None:
        super().__init__(f"{channel}: {why}")
        self.channel, self.why = channel, why


@dataclass(frozen=True, slots=True)
class Ignored:
    """A well-formed message that makes no order; answered with 2xx and not kept."""

    why: str


class Channel(Protocol):
    @property
    def code(self) -> str: ...

    def verify(self, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Whether the sender knows the secret. Headers have lower-case names."""

    def read(self, body: bytes, headers: Mapping[str, str]) -> ChannelOrder | Ignored:
        """Raises MalformedOrder, or InvalidRequest when what it says breaks our contract."""
