"""Mails customers what we answered; each answer once, in the order in which events come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from functions.service.filling import contact_of
from functions.service.letters import mail_of
from oms.adapters.inquiries_table import InquiriesTable, inquiries_table
from oms.adapters.inquiry_texts import Correspondent, InquiryTexts, inquiry_texts
from oms.adapters.mail import Mail, mailer
from oms.adapters.notices import Notices, notices
from oms.adapters.order_reader import OrderReader, order_reader
from oms.domain.inquiries.model import Inquiry
from oms.domain.order import Order
from oms.observability import observed

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "STOCK_TABLE",
    "CUSTOMERS_TABLE",
    "REPORTS_TABLE",
    "KEYS_TABLE",
    "VAULT_KEY_ID",
    "SENDER_EMAIL",
)


class Sender(Protocol):
    def send(self, address: str, mail: Mail) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    inquiries: InquiriesTable
    texts: InquiryTexts
    orders: OrderReader
    notices: Notices
    sender: Sender
    clock: Callable[[], datetime]


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    desk = Desk(
        inquiries_table(),
        inquiry_texts(),
        order_reader(),
        notices(),
        mailer(),
        lambda: datetime.now(UTC),
    )
    told = event["detail"]
    return {"outcome": send_answer(told, desk), "inquiry_id": told["inquiry_id"]}


def send_answer(told: dict[str, Any], desk: Desk) -> str:
    """What came of it: sent, sent before, or why not."""
    inquiry = desk.inquiries.get(told["inquiry_id"])
    text = desk.texts.text(inquiry.customer_id, inquiry.inquiry_id, told["data"]["text"])
    if text is None or text.written is None:
        return "it was erased"
    order = desk.orders.glance(inquiry.order_id) if inquiry.order_id else None
    to = addressee(inquiry, order, desk)
    if not to.email:
        return "no address"
    number = order.external_id if order else ""
    return _send_once(told, to.email, mail_of(inquiry, text.written.text, number, to.name), desk)


def addressee(inquiry: Inquiry, order: Order | None, desk: Desk) -> Correspondent:
    """Who wrote to us; else whom the order went to."""
    known = desk.texts.correspondent(inquiry.customer_id, inquiry.inquiry_id)
    if known.email or order is None:
        return known
    contact = contact_of(order)
    return Correspondent(contact.email, known.name or contact.name)


def _send_once(told: dict[str, Any], address: str, mail: Mail, desk: Desk) -> str:
    """Between the mail and its record a crash is possible: then it is sent twice, not never."""
    whose = (told["inquiry_id"], told["id"])
    if not desk.notices.claim(*whose, desk.clock()):
        return "sent before"
    try:
        desk.sender.send(address, mail)
    except Exception:
        desk.notices.release(*whose)
        raise
    desk.notices.sent(*whose, desk.clock(), {"kind": told["type"]})
    return "sent"
