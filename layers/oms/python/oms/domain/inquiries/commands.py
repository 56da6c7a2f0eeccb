"""What is asked of an inquiry."""

from __future__ import annotations

from dataclasses import dataclass

from oms.domain.inquiries.model import Deed, Origin, Priority


@dataclass(frozen=True, slots=True)
class OpenInquiry:
    """`key`: of its first text."""

    inquiry_id: str
    customer_id: str
    category: str
    priority: Priority
    origin: Origin
    order_id: str = ""
    line_id: str = ""
    return_id: str = ""
    follows: str = ""
    language: str = "en"
    key: str = ""


@dataclass(frozen=True, slots=True)
class Classify:
    category: str
    priority: Priority


@dataclass(frozen=True, slots=True)
class Assign:
    assignee: str


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """Of the customer."""

    key: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    key: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    waits: bool = True
    key: str = ""


@dataclass(frozen=True, slots=True)
class Resolve:
    deed: Deed
    outcome: str = ""
    amount: int = 0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Reopen:
    pass


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class LookAt:
    """Whether one of its targets is missed, or it can be closed: by the clock."""


Command = Classify | Assign | TakeMessage | Note | Answer | Resolve | Reopen | Close | LookAt
