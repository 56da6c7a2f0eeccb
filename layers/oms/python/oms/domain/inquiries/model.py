"""An inquiry: what somebody asks of us, and how far it is. What was written is not in it: texts are
personal, and numbered here only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from oms.domain.ids import name_of

PREFIX = "inq_"
REFERENCE_LETTERS = 16  # 80 bits: nobody guesses what opens an inquiry to his mail
MAX_TEXTS = 500  # of an inquiry: who writes more is not read
MAX_LETTERS = 4_000  # of one text


class InquiryState(StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    WAITING_FOR_CUSTOMER = "waiting_for_customer"
    RESOLVED = "resolved"
    CLOSED = "closed"


ACTIVE = frozenset({InquiryState.OPEN, InquiryState.IN_PROGRESS, InquiryState.WAITING_FOR_CUSTOMER})
RUNNING = frozenset({InquiryState.OPEN, InquiryState.IN_PROGRESS})


class Priority(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class Origin(StrEnum):
    PAGE = "page"
    MAIL = "mail"
    STAFF = "staff"


class Deed(StrEnum):
    """What an inquiry was resolved by."""

    ANSWERED = "answered"
    REFUND = "refund"
    RESEND = "resend"
    CANCEL = "cancel"


class Missed(StrEnum):
    FIRST_ANSWER = "first_answer"
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class Targets:
    """Seconds of open hours: until the first answer, and until it is resolved."""

    first_answer: int
    resolution: int


@dataclass(frozen=True, slots=True)
class Clock:
    """`spent`: seconds of open hours that have counted by `since`; while it stands, `since` is
    None."""

    spent: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was done for it: `outcome` names the credit, the return or the order that came of it;
    `fingerprint`: of what was asked, so that the same is done once."""

    deed: Deed
    at: datetime
    actor: str
    outcome: str = ""
    amount: int = 0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """`texts`: how many were written, public and internal; `unanswered`: the customer waits for a
    word since it was opened, or opened again; `due_at`: the next of its targets, while its clock
    runs; `missed`: those that were; `keys`: of texts that were taken, told again they are known;
    `resolutions`: one for each time that it was resolved; `closes_at`: when nobody is heard of."""

    inquiry_id: str
    customer_id: str
    category: str
    priority: Priority
    origin: Origin
    state: InquiryState
    opened_at: datetime
    opened_by: str
    targets: Targets
    clock: Clock
    updated_at: datetime
    order_id: str = ""
    line_id: str = ""
    return_id: str = ""
    follows: str = ""
    language: str = "en"
    assignee: str = ""
    texts: int = 0
    unanswered: bool = True
    answered_at: datetime | None = None
    due_at: datetime | None = None
    missed: tuple[Missed, ...] = ()
    keys: tuple[str, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    reopened: int = 0
    closes_at: datetime | None = None
    version: int = 0

    @property
    def reference(self) -> str:
        return self.inquiry_id.removeprefix(PREFIX)

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE

    @property
    def runs(self) -> bool:
        return self.state in RUNNING

    @property
    def is_overdue(self) -> bool:
        """A target was missed, and we are still to do what it was for."""
        unanswered = self.unanswered and Missed.FIRST_ANSWER in self.missed
        return self.runs and (unanswered or Missed.RESOLUTION in self.missed)

    @property
    def look_at(self) -> datetime | None:
        """When something is to be done about it, if nobody does anything before."""
        return self.closes_at if self.state is InquiryState.RESOLVED else self.due_at


def inquiry_id_of(*seed: str) -> str:
    return PREFIX + name_of("inquiry", *seed)[:REFERENCE_LETTERS]
