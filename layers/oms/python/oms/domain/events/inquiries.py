"""Of an inquiry; what was written in it is told to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from oms.domain.inquiries.model import Deed, Missed, Origin, Priority, Targets


@dataclass(frozen=True, slots=True)
class InquiryOpened:
    """`targets`: seconds of open hours; `due_at`: when the first of them is over; `text`: the
    number of its first text. `follows`: the closed inquiry that it goes on from."""

    inquiry_id: str
    customer_id: str
    category: str
    priority: Priority
    origin: Origin
    targets: Targets
    due_at: datetime
    order_id: str = ""
    line_id: str = ""
    return_id: str = ""
    follows: str = ""
    language: str = "en"
    key: str = ""


@dataclass(frozen=True, slots=True)
class InquiryClassified:
    """`spent`: seconds of open hours so far."""

    inquiry_id: str
    category: str
    priority: Priority
    targets: Targets
    spent: int
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InquiryAssigned:
    """Without an assignee it is nobody's again."""

    inquiry_id: str
    assignee: str = ""


@dataclass(frozen=True, slots=True)
class InquiryMessageReceived:
    """By the customer; the clock goes on where it stood."""

    inquiry_id: str
    text: int
    spent: int
    due_at: datetime | None = None
    key: str = ""


@dataclass(frozen=True, slots=True)
class InquiryNoted:
    """Internally."""

    inquiry_id: str
    text: int
    key: str = ""


@dataclass(frozen=True, slots=True)
class InquiryAnswered:
    """`waits`: for the customer, and the clock stands. `order_id`: where the address is known."""

    inquiry_id: str
    text: int
    spent: int
    waits: bool = True
    due_at: datetime | None = None
    order_id: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class InquiryResolved:
    """`outcome`: the credit, the return or the order that came of it; `amount` in minor units."""

    inquiry_id: str
    deed: Deed
    spent: int
    closes_at: datetime
    order_id: str = ""
    outcome: str = ""
    amount: int = 0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class InquiryReopened:
    """Its clock begins anew. `text`: the customer's message that did it, 0 where staff did."""

    inquiry_id: str
    due_at: datetime
    text: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class InquiryOverdue:
    """`due_at`: the next of its targets."""

    inquiry_id: str
    missed: Missed
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InquiryClosed:
    """For good: whoever writes again opens another one. `spent`: seconds of open hours, in all."""

    inquiry_id: str
    spent: int
