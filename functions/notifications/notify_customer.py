"""Tell the customer what becomes of the order; each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from functions.notifications.letters import WHY, Letter, letter, mail_of
from oms.adapters.mail import Mail, mailer
from oms.adapters.notices import notices
from oms.adapters.order_reader import order_reader
from oms.adapters.secrets import secrets
from oms.adapters.vault import vault
from oms.domain.contact import Contact
from oms.domain.order import Order, OrderStatus
from oms.observability import observed
from oms.settings import setting

ENVIRONMENT: tuple[str, ...] = (
    "ORDERS_TABLE",
    "CUSTOMERS_TABLE",
    "REPORTS_TABLE",
    "VAULT_KEY_ID",
    "SENDER_EMAIL",
    "SECRET_ID",
    "TRACKING_PAGES",
)
NO_PAGES = "none"  # where the customer cannot look: no address of such pages is known
PAID_ELSEWHERE = "external"
BY_CHANNEL = "channel:"
NEVER_SENT = (OrderStatus.CANCELLED, OrderStatus.EXPIRED)


class Orders(Protocol):
    def glance(self, order_id: str) -> Order: ...


class Contacts(Protocol):
    def contact(self, customer_id: str, order_id: str) -> Contact | None: ...


class Sender(Protocol):
    def send(self, address: str, mail: Mail) -> None: ...


class Record(Protocol):
    def claim(self, order_id: str, event_id: str, at: datetime) -> bool: ...
    def sent(self, order_id: str, event_id: str, at: datetime) -> None: ...
    def skipped(self, order_id: str, event_id: str, reason: str, at: datetime) -> None: ...
    def release(self, order_id: str, event_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a notice takes; `page`: the address of an order's tracking page, or empty."""

    orders: Orders
    contacts: Contacts
    notices: Record
    sender: Sender
    clock: Callable[[], datetime]
    page: Callable[[str], str] = lambda order_id: ""  # noqa: ARG005


def page_of(order_id: str) -> str:
    pages = setting("TRACKING_PAGES")
    return "" if pages == NO_PAGES else pages + secrets().tracking_token(order_id)


@observed
def handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    desk = Desk(order_reader(), vault(), notices(), mailer(), lambda: datetime.now(UTC), page_of)
    return {"outcome": notify_customer(event["detail"], desk)}


def notify_customer(told: dict[str, Any], desk: Desk) -> str:
    """What came of it: sent, sent before, or why not."""
    order = desk.orders.glance(told["order_id"])
    contact = desk.contacts.contact(order.customer_id, order.contact_id) or Contact()
    if reason := _told_there(told) or reason_to_skip(told["type"], order, contact, told["data"]):
        return _skip(told, reason, desk)
    said = with_page(letter(told["type"], order, told["data"]), desk.page(order.order_id))
    mail = mail_of(said, contact.name)
    return _send_once(told, contact.email, mail, desk)


def with_page(said: Letter, page: str) -> Letter:
    return replace(said, closing=(*said.closing, f"See your order: {page}")) if page else said


def _told_there(told: Mapping[str, Any]) -> str:
    """What its channel did itself, the channel tells its buyer."""
    return "told by its channel" if str(told["actor"]).startswith(BY_CHANNEL) else ""


def reason_to_skip(kind: str, order: Order, contact: Contact, data: Mapping[str, Any]) -> str:
    if not contact.email:
        return "no address"
    if kind == "PaymentAuthorized" and order.payment.provider == PAID_ELSEWHERE:
        return "confirmed by its channel"
    if kind != "OrderCancelled" and order.status in NEVER_SENT:
        return "cancelled meanwhile"
    return NOT_NEWS[kind](order, data) if kind in NOT_NEWS else ""


def _authorized(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    """A part of a split tender, a renewal, or what an edit costs more."""
    return "" if data.get("confirms", True) else "not what confirms the order"


def _backordered(order: Order, data: Mapping[str, Any]) -> str:
    """It may have come, or be told anew, before anybody has written."""
    if data.get("again"):
        return "told before"
    short = (order.line(each["line_id"]) for each in data["lines"])
    return "" if any(line.backordered for line in short) else "there by now"


def _rescheduled(order: Order, data: Mapping[str, Any]) -> str:
    waits = any(order.line(line_id).backordered for line_id in data["line_ids"])
    return "" if waits else "there by now"


def _released(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    return "waits again" if order.is_backordered else ""


def _cancelled_in_part(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    return "" if data["reason"] in WHY else "the customer's own wish"


def _return_approved(order: Order, data: Mapping[str, Any]) -> str:
    found = order.return_(data["return_id"])
    return "" if found.is_open or found.terms.keep else "over by now"


def _return_received(order: Order, data: Mapping[str, Any]) -> str:
    """What is paid for in the same moment is told with the money."""
    found = order.return_(data["return_id"])
    came = any(x.get("reception", "received") == "received" for x in data["lines"])
    return "" if came and found.is_open else "nothing to wait for"


def _money(order: Order, data: Mapping[str, Any]) -> str:  # noqa: ARG001
    return "" if data["credit"]["amount"] else "no money"


def _revised(order: Order, data: Mapping[str, Any]) -> str:
    """What waits for stock was told as that; what has come, or is told anew by now, is no news."""
    promise = order.promise
    if order.is_backordered and not data["deliver_by"]:
        return "told that it waits for stock"
    if order.is_final or not any(x.is_under_way for x in order.fulfillment_orders):
        return "there by now"
    return "" if promise and promise.revised == data["deliver_by"] else "told another day since"


NOT_NEWS: Mapping[str, Callable[[Order, Mapping[str, Any]], str]] = {
    "PaymentAuthorized": _authorized,
    "OrderBackordered": _backordered,
    "BackorderRescheduled": _rescheduled,
    "BackorderReleased": _released,
    "OrderLinesCancelled": _cancelled_in_part,
    "ReturnApproved": _return_approved,
    "ReturnReceived": _return_received,
    "ReturnSettled": _money,
    "RefundGranted": _money,
    "PromiseRevised": _revised,
}


def _skip(told: dict[str, Any], reason: str, desk: Desk) -> str:
    if desk.notices.claim(told["order_id"], told["id"], desk.clock()):
        desk.notices.skipped(told["order_id"], told["id"], reason, desk.clock())
    return reason


def _send_once(told: dict[str, Any], address: str, mail: Mail, desk: Desk) -> str:
    """Between the mail and its record a crash is possible: then it is sent twice, not never."""
    if not desk.notices.claim(told["order_id"], told["id"], desk.clock()):
        return "sent before"
    try:
        desk.sender.send(address, mail)
    except Exception:
        desk.notices.release(told["order_id"], told["id"])
        raise
    desk.notices.sent(told["order_id"], told["id"], desk.clock())
    return "sent"
