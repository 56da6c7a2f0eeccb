"""What every channel adapter does: check who speaks, and put what it says into our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from oms.adapters.webhooks import Call
from oms.contracts.api.orders import ChannelOrder
from oms.domain.errors import OmsError


class MalformedOrder(OmsError):
    """A message with a good signature that is not what this channel sends."""

    def __init__(self, channel: str, why: str) -> None:
        super().__init__(f"{channel}: {why}")
        self.channel, self.why = channel, why


@dataclass(frozen=True, slots=True)
class Ignored:
    """A well-formed message that is none of our business; answered with 2xx and not kept."""

    why: str


@dataclass(frozen=True, slots=True)
class Units:
    """Of an order's line as the channel knows it; `sku` finds the line where the id does not."""

    quantity: int
    line_id: str = ""
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """The channel took an order. One that is known already is not changed by it."""

    order: ChannelOrder


@dataclass(frozen=True, slots=True)
class Updated:
    """The order as it is on the channel now, at its time `at` where it says so: placed where it is
    not known, else what differs is done here too. A state that is older than one that was seen
    changes nothing."""

    order: ChannelOrder
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The order, or these units of it, were called off there. `channel` and `external_id` as in
    ChannelOrder."""

    channel: str
    external_id: str
    reason: str = ""
    units: tuple[Units, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """The channel gave money back: `amount` in minor units, with all that belongs to it.

    `units` were given up for it: those not shipped yet are cancelled, of others it is goodwill or a
    return that the channel has settled. `refund_id` is the channel's own.
    """

    channel: str
    external_id: str
    refund_id: str
    amount: int
    currency: str
    units: tuple[Units, ...] = ()
    reason: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fulfilled:
    """Somebody else shipped these units, and told the channel; no units: all that is left. Not
    `certain`: a state that others use for something else, too."""

    channel: str
    external_id: str
    fulfillment_id: str
    units: tuple[Units, ...] = ()
    carrier: str = ""
    tracking_number: str = ""
    at: datetime | None = None
    certain: bool = True


@dataclass(frozen=True, slots=True)
class Fetch:
    """The message holds only the id: the order is asked for, and comes back as one of the others.
    `what` is the adapter's own word for how (`order`, `refund`…)."""

    channel: str
    external_id: str
    what: str = "order"


What = Placed | Updated | Cancelled | Refunded | Fulfilled | Fetch | Ignored


@dataclass(frozen=True, slots=True)
class Message:
    """What one delivery says. `message_id` is the sender's own id of it, the same when it is sent
    again; empty where it gives none: then its body is its id."""

    said: tuple[What, ...]
    message_id: str = ""


class Channel(Protocol):
    @property
    def code(self) -> str: ...

    def shop(self, call: Call) -> str:
        """Which of the channel's shops the message says it is from: a slug in lower case, empty
        where the channel has but one. It chooses the secret, and is believed with the signature.
        Raises MalformedOrder."""

    def verify(self, call: Call, secret: str) -> bool:
        """Whether the sender knows the secret, in constant time, within its replay window."""

    def read(self, call: Call) -> Message:
        """Raises MalformedOrder, or InvalidRequest when what it says breaks our contract. Orders
        are of the channel `named(code, shop)`."""


@runtime_checkable
class Shakes(Protocol):
    """A channel that asks a new address, by GET, whether whoever answers there expects it."""

    def shake(self, call: Call, token: str) -> str | Mapping[str, str] | None:
        """The answer, a text or an object; None where nothing is asked that we could answer.
        `token` is the secret of its handshakes, empty where nobody has stored one."""


@runtime_checkable
class Pings(Protocol):
    """A channel that tries an address out with messages that it does not sign."""

    def is_ping(self, call: Call) -> bool:
        """Whether it is such a message: it says nothing, and is only acknowledged."""


@runtime_checkable
class Expects(Protocol):
    """A channel that waits for an answer of its own, with what it does meanwhile."""

    def answer(self, call: Call) -> Mapping[str, str] | None:
        """What it goes on with; None where ours will do."""


def named(code: str, shop: str) -> str:
    """The `channel` of an order: a shop of a platform."""
    return f"{code}:{shop}" if shop else code


def one(said: What, message_id: str = "") -> Message:
    return Message((said,), message_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Orders that have changed, oldest change first; `cursor` continues, empty at the end."""

    said: Sequence[What] = field(default_factory=tuple)
    cursor: str = ""
