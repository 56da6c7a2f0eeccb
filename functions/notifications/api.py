"""What customers are told, for staff: templates, what was sent, and sending it once more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from functions.notifications import templates
from functions.notifications.desk import Case, Desk, desk, open_case, send_mail
from functions.notifications.send_waiting import told_of
from oms.adapters.http_api import HttpApi, Problem, Request, Response
from oms.adapters.notices import AGAIN, TEXT, BeingSent, Noted, notices
from oms.adapters.order_reader import order_reader
from oms.adapters.secrets import secrets
from oms.adapters.standings import standings
from oms.adapters.templates_table import Name, templates_table
from oms.contracts.api.fields import Contract, Identity
from oms.contracts.api.notices import (
    ActivateTemplate,
    AllowedView,
    Event,
    NoticesView,
    NoticeView,
    PreviewTemplate,
    PutTemplate,
    RollBackTemplate,
    TemplateQuery,
    TemplatesView,
    TemplateView,
)
from oms.domain.errors import Contended, NotFound, Refused
from oms.domain.notices.kinds import KINDS
from oms.domain.notices.standing import Standing

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "CUSTOMERS_TABLE",
    "KEYS_TABLE",
    "REPORTS_TABLE",
    "VAULT_KEY_ID",
    "SENDER_EMAIL",
    "MAIL_REPORTS",
    "SECRET_ID",
    "TRACKING_PAGES",
    "UNSUBSCRIBE_PAGES",
)
# A template that somebody tries out runs nothing, but may be looked at beside the shop's pages.
PREVIEW_HEADERS: Mapping[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        "default-src 'none'; img-src https:; style-src 'unsafe-inline'; sandbox"
    ),
    "cache-control": "private, no-store",
    "x-content-type-options": "nosniff",
}

app = HttpApi("NotificationsApi")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return app.handle(event, context)


class OfOrder(Contract):
    order_id: Identity


class OfEvent(Contract):
    event: Event


class NotToBeReached(Refused):
    """Nothing can be sent to the address of the order."""


@app.route("GET", "/orders/{order_id}/notices")
def get_notices(request: Request) -> NoticesView:
    order_id = OfOrder.read(dict(request.path)).order_id
    order_reader().glance(order_id)
    return NoticesView([notice_view(each) for each in notices().listed(order_id)])


@app.route("POST", "/orders/{order_id}/notices/{event_id}/resend")
def post_resend(request: Request) -> Response:
    order_id = OfOrder.read({"order_id": request.path["order_id"]}).order_id
    if not request.idempotency_key:
        raise Problem(400, "Idempotency-Key is missing", "asked twice, it is sent twice")
    key = f"{request.actor} {request.idempotency_key}"
    noted = resend(order_id, templates.number_in(request.path["event_id"]), key, desk())
    return Response(200, notice_view(noted), ids={"order_id": order_id})


@app.route("POST", "/orders/{order_id}/notices/allow")
def post_allow(request: Request) -> Response:
    order_id = OfOrder.read({"order_id": request.path["order_id"]}).order_id
    here = desk()
    order = here.orders.get(order_id)
    contact = here.contacts.contact(order.customer_id, order.contact_id)
    if contact is None or not contact.email:
        raise NotToBeReached("the order has no address")
    was = bool(here.standing(contact.email).suppressed)
    if was:
        standings().allow(secrets().customer_id(contact.email), datetime.now(UTC))
    return Response(200, AllowedView(was), ids={"order_id": order_id})


@app.route("GET", "/notices/templates")
def get_templates(request: Request) -> TemplatesView:  # noqa: ARG001  (nothing is asked)
    return templates.templates_view(templates_table())


@app.route("POST", "/notices/templates")
def post_template(request: Request) -> Response:
    said = request.read(PutTemplate)
    templates.must_work(said.event, said.sources())
    name, at = Name(said.event, said.locale, said.brand), datetime.now(UTC)
    saved = templates_table().save(name, said.sources(), at=at, actor=request.actor)
    view = templates.template_view(templates_table(), name, saved.version)
    return Response(201 if saved.saved_at == at else 200, view)


@app.route("POST", "/notices/templates/preview")
def post_preview(request: Request) -> Response:
    composed = templates.preview(templates_table(), request.read(PreviewTemplate))
    if "text/html" in request.headers.get("accept", ""):
        return Response(200, composed.html, PREVIEW_HEADERS)
    return Response(200, templates.preview_view(composed))


@app.route("GET", "/notices/templates/{event}")
def get_template(request: Request) -> TemplateView:
    said = request.read_query(TemplateQuery)
    name = Name(event_in(request), said.locale, said.brand)
    return templates.template_view(templates_table(), name, said.version)


@app.route("POST", "/notices/templates/{event}/activate")
def post_activation(request: Request) -> TemplateView:
    event, said = event_in(request), request.read(ActivateTemplate)
    name, at = Name(event, said.locale, said.brand), datetime.now(UTC)
    templates_table().activate(name, said.version, at=at, actor=request.actor)
    return templates.template_view(templates_table(), name, None)


@app.route("POST", "/notices/templates/{event}/rollback")
def post_rollback(request: Request) -> TemplateView:
    event, said = event_in(request), request.read(RollBackTemplate)
    name = Name(event, said.locale, said.brand)
    templates_table().roll_back(name, at=datetime.now(UTC), actor=request.actor)
    return templates.template_view(templates_table(), name, None)


def event_in(request: Request) -> str:
    if (event := request.path["event"]) not in KINDS:
        raise NotFound("event that customers are told of", event[:40])
    return event


def resend(order_id: str, seq: int, key: str, desk: Desk) -> Noted:
    """The same key again sends nothing again. What staff decide waits for no morning, and nobody's
    wish to hear less stands against what they asked for."""
    case = open_case(told_of(order_id, order_reader().fact(order_id, seq)), desk)
    if case.kind not in KINDS:
        raise NotFound("notice", case.notice_id)
    standing = desk.standing(case.contact.email)
    if not case.contact.email or standing.suppressed:
        raise NotToBeReached(f"the address {standing.suppressed or 'is not known'}")
    notice_id = f"{case.notice_id}{AGAIN}{secrets().digest('resend', key)}"
    _send(case, notice_id, standing, desk)
    noted = notices().find(order_id, notice_id)
    assert noted
    return noted


def _send(case: Case, notice_id: str, standing: Standing, desk: Desk) -> None:
    try:
        send_mail(case, notice_id, standing, desk)
    except BeingSent:
        raise Contended("it is being sent at this moment") from None


def notice_view(noted: Noted) -> NoticeView:
    said = noted.details
    return NoticeView(
        notice_id=noted.notice_id,
        event_id=noted.event_id,
        event=said.get("kind", ""),
        medium="sms" if noted.notice_id.endswith(TEXT) else "mail",
        again=AGAIN in noted.notice_id,
        state=noted.state,
        at=noted.at,
        reason=said.get("reason", ""),
        template=said.get("template", ""),
        locale=said.get("locale", ""),
        brand=said.get("brand", ""),
        until=said.get("until", ""),
        outcome=said.get("outcome", ""),
        parts=int(said.get("parts", "0")),
    )
