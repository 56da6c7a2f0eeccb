"""What customers ask: what staff and clients say of it, what they see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from oms.contracts.api.fields import (
    MAX_TOTAL,
    Contract,
    Cursor,
    Email,
    FreeText,
    Identity,
    Label,
    PageSize,
    Reason,
    Slug,
    repeats,
)
from oms.contracts.api.inquiry_policy import PriorityName
from oms.contracts.api.orders import LineQuantity
from oms.contracts.api.views import At, View
from oms.contracts.invalid import Fault
from oms.domain.inquiries.canned import faults_of
from oms.domain.inquiries.model import MAX_LETTERS

# Lines and tabs, and no other control character.
Prose = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=MAX_LETTERS, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
    ),
]
Person = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]*$")]
Language = Literal["de", "en", "es", "fr", "pt"]
StateName = Literal["open", "in_progress", "waiting_for_customer", "resolved", "closed"]


class InquirerGiven(Contract):
    """Of an inquiry that belongs to no order. With an `email` answers are sent there."""

    customer_id: Identity | None = None
    email: Email | None = None
    name: FreeText = ""

    def faults(self) -> Iterator[Fault]:
        if not self.customer_id and not self.email:
            yield Fault("email", "is missing, and so is the customer_id")


class OpenInquiry(Contract):
    """`line_id` and `return_id` are of the order. `internal`: the text is a note of ours; else it
    is what the customer has said."""

    text: Prose
    subject: FreeText = ""
    category: Slug = "other"
    priority: PriorityName = "normal"
    order_id: Identity | None = None
    line_id: Identity | None = None
    return_id: Identity | None = None
    customer: InquirerGiven | None = None
    assignee: Person | Literal[""] = ""
    language: Language = "en"
    internal: bool = False

    def faults(self) -> Iterator[Fault]:
        if self.order_id is None:
            if self.customer is None:
                yield Fault("customer", "is missing, and so is the order_id")
            for fault in self.customer.faults() if self.customer else ():
                yield Fault(f"customer.{fault.field}", fault.reason)
            for name in ("line_id", "return_id"):
                if getattr(self, name) is not None:
                    yield Fault(name, "belongs to an order: say its order_id")


class InquiryQuery(Contract):
    """Without a state: active ones, the overdue first. `assignee`: `nobody` is one."""

    state: StateName | None = None
    assignee: Person | None = None
    category: Slug | None = None
    order: Identity | None = None
    cursor: Cursor | None = None
    limit: PageSize = 50


class SendMessage(Contract):
    """To the customer: a text, or the canned answer of this id. `waits`: for the customer to
    answer; until then no time counts."""

    text: Prose | None = None
    canned_answer: Slug | None = None
    waits: bool = True

    def faults(self) -> Iterator[Fault]:
        if (self.text is None) == (self.canned_answer is None):
            yield Fault("text", "or a canned_answer, and not both")


class AddNote(Contract):
    text: Prose


class AssignInquiry(Contract):
    """What is not said stays as it is; an empty assignee: nobody."""

    assignee: Person | Literal[""] | None = None
    category: Slug | None = None
    priority: PriorityName | None = None

    def faults(self) -> Iterator[Fault]:
        if self.assignee is None and self.category is None and self.priority is None:
            yield Fault("body", "changes nothing")


class RefundGiven(Contract):
    """In the smallest unit of the order's currency, as goodwill."""

    amount: Annotated[int, Field(ge=1, le=MAX_TOTAL)]
    line_id: Identity | None = None
    destination: Literal["original", "store_credit"] = "original"


class ResendGiven(Contract):
    """Once more for nothing, and nothing has to come back. `reason`: one of the policy of returns;
    `not_received` of what never came."""

    lines: Annotated[list[LineQuantity], Field(min_length=1, max_length=100)]
    reason: Slug = "not_received"

    def faults(self) -> Iterator[Fault]:
        for place in repeats(each.line_id for each in self.lines):
            yield Fault(f"lines[{place}].line_id", "is given twice")


class CancelGiven(Contract):
    """Without lines: all that has not shipped."""

    lines: Annotated[list[LineQuantity], Field(max_length=100)] = Field(default_factory=list)


class ResolveInquiry(Contract):
    """Done through the order's own commands, once: `refund` needs the scope `refunds`, `resend`
    `returns.write`, `cancel` `orders.write`. `reason`: never of a person."""

    reason: Reason = "goodwill"
    text: Prose | None = None
    refund: RefundGiven | None = None
    resend: ResendGiven | None = None
    cancel: CancelGiven | None = None

    @property
    def deeds(self) -> list[str]:
        return [each for each in ("refund", "resend", "cancel") if getattr(self, each) is not None]

    def faults(self) -> Iterator[Fault]:
        for deed in self.deeds[1:]:
            yield Fault(deed, f"is one too many beside {self.deeds[0]}")


class WordingGiven(Contract):
    language: Language
    text: Prose


class PutCannedAnswer(Contract):
    """Blanks: {customer_name}, {order_number}, {reference}, {tracking_page}."""

    title: Label
    wordings: Annotated[list[WordingGiven], Field(min_length=1, max_length=5)]
    category: Slug | Literal[""] = ""

    def faults(self) -> Iterator[Fault]:
        for place in repeats(each.language for each in self.wordings):
            yield Fault(f"wordings[{place}].language", "is given twice")
        for place, each in enumerate(self.wordings):
            for why in faults_of(each.text):
                yield Fault(f"wordings[{place}].text", why)


class InquiryTextView(View, omit_defaults=True):
    """`kind`: message (of the customer), answer (the customer was sent it), note (internal). Its
    `text` is null where it was erased; `dropped`: what came with it and was not kept."""

    number: int
    kind: str
    at: At
    by: str
    text: str | None
    dropped: list[str]
    subject: str = ""
    from_another_address: bool = False


class ResolutionView(View):
    """`outcome`: the credit, the return or the order that came of it."""

    deed: str
    at: At
    by: str
    outcome: str
    amount: int


class InquiryRowView(View):
    """`due_at`: when the next target is over, null while it waits for its customer or is done;
    `missed`: first_answer, resolution; `texts`: how many."""

    inquiry_id: str
    reference: str
    state: str
    overdue: bool
    category: str
    priority: str
    origin: str
    customer_id: str
    order_id: str
    line_id: str
    return_id: str
    assignee: str
    language: str
    opened_at: At
    opened_by: str
    updated_at: At
    answered_at: At | None
    due_at: At | None
    missed: list[str]
    texts: int
    reopened: int
    follows: str
    resolutions: list[ResolutionView]


class InquiryView(InquiryRowView):
    """`seconds`: of open hours that have counted."""

    seconds: int
    messages: list[InquiryTextView]


class InquiryPage(View):
    items: list[InquiryRowView]
    cursor: str | None = None


class WordingView(View):
    language: str
    text: str


class CannedAnswerView(View):
    answer_id: str
    title: str
    category: str
    wordings: list[WordingView]


class CannedAnswersView(View):
    items: list[CannedAnswerView]


class TimelineQuery(Contract):
    cursor: Cursor | None = None
    limit: PageSize = 100


class TimelineEntryView(View, omit_defaults=True):
    """`kind`: order, payment, fulfillment, return, inquiry or notice; `event`: what the entry is
    called where it is told to other systems, empty for notices."""

    at: At
    kind: str
    text: str
    by: str
    id: str
    event: str = ""
    inquiry_id: str = ""


class TimelinePage(View):
    items: list[TimelineEntryView]
    cursor: str | None = None
