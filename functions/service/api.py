"""What customers ask, for those who answer them: list, see, answer, note, assign, resolve."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from functions.service.filling import values_of
from functions.service.timeline import timeline_of
from oms.adapters.access_log import access_log
from oms.adapters.canned_answers import canned_answers
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.inquiries_table import (
    InquiriesTable,
    Listing,
    active,
    inquiries_table,
    of_assignee,
    of_category,
    of_order,
    of_state,
)
from oms.adapters.inquiry_desk import Ask, opening, service_policy
from oms.adapters.inquiry_resolving import Asked, Resolver
from oms.adapters.inquiry_texts import Correspondent, Text, Written, inquiry_texts
from oms.adapters.order_reader import order_reader
from oms.adapters.orders_table import fingerprint_of, orders_table
from oms.adapters.policies_table import policies_table
from oms.adapters.roles import roles
from oms.adapters.secrets import secrets
from oms.contracts.api.fields import Contract, Slug
from oms.contracts.api.inquiries import (
    AddNote,
    AssignInquiry,
    CannedAnswersView,
    CannedAnswerView,
    InquiryPage,
    InquiryQuery,
    InquiryRowView,
    InquiryTextView,
    InquiryView,
    OpenInquiry,
    PutCannedAnswer,
    ResolveInquiry,
    SendMessage,
    TimelinePage,
    TimelineQuery,
)
from oms.contracts.invalid import Fault, InvalidRequest
from oms.contracts.render_inquiries import canned_view, inquiry_row, inquiry_view
from oms.contracts.routes.route import RESOURCE_SERVER
from oms.domain.errors import NotFound
from oms.domain.inquiries import commands as c
from oms.domain.inquiries.canned import CannedAnswer, Wording, filled
from oms.domain.inquiries.deciding import spent
from oms.domain.inquiries.model import Inquiry, InquiryState, Origin, Priority, inquiry_id_of
from oms.domain.refund_policy import RefundPolicy

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "REPORTS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SECRET_ID",
    "TRACKING_PAGES",
)
NEEDED = {"refund": "refunds", "resend": "returns.write", "cancel": "orders.write"}

app = HttpApi("ServiceApi")


class AnswerNamed(Contract):
    answer_id: Slug


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


def inquiries() -> InquiriesTable:
    return inquiries_table(with_texts=True)


@app.route("POST", "/inquiries")
def open_inquiry(request: Request) -> Response:
    """The same Idempotency-Key opens it once."""
    said, at = request.read(OpenInquiry), datetime.now(UTC)
    check_category(said.category)
    key = request.idempotency_key or uuid4().hex
    found, new = inquiries().open(
        opening(asked(said, request.actor, key, request.json()), service_policy(), at),
        at=at,
        actor=request.actor,
    )
    if said.assignee and found.version == 1:
        found = _changed(request, c.Assign(said.assignee), inquiry_id=found.inquiry_id)
    return Response(201 if new else 200, inquiry_row(found), ids={"inquiry_id": found.inquiry_id})


def asked(said: OpenInquiry, actor: str, key: str, body: Any) -> Ask:
    customer_id, correspondent = inquirer(said)
    return Ask(
        inquiry_id_of("staff", actor, key),
        customer_id,
        Origin.STAFF,
        Written(said.text, said.subject),
        said.category,
        Priority(said.priority),
        said.order_id or "",
        said.line_id or "",
        said.return_id or "",
        language=said.language,
        fingerprint=fingerprint_of(body),
        internal=said.internal,
        correspondent=correspondent,
    )


def inquirer(said: OpenInquiry) -> tuple[str, Correspondent]:
    """An order's inquiry is its customer's, whoever else is named; answers may go elsewhere."""
    given = said.customer
    known = Correspondent(given.email or "", given.name) if given else Correspondent()
    if said.order_id:
        return customer_of(said), known
    assert given
    return given.customer_id or secrets().customer_id(given.email or ""), known


def customer_of(said: OpenInquiry) -> str:
    try:
        order = order_reader().get(said.order_id or "")
    except NotFound:
        raise InvalidRequest([Fault("order_id", "there is no such order")]) from None
    if said.line_id and all(each.line_id != said.line_id for each in order.lines):
        raise InvalidRequest([Fault("line_id", f"the order has no {said.line_id}")])
    if said.return_id and all(each.return_id != said.return_id for each in order.returns):
        raise InvalidRequest([Fault("return_id", f"the order has no {said.return_id}")])
    return order.customer_id


@app.route("GET", "/inquiries")
def list_inquiries(request: Request) -> InquiryPage:
    """Filters beside the list that is read leave a page short, never its cursor."""
    query = request.read_query(InquiryQuery)
    page = inquiries_table().page(listing(query), query.limit, query.cursor)
    rows = [inquiry_row(each) for each in page.inquiries if wanted(each, query)]
    return InquiryPage(rows, page.cursor)


def listing(query: InquiryQuery) -> Listing:
    """The shortest list that has all of them; what is done is in that of its state alone."""
    is_done = query.state in (InquiryState.RESOLVED, InquiryState.CLOSED)
    if query.order:
        return of_order(query.order)
    if query.assignee and not is_done:
        return of_assignee(query.assignee)
    if query.category and not is_done:
        return of_category(query.category)
    return of_state(InquiryState(query.state)) if query.state else active()


def wanted(inquiry: Inquiry, query: InquiryQuery) -> bool:
    return (
        query.state in (None, inquiry.state)
        and query.assignee in (None, inquiry.assignee or "nobody")
        and query.category in (None, inquiry.category)
    )


@app.route("GET", "/inquiries/canned-answers")
def list_canned_answers(request: Request) -> CannedAnswersView:  # noqa: ARG001
    return CannedAnswersView([canned_view(each) for each in canned_answers().all().answers])


@app.route("PUT", "/inquiries/canned-answers/{answer_id}")
def put_canned_answer(request: Request) -> CannedAnswerView:
    said = request.read(PutCannedAnswer)
    if said.category:
        check_category(said.category)
    wordings = tuple(Wording(each.language, each.text) for each in said.wordings)
    answer_id = AnswerNamed.read(dict(request.path)).answer_id
    answer = CannedAnswer(answer_id, said.title, wordings, said.category)
    canned_answers().put(answer, datetime.now(UTC), request.actor)
    return canned_view(answer)


@app.route("GET", "/inquiries/{inquiry_id}")
def get_inquiry(request: Request) -> InquiryView:
    """Who has read what was written is in the log of the person before anybody sees it."""
    found, at = inquiries_table().get(request.path["inquiry_id"]), datetime.now(UTC)
    what = f"texts of {found.inquiry_id}"
    access_log().read(request.actor, found.customer_id, what, "service", at)
    texts = inquiry_texts().all_of(found.customer_id, found.inquiry_id)
    known = {each.number: each for each in texts}
    shown = [text_view(each) for each in known.values()]
    return inquiry_view(found, spent(found, service_policy(), at), shown)


def text_view(text: Text) -> InquiryTextView:
    said = text.written
    return InquiryTextView(
        number=text.number,
        kind=text.kind,
        at=text.at,
        by=text.actor,
        text=said.text if said else None,
        dropped=list(said.dropped) if said else [],
        subject=said.subject if said else "",
        from_another_address=said.elsewhere if said else False,
    )


@app.route("POST", "/inquiries/{inquiry_id}/messages")
def send_message(request: Request) -> InquiryRowView:
    """The mail is sent by who hears of it."""
    said = request.read(SendMessage)
    text = said.text or from_template(request, said.canned_answer or "")
    command = c.Answer(said.waits, text_key(request))
    return inquiry_row(_changed(request, command, Written(text)))


def from_template(request: Request, answer_id: str) -> str:
    try:
        answer = canned_answers().get(answer_id)
    except NotFound as error:
        raise InvalidRequest([Fault("canned_answer", str(error))]) from None
    found = inquiries_table().get(request.path["inquiry_id"])
    text = answer.wording(found.language)
    return filled(text, values_of(found, text, request.actor))


@app.route("POST", "/inquiries/{inquiry_id}/notes")
def add_note(request: Request) -> InquiryRowView:
    said = request.read(AddNote)
    return inquiry_row(_changed(request, c.Note(text_key(request)), Written(said.text)))


def text_key(request: Request) -> str:
    """Under one Idempotency-Key it is written once."""
    key = request.idempotency_key
    return fingerprint_of([request.route, request.actor, key, request.json()]) if key else ""


@app.route("POST", "/inquiries/{inquiry_id}/assign")
def assign(request: Request) -> InquiryRowView:
    said = request.read(AssignInquiry)
    found = inquiries_table().get(request.path["inquiry_id"])
    if said.category is not None or said.priority is not None:
        category = said.category or found.category
        check_category(category)
        priority = Priority(said.priority) if said.priority else found.priority
        found = _changed(request, c.Classify(category, priority))
    if said.assignee is not None:
        found = _changed(request, c.Assign(said.assignee))
    return inquiry_row(found)


@app.route("POST", "/inquiries/{inquiry_id}/resolve")
def resolve(request: Request) -> InquiryRowView:
    said = request.read(ResolveInquiry)
    check_scopes(request, said)
    policy, _ = policies_table().current("refunds", RefundPolicy)
    asked = Asked(
        said,
        request.json(),
        request.actor,
        datetime.now(UTC),
        lambda currency: policy.most(roles(request.claims), currency),
        request.idempotency_key or "",
    )
    resolver = Resolver(orders_table(with_stock=True), inquiries(), service_policy())
    return inquiry_row(resolver.resolve(request.path["inquiry_id"], asked))


def check_scopes(request: Request, said: ResolveInquiry) -> None:
    """Who answers customers may do to their orders what he may do without an inquiry."""
    for deed in said.deeds:
        scope = NEEDED[deed]
        if request.scopes.isdisjoint({scope, f"{RESOURCE_SERVER}/{scope}"}):
            raise Problem(403, "Forbidden", f"to {deed} needs the scope {scope}")


@app.route("POST", "/inquiries/{inquiry_id}/reopen")
def reopen(request: Request) -> InquiryRowView:
    request.read(Contract)
    return inquiry_row(_changed(request, c.Reopen()))


@app.route("POST", "/inquiries/{inquiry_id}/close")
def close(request: Request) -> InquiryRowView:
    request.read(Contract)
    return inquiry_row(_changed(request, c.Close()))


@app.route("GET", "/orders/{order_id}/timeline")
def get_timeline(request: Request) -> TimelinePage:
    query = request.read_query(TimelineQuery)
    return timeline_of(request.path["order_id"], query.cursor, query.limit)


def check_category(category: str) -> None:
    policy = service_policy()
    if not policy.knows(category):
        known = ", ".join(each.code for each in policy.categories)
        raise InvalidRequest([Fault("category", f"is none of {known}")])


def _changed(
    request: Request, command: c.Command, written: Written | None = None, inquiry_id: str = ""
) -> Inquiry:
    return inquiries().change(
        inquiry_id or request.path["inquiry_id"],
        command,
        service_policy(),
        at=datetime.now(UTC),
        actor=request.actor,
        written=written,
    )
